/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one stage changes of hand-made requests, to the byte: fields in an
 * order that no SDK writes but that is canonical, texts that are absent,
 * lists and maps changed inside.
 */
#include <check.h>
#include "../../support/otlp_batch.h"
#include <stdio.h>

#include "data/interest.h"
#include "data/run.h"
#include "data/walk.h"

/* --- A stage that does what the test says ---------------------------------------- */

struct stage {
	struct weir_component base;
	uint32_t where;
	enum weir_level level;
	void (*act)(struct weir_element *e);
	int shown;
};

static void want(struct weir_component *c, enum weir_signal signal,
		 struct weir_interest *interest)
{
	(void)signal;
	weir_interest_always(interest, WEIR_SELF(c, struct stage)->where);
}

static uintptr_t on_element(struct weir_component *c, struct weir_element *e,
			    uintptr_t parent)
{
	struct stage *self = WEIR_SELF(c, struct stage);

	if (weir_element_level(e) == self->level) {
		self->shown++;
		self->act(e);
	}
	return parent;
}

static const struct weir_plugin plugin = { .interest = want,
					   .enter = on_element,
					   .visit = on_element };

static struct weir_value text_value(const char *text)
{
	return (struct weir_value){ .type = WEIR_VALUE_STRING,
				    .str = weir_str_of(text) };
}

/* Fields in hex with {} around what gets a length, blanks between. */
static size_t bytes_of(const char **s, uint8_t *out)
{
	uint8_t *p = out, inner[512];
	unsigned byte;

	while (**s && **s != '}') {
		if (**s == ' ') {
			++*s;
		} else if (**s == '{') {
			size_t len;

			++*s;
			len = bytes_of(s, inner);
			ck_assert(len < 128 && **s == '}');
			++*s;
			*p++ = (uint8_t)len;
			memcpy(p, inner, len);
			p += len;
		} else if (**s == '\'') {
			for (++*s; **s != '\''; ++*s)
				*p++ = (uint8_t)**s;
			++*s;
		} else {
			ck_assert_int_eq(sscanf(*s, "%2x", &byte), 1);
			*p++ = (uint8_t)byte;
			*s += 2;
		}
	}
	return (size_t)(p - out);
}

static struct otlp_bytes otlp(const char *text)
{
	uint8_t bytes[512];
	size_t len = bytes_of(&text, bytes);

	ck_assert(!*text);
	return otlp_bytes_copy(bytes, len, 1);
}

/* --- Acts --------------------------------------------------------------------------- */

static void add_k(struct weir_element *e)
{
	struct weir_value value = text_value("v");

	weir_attr_add(e, WEIR_STR("k"), &value);
}

static void set_name(struct weir_element *e)
{
	weir_text_set(e, WEIR_TEXT_NAME, WEIR_STR("n"));
}

static void set_message(struct weir_element *e)
{
	ck_assert_uint_eq(weir_text_get(e, WEIR_TEXT_STATUS_MESSAGE).len, 0);
	weir_text_set(e, WEIR_TEXT_STATUS_MESSAGE, WEIR_STR("m"));
	ck_assert(weir_element_span(e)->has_status);
}

static void clear_message(struct weir_element *e)
{
	weir_text_set(e, WEIR_TEXT_STATUS_MESSAGE, WEIR_STR(""));
}

static void set_url(struct weir_element *e)
{
	weir_text_set(e, WEIR_TEXT_SCHEMA_URL, WEIR_STR("u"));
}

static void set_version(struct weir_element *e)
{
	weir_text_set(e, WEIR_TEXT_VERSION, WEIR_STR("2"));
}

static void set_body(struct weir_element *e)
{
	struct weir_value value = text_value("b");

	weir_body_set(e, &value);
}

static void remove_a(struct weir_element *e)
{
	weir_attr_remove_key(e, WEIR_STR("a"));
}

static void swap_a(struct weir_element *e)
{
	remove_a(e);
	add_k(e);
}

static void replace_a(struct weir_element *e)
{
	struct weir_value value = text_value("w");

	weir_attr_replace(e, weir_attr_find(e, WEIR_STR("a")), &value);
}

/* Finding the second before the first must not change their order. */
static void find_backwards(struct weir_element *e)
{
	struct weir_value value = text_value("w");
	struct weir_attr *b = weir_attr_find(e, WEIR_STR("b"));
	struct weir_attr *a = weir_attr_find(e, WEIR_STR("a"));

	ck_assert_ptr_eq(weir_attr_next(e, NULL), a);
	ck_assert_ptr_eq(weir_attr_next(e, a), b);
	ck_assert_ptr_null(weir_attr_next(e, b));
	weir_attr_replace(e, b, &value);
	weir_attr_remove(e, a);
	ck_assert_ptr_eq(weir_attr_next(e, NULL), b);
	ck_assert_ptr_null(weir_attr_find(e, WEIR_STR("a")));
	add_k(e);
	ck_assert_ptr_eq(weir_attr_next(e, b),
			 weir_attr_find(e, WEIR_STR("k")));
	weir_attr_remove_key(e, WEIR_STR("k"));
	ck_assert_ptr_null(weir_attr_next(e, b));
}

static enum weir_rewrite rewriter(void *arg, weir_str key, weir_str path,
				  struct weir_value *value)
{
	struct weir_text *paths = arg;

	weir_text_add(paths, path);
	weir_text_add(paths, WEIR_STR(" "));
	if (value->type == WEIR_VALUE_LIST || value->type == WEIR_VALUE_MAP)
		return WEIR_DESCEND;
	if (weir_str_eq(key, WEIR_STR("gone")))
		return WEIR_REMOVE;
	if (value->type != WEIR_VALUE_INT)
		return WEIR_KEEP;
	*value = text_value("i");
	return WEIR_REPLACE;
}

static void rewrite_a(struct weir_element *e)
{
	struct weir_attr *a = weir_attr_find(e, WEIR_STR("a"));
	struct weir_value value = a->value;
	struct weir_text paths = { 0 };

	if (weir_value_rewrite(e, &value, rewriter, &paths))
		weir_attr_replace(e, a, &value);
	ck_assert(weir_str_eq((weir_str){ paths.ptr, paths.len },
		WEIR_STR("m m.[0] m.[1] m.[1].gone m.[1].i x ")));
	weir_text_release(&paths);
}

/* --- Rows --------------------------------------------------------------------------- */

#define TRACES WEIR_SIGNAL_TRACES
#define LOGS WEIR_SIGNAL_LOGS
#define METRICS WEIR_SIGNAL_METRICS
/* A span, a log record, a metric in its wrappers; attributes of a span. */
#define IN(fields) "0a{12{12{" fields "}}}"
#define ATTR(tag, key, value) tag "{0a{'" key "'} 12{0a{'" value "'}}}"
#define A ATTR("4a", "a", "1")
#define B ATTR("4a", "b", "2")
#define K ATTR("4a", "k", "v")
#define NAME "2a{'n'}"
#define KIND "30 03"
#define STATUS "7a{18 02}"

static const struct row {
	const char *what;
	enum weir_signal signal;
	enum weir_level level;
	void (*act)(struct weir_element *e);
	const char *from, *to;
} rows[] = {
	/* where a new field goes */
	{ "into an empty span", TRACES, WEIR_LEVEL_RECORD, add_k,
	  IN(""), IN(K) },
	{ "behind the last attribute, wherever it stands", TRACES,
	  WEIR_LEVEL_RECORD, add_k, IN(A STATUS B KIND), IN(A STATUS B K KIND) },
	{ "without attributes: before the first greater number", TRACES,
	  WEIR_LEVEL_RECORD, add_k, IN(STATUS KIND), IN(K STATUS KIND) },
	{ "without a greater number: at the end", TRACES, WEIR_LEVEL_RECORD,
	  add_k, IN(KIND), IN(KIND K) },
	{ "in the place of the only one, which went", TRACES,
	  WEIR_LEVEL_RECORD, swap_a, IN(KIND A STATUS), IN(KIND K STATUS) },
	{ "the last went: behind the one before", TRACES, WEIR_LEVEL_RECORD,
	  swap_a, IN(B KIND A STATUS), IN(B K KIND STATUS) },
	{ "a name before the first greater number", TRACES, WEIR_LEVEL_RECORD,
	  set_name, IN(A KIND), IN(NAME A KIND) },
	{ "a name in the place of the old", TRACES, WEIR_LEVEL_RECORD,
	  set_name, IN(A "2a{'old'}" KIND), IN(A NAME KIND) },
	{ "value before key, an unknown field kept", TRACES,
	  WEIR_LEVEL_RECORD, replace_a,
	  IN("4a{12{0a{'1'}} 0a{'a'} 48 01}"),
	  IN("4a{12{0a{'w'}} 0a{'a'} 48 01}") },
	{ "all of a key go", TRACES, WEIR_LEVEL_RECORD, remove_a,
	  IN(A KIND A B A), IN(KIND B) },
	{ "out of order in hand, in order in the bytes", TRACES,
	  WEIR_LEVEL_RECORD, find_backwards, IN(A KIND B),
	  IN(KIND ATTR("4a", "b", "w")) },
	/* texts */
	{ "a message for an absent status", TRACES, WEIR_LEVEL_RECORD,
	  set_message, IN(A KIND), IN(A KIND "7a{12{'m'}}") },
	{ "a message before the code", TRACES, WEIR_LEVEL_RECORD, set_message,
	  IN(STATUS A), IN("7a{12{'m'} 18 02}" A) },
	{ "a message taken from a status", TRACES, WEIR_LEVEL_RECORD,
	  clear_message, IN("7a{12{'old'} 18 02}"), IN(STATUS) },
	{ "no message taken from none", TRACES, WEIR_LEVEL_RECORD,
	  clear_message, IN(A), IN(A) },
	{ "a schema_url that was absent", TRACES, WEIR_LEVEL_RESOURCE,
	  set_url, "0a{12{}}", "0a{12{} 1a{'u'}}" },
	{ "a schema_url that was not", TRACES, WEIR_LEVEL_RESOURCE, set_url,
	  "0a{12{} 1a{'old'}}", "0a{12{} 1a{'u'}}" },
	{ "a scope's schema_url", LOGS, WEIR_LEVEL_SCOPE, set_url,
	  "0a{12{12{}}}", "0a{12{12{} 1a{'u'}}}" },
	{ "a resource that was absent", LOGS, WEIR_LEVEL_RESOURCE, add_k,
	  "0a{12{12{}}}", "0a{0a{" ATTR("0a", "k", "v") "} 12{12{}}}" },
	{ "a scope that was absent, its version", METRICS, WEIR_LEVEL_SCOPE,
	  set_version, "0a{12{}}", "0a{12{0a{12{'2'}}}}" },
	{ "a scope that was absent, an attribute", METRICS, WEIR_LEVEL_SCOPE,
	  add_k, "0a{12{}}", "0a{12{0a{" ATTR("1a", "k", "v") "}}}" },
	{ "an absent resource, looked at only", LOGS, WEIR_LEVEL_RESOURCE,
	  remove_a, "0a{12{}}", "0a{12{}}" },
	{ "a body that was absent", LOGS, WEIR_LEVEL_RECORD, set_body,
	  IN("1a{'W'}" "32{0a{'a'}}"),
	  IN("1a{'W'}" "2a{0a{'b'}}" "32{0a{'a'}}") },
	{ "a body of another type", LOGS, WEIR_LEVEL_RECORD, set_body,
	  IN("2a{18 01}"), IN("2a{0a{'b'}}") },
	{ "an event name behind a log's ids", LOGS, WEIR_LEVEL_RECORD,
	  set_name, IN("10 09"), IN("10 09" "62{'n'}") },
	{ "a metric's name", METRICS, WEIR_LEVEL_METRIC, set_name,
	  IN("12{'d'}"), IN("0a{'n'} 12{'d'}") },
	/* a map with a list of a string and a map, an int, unknown fields */
	{ "inside lists and maps", TRACES, WEIR_LEVEL_RECORD, rewrite_a,
	  IN("4a{0a{'a'} 12{32{"
	     "0a{0a{'m'} 12{2a{0a{0a{'s'}} 0a{32{"
	     "0a{0a{'gone'} 12{10 01}} 0a{0a{'i'} 12{18 05} 48 07}}} 50 01}}}"
	     "58 02 0a{0a{'x'} 12{18 06}}}}}" KIND),
	  IN("4a{0a{'a'} 12{32{"
	     "0a{0a{'m'} 12{2a{0a{0a{'s'}} 0a{32{"
	     "0a{0a{'i'} 12{0a{'i'}} 48 07}}} 50 01}}}"
	     "58 02 0a{0a{'x'} 12{0a{'i'}}}}}}" KIND) },
};

static void becomes(const struct row *row)
{
	enum weir_signal signal = row->signal;
	struct otlp_bytes in = otlp(row->from), expected = otlp(row->to), out;
	struct stage stage = { { .plugin = &plugin }, 1u << row->level,
			       row->level, row->act, 0 };
	struct weir_component *c = &stage.base;
	struct run *run = run_new(&c, 1, signal);
	struct weir_batch *batch;
	struct run_outcome outcome;

	in.items = walk_request(signal, in.ptr, in.len, NULL, NULL).items;
	ck_assert_int_eq(walk_request(signal, in.ptr, in.len, NULL,
				      NULL).verdict, WALK_CANONICAL);
	batch = otlp_batch(signal, &in);
	outcome = run_apply(run, batch);
	ck_assert_uint_eq(outcome.dropped, 0);
	ck_assert_uint_eq(outcome.walked, in.len);
	ck_assert_int_ge(stage.shown, 1);
	out = otlp_batch_bytes(batch);
	ck_assert_msg(out.len == expected.len &&
		      !memcmp(out.ptr, expected.ptr, out.len), "%s: %s\nis not %s",
		      row->what,
		      otlp_hex(out.ptr, out.len),
		      otlp_hex(expected.ptr, expected.len));
	ck_assert_int_eq(walk_request(signal, out.ptr, out.len, NULL,
				      NULL).verdict, WALK_CANONICAL);
	batch_free(batch);
	run_free(&run);
	otlp_bytes_free(&in);
	otlp_bytes_free(&out);
	otlp_bytes_free(&expected);
}

START_TEST(a_change_gives_these_bytes)
{
	becomes(&rows[_i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("element");
	TCase *tc = tcase_create("element");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, a_change_gives_these_bytes, 0,
			    sizeof(rows) / sizeof(*rows));
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
