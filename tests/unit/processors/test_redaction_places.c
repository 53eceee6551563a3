/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Catalogue row 112: a secret is found wherever it hides: in every field of
 * every signal that holds text or a value, in every kind of value, by value
 * rules, key rules and detectors.
 */
#include "attr_case.h"

#define RULES "allow_all_keys: true\nlevels: all\n"
#define VALUES RULES "blocked_values: ['SECRET-[0-9]+']\n"
#define KEYS RULES "blocked_key_patterns: ['^hush$']\n"
#define DETECTORS RULES "detectors: [email, payment_card, iban, jwt, " \
	"private_key, credentials, cloud_key, llm_key]\n"
#define JSON "structured_strings: {enabled: true}\n"

/* --- Places ------------------------------------------------------------------- */

enum leaf { PAIR, VALUE, TEXT };

/* The fields from ResourceSpans and its like inwards. */
static const struct place {
	const char *name;
	enum weir_signal signal;
	enum leaf leaf;
	uint8_t path[8];
} places[] = {
#define IN_ALL(signal)							\
	{ "resource", signal, PAIR, { 1, 1 } },				\
	{ "resource schema_url", signal, TEXT, { 3 } },			\
	{ "scope", signal, PAIR, { 2, 1, 3 } },				\
	{ "scope name", signal, TEXT, { 2, 1, 1 } },			\
	{ "scope version", signal, TEXT, { 2, 1, 2 } },			\
	{ "scope schema_url", signal, TEXT, { 2, 3 } }
	IN_ALL(WEIR_SIGNAL_TRACES),
	{ "span", WEIR_SIGNAL_TRACES, PAIR, { 2, 2, 9 } },
	{ "span name", WEIR_SIGNAL_TRACES, TEXT, { 2, 2, 5 } },
	{ "trace_state", WEIR_SIGNAL_TRACES, TEXT, { 2, 2, 3 } },
	{ "status message", WEIR_SIGNAL_TRACES, TEXT, { 2, 2, 15, 2 } },
	{ "event", WEIR_SIGNAL_TRACES, PAIR, { 2, 2, 11, 3 } },
	{ "event name", WEIR_SIGNAL_TRACES, TEXT, { 2, 2, 11, 2 } },
	{ "link", WEIR_SIGNAL_TRACES, PAIR, { 2, 2, 13, 4 } },
	{ "link trace_state", WEIR_SIGNAL_TRACES, TEXT, { 2, 2, 13, 3 } },
	IN_ALL(WEIR_SIGNAL_LOGS),
	{ "log record", WEIR_SIGNAL_LOGS, PAIR, { 2, 2, 6 } },
	{ "body", WEIR_SIGNAL_LOGS, VALUE, { 2, 2, 5 } },
	{ "severity_text", WEIR_SIGNAL_LOGS, TEXT, { 2, 2, 3 } },
	{ "event_name of a log", WEIR_SIGNAL_LOGS, TEXT, { 2, 2, 12 } },
	IN_ALL(WEIR_SIGNAL_METRICS),
	{ "metric name", WEIR_SIGNAL_METRICS, TEXT, { 2, 2, 1 } },
	{ "description", WEIR_SIGNAL_METRICS, TEXT, { 2, 2, 2 } },
	{ "unit", WEIR_SIGNAL_METRICS, TEXT, { 2, 2, 3 } },
	{ "metadata", WEIR_SIGNAL_METRICS, PAIR, { 2, 2, 12 } },
	{ "gauge point", WEIR_SIGNAL_METRICS, PAIR, { 2, 2, 5, 1, 7 } },
	{ "sum point", WEIR_SIGNAL_METRICS, PAIR, { 2, 2, 7, 1, 7 } },
	{ "histogram point", WEIR_SIGNAL_METRICS, PAIR, { 2, 2, 9, 1, 9 } },
	{ "exponential point", WEIR_SIGNAL_METRICS, PAIR, { 2, 2, 10, 1, 1 } },
	{ "summary point", WEIR_SIGNAL_METRICS, PAIR, { 2, 2, 11, 1, 7 } },
	{ "exemplar of a gauge", WEIR_SIGNAL_METRICS, PAIR,
	  { 2, 2, 5, 1, 5, 7 } },
	{ "exemplar of a sum", WEIR_SIGNAL_METRICS, PAIR, { 2, 2, 7, 1, 5, 7 } },
	{ "exemplar of a histogram", WEIR_SIGNAL_METRICS, PAIR,
	  { 2, 2, 9, 1, 8, 7 } },
	{ "exemplar of an exponential one", WEIR_SIGNAL_METRICS, PAIR,
	  { 2, 2, 10, 1, 11, 7 } },
};

/* --- Forms -------------------------------------------------------------------- */

/* What a value is wrapped in, from the outside: s string, y bytes, l a list, m
 * the entry `hush` of a map, o one that is called otherwise. */
static const struct form {
	const char *name, *wrap;
	bool key;		/* a key rule finds it, under another name */
	const char *json;	/* around the text */
} forms[] = {
	{ "string", "s", false, "%s" }, { "bytes", "y", false, "%s" },
	{ "in a list", "ls", false, "%s" }, { "in a map", "os", false, "%s" },
	{ "bytes in a map", "oy", false, "%s" },
	{ "deep", "ololols", false, "%s" },
	{ "behind a key in a map", "ms", true, "%s" },
	{ "behind a key, deep", "lolmls", true, "%s" },
	{ "bytes behind a key", "olmy", true, "%s" },
	{ "in JSON", "s", true, "[{\"hush\":\"%s\"}]" },
	{ "in JSON in a map", "os", true, "{\"a\":{\"hush\":[\"%s\"]}}" },
	{ "in JSON in JSON", "s", true,
	  "[\"{\\\"hush\\\":\\\"%s\\\"}\"]" },
	{ "in broken JSON", "s", true, "{\"hush\":\"%s\"" },
};

static void wrap(struct bytes *b, unsigned field)
{
	struct bytes inner = *b;

	b->len = 0;
	put_field(b, field, inner.v, inner.len);
}

/* Makes a KeyValue of the value in b. */
static void name_it(struct bytes *b, const char *key)
{
	struct bytes value = *b;

	b->len = 0;
	put_text(b, 1, key);
	put_field(b, 2, value.v, value.len);
}

/* AnyValue: string 1, list 5, map 6, bytes 7. */
static void wrap_value(struct bytes *b, const char *in)
{
	for (size_t i = strlen(in); i--;) {
		switch (in[i]) {
		case 's':
			if (!in[i + 1])
				wrap(b, 1);
			break;
		case 'y':
			wrap(b, 7);
			break;
		case 'l':
			wrap(b, 1);
			wrap(b, 5);
			break;
		default:
			name_it(b, in[i] == 'm' ? "hush" : "other");
			wrap(b, 1);
			wrap(b, 6);
		}
	}
}

static void write_place(const struct place *p, const char *key,
			const char *wraps, const char *text, struct bytes *b)
{
	b->len = strlen(text);
	memcpy(b->v, text, b->len);
	if (p->leaf != TEXT)
		wrap_value(b, wraps);
	if (p->leaf == PAIR)
		name_it(b, key);
	for (size_t i = strlen((const char *)p->path); i--;)
		wrap(b, p->path[i]);
	/* a scope with one record more: without any it would not be sent on */
	if (p->signal == WEIR_SIGNAL_METRICS)
		put_field(b, 2, "\x12\x04\x2a\x02\x0a", 6);
	else
		put_field(b, 2, "\x12", 2);
	wrap(b, 1);
}

/* --- Looking ------------------------------------------------------------------ */

static bool is_in(weir_str bytes, const char *text)
{
	return memmem(bytes.ptr, bytes.len, text, strlen(text)) != NULL;
}

/* Is the secret in what comes out? */
static bool passes(const char *yaml, const struct place *p,
		   const struct bytes *request, const char *secret)
{
	struct weir_error error = { .text = "" };
	struct weir_test *t = weir_test_open(plugin_path("redaction"), yaml,
					     1u << p->signal, &error);
	struct weir_outcome outcome;
	bool in;

	ck_assert_msg(t != NULL, "%s: %s", yaml, error.text);
	ck_assert(!weir_test_start(t, &error));
	ck_assert_int_ge(weir_test_send(t, p->signal, request->v, request->len,
					&outcome), 0);
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	in = is_in(weir_test_bytes(t, 0), secret);
	weir_test_stop(t);
	ck_assert(!weir_test_close(&t, &error));
	return in;
}

/* Without the rule it comes out: the place is one. */
static void check(const char *yaml, const struct place *p, const char *key,
		  const struct form *form, const char *secret)
{
	static struct bytes request;
	char text[256];

	snprintf(text, sizeof(text), form->json, secret);
	write_place(p, key, form->wrap, text, &request);
	ck_assert_msg(passes(RULES, p, &request, secret), "%s, %s: no place",
		      p->name, form->name);
	ck_assert_msg(!passes(yaml, p, &request, secret), "%s, %s passes\n%s",
		      p->name, form->name, yaml);
}

static bool fits(const struct place *p, const struct form *form)
{
	return p->leaf != TEXT || form->wrap[1] == 0;
}

START_TEST(row_112_a_value_rule_finds_it)
{
	const struct place *p = &places[_i];

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (fits(p, &forms[i])) {
			check(VALUES, p, "k", &forms[i], "SECRET-42");
			check(VALUES JSON, p, "k", &forms[i], "SECRET-42");
		}
}
END_TEST

START_TEST(row_112_a_detector_finds_it)
{
	const struct place *p = &places[_i];

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
		if (fits(p, &forms[i])) {
			check(DETECTORS, p, "k", &forms[i], "bob@mail.example");
			check(DETECTORS JSON, p, "k", &forms[i],
			      "bob@mail.example");
		}
}
END_TEST

/* The key of the attribute, or one inside of its value. */
START_TEST(row_112_a_key_rule_finds_it)
{
	const struct place *p = &places[_i];

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (p->leaf == PAIR)
			check(KEYS, p, "hush", &forms[i], "SECRET-42");
		if (forms[i].key && fits(p, &forms[i]))
			check(KEYS JSON, p, "k", &forms[i], "SECRET-42");
	}
}
END_TEST

/* What cannot be looked into does not pass. */
START_TEST(row_112_what_cannot_be_read_is_removed)
{
	static const struct form broken = { "broken", "s", false,
					    "[\"%s\", {\"a\":" };
	const struct place *p = &places[_i];

	check(KEYS JSON, p, "k", &broken, "SECRET-42");
}
END_TEST

#define PLACES (int)(sizeof(places) / sizeof(*places))

int main(void)
{
	Suite *suite = suite_create("processors/redaction, row 112");
	TCase *tests = tcase_create("places");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, row_112_a_value_rule_finds_it, 0, PLACES);
	tcase_add_loop_test(tests, row_112_a_detector_finds_it, 0, PLACES);
	tcase_add_loop_test(tests, row_112_a_key_rule_finds_it, 0, PLACES);
	tcase_add_loop_test(tests, row_112_what_cannot_be_read_is_removed, 0,
			    PLACES);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
