/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_interest: a walk notes what a naive matcher over protobuf-c's tree
 * finds, and nothing else.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <otlp_logs.pb-c.h>
#include <otlp_trace.pb-c.h>

#include "data/interest.h"
#include "data/match.h"
#include "../../support/otlp_gen.h"
#include "../../support/seeds.h"
#include "data/walk.h"
#include "data/wire.h"

#define SEEDS SEEDS_OF(1200)	/* of each signal */
#define NODES 4000

/* --- What is looked for ------------------------------------------------- */

enum look {
	KEY, KEY_REGEX, KEY_SCAN, VALUE_REGEX, ANY_VALUE_REGEX, VALUE_SCAN,
	ALWAYS, LOOKS
};

struct wish {
	enum look look;
	uint32_t where;
	const char *text;
	struct weir_regex *regex;
};

#define WISHES 4

static const char *const keys[] = { "api_key", "token", "k", "",
				    "http.status_code" };
static const char *const literals[] = { "user_email", "gen_ai", "service",
					"rather long", "example", "GET" };

static struct wish random_wish(struct gen *gen)
{
	struct wish w = { .look = (enum look)gen_below(gen, LOOKS) };
	struct weir_error error;

	w.where = (uint32_t)gen_next(gen) & WEIR_AT_ALL &
		  (uint32_t)gen_next(gen);
	w.text = w.look == KEY ? keys[gen_below(gen, 5)] :
				 literals[gen_below(gen, 6)];
	if (w.look == ALWAYS)
		w.where &= gen_one_in(gen, 2) ? 0 : 1u << gen_below(gen, 8);
	if (w.look == KEY)
		return w;
	w.regex = weir_regex_new(weir_str_of(w.text), &error);
	ck_assert_ptr_nonnull(w.regex);
	return w;
}

static bool has_word(const void *arg, weir_str text)
{
	const char *word = arg;

	return memmem(text.ptr, text.len, word, strlen(word)) != NULL;
}

static struct interest_set *compile(const struct wish *wishes, size_t n)
{
	struct weir_interest *interest[2] = { interest_new(), interest_new() };
	struct interest_set *set;

	for (size_t i = 0; i < n; i++) {
		struct weir_interest *to = interest[i % 2];
		const struct wish *w = &wishes[i];

		if (w->look == KEY)
			weir_interest_key(to, w->where, weir_str_of(w->text));
		else if (w->look == KEY_REGEX)
			weir_interest_key_regex(to, w->where, w->regex);
		else if (w->look == KEY_SCAN)
			weir_interest_key_scan(to, w->where, has_word,
					       w->text);
		else if (w->look == ALWAYS)
			weir_interest_always(to, w->where);
		else if (w->look == VALUE_SCAN)
			weir_interest_value_scan(to, w->where, has_word,
						 w->text, false);
		else
			weir_interest_value_regex(to, w->where, w->regex,
						  w->look == ANY_VALUE_REGEX);
	}
	set = interest_compile(interest, 2);
	interest_free(&interest[0]);
	interest_free(&interest[1]);
	return set;
}

/* --- The naive matcher -------------------------------------------------- */

struct node {
	enum note_kind kind;
	int parent;
	bool wanted, shown;
	const ProtobufCMessage *msg;
};

struct tree {
	const struct wish *wishes;
	size_t n_wishes;
	struct node node[NODES];
	int n;
};

static bool named(const ProtobufCMessage *msg, const char *part)
{
	return strstr(msg->descriptor->short_name, part) != NULL;
}

/* -1: a message that is no note of its own. */
static int kind_of(const ProtobufCMessage *msg)
{
	static const struct {
		const char *name;
		int kind;
	} kinds[] = {
		{ "DataPoint", NOTE_RECORD }, { "LogRecord", NOTE_RECORD },
		{ "InstrumentationScope", NOTE_SCOPE },
		{ "Scope", NOTE_SCOPE_WRAPPER }, { "Resource", NOTE_WRAPPER },
		{ "Span", NOTE_RECORD }, { "Event", NOTE_EVENT },
		{ "Link", NOTE_LINK }, { "Metric", NOTE_METRIC },
		{ "Exemplar", NOTE_EXEMPLAR }, { "Gauge", NOTE_DATA },
		{ "Sum", NOTE_DATA }, { "Histogram", NOTE_DATA },
	};

	if (!strcmp(msg->descriptor->short_name, "Resource"))
		return NOTE_RESOURCE;
	if (named(msg, "Request"))
		return -1;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (named(msg, kinds[i].name))
			return kinds[i].kind;
	return -1;
}

static uint32_t level_of(enum note_kind kind)
{
	static const uint32_t at[] = {
		[NOTE_WRAPPER] = WEIR_AT_RESOURCE,
		[NOTE_RESOURCE] = WEIR_AT_RESOURCE,
		[NOTE_SCOPE_WRAPPER] = WEIR_AT_SCOPE,
		[NOTE_SCOPE] = WEIR_AT_SCOPE,
		[NOTE_METRIC] = WEIR_AT_METRIC, [NOTE_DATA] = 0,
		[NOTE_RECORD] = WEIR_AT_RECORD, [NOTE_EVENT] = WEIR_AT_EVENT,
		[NOTE_LINK] = WEIR_AT_LINK,
		[NOTE_EXEMPLAR] = WEIR_AT_EXEMPLAR,
	};

	return at[kind];
}

static weir_str str_of(ProtobufCBinaryData data)
{
	return (weir_str){ (const char *)data.data, data.len };
}

/* Does any wish of that kind, for these places, want it? */
static bool wished(const struct tree *t, enum look look, uint32_t where,
		   const weir_str *text)
{
	for (size_t i = 0; i < t->n_wishes; i++) {
		const struct wish *w = &t->wishes[i];

		if (w->look != look || (w->where & where) != where)
			continue;
		if (!text || (look == KEY ? weir_str_eq(weir_str_of(w->text),
							*text) :
					    weir_regex_match(w->regex, *text)))
			return true;
	}
	return false;
}

static bool text_wanted(const struct tree *t, uint32_t where, weir_str text)
{
	return wished(t, VALUE_REGEX, where, &text) ||
	       wished(t, VALUE_SCAN, where, &text) ||
	       wished(t, ANY_VALUE_REGEX, where, &text);
}

static bool entry_wanted(const struct tree *t, uint32_t key_where,
			 uint32_t value_where, const Otlp__KeyValue *kv);

/* inside: the places of what a list or map in it holds. */
static bool value_wanted(const struct tree *t, uint32_t where,
			 uint32_t in_list, uint32_t in_map,
			 const Otlp__AnyValue *v)
{
	uint32_t nested = in_list;

	if (!v || v->value_case == OTLP__ANY_VALUE__VALUE__NOT_SET)
		return false;
	if (v->value_case == OTLP__ANY_VALUE__VALUE_STRING_VALUE)
		return text_wanted(t, where, str_of(v->string_value));
	if (wished(t, ANY_VALUE_REGEX, where, NULL))
		return true;
	if (v->value_case == OTLP__ANY_VALUE__VALUE_BYTES_VALUE) {
		weir_str bytes = str_of(v->bytes_value);

		return wished(t, VALUE_SCAN, where, &bytes);
	}
	if (v->value_case == OTLP__ANY_VALUE__VALUE_ARRAY_VALUE)
		for (size_t i = 0; i < v->array_value->n_values; i++)
			if (value_wanted(t, nested, nested, nested,
					 v->array_value->values[i]))
				return true;
	if (v->value_case == OTLP__ANY_VALUE__VALUE_KVLIST_VALUE)
		for (size_t i = 0; i < v->kvlist_value->n_values; i++)
			if (entry_wanted(t, in_map, nested,
					 v->kvlist_value->values[i]))
				return true;
	return false;
}

static bool entry_wanted(const struct tree *t, uint32_t where, uint32_t nested,
			 const Otlp__KeyValue *kv)
{
	weir_str key = str_of(kv->key);

	return wished(t, KEY, where, &key) ||
	       wished(t, KEY_REGEX, where, &key) ||
	       wished(t, KEY_SCAN, where, &key) ||
	       value_wanted(t, where, nested, nested, kv->value);
}

static bool shown_text(const char *field)
{
	static const char *const names[] = {
		"name", "trace_state", "severity_text", "event_name",
		"description", "unit", "version", "schema_url", "message",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(field, names[i]))
			return true;
	return false;
}

static const void *member(const ProtobufCMessage *msg, unsigned offset)
{
	return (const char *)msg + offset;
}

static bool field_wanted(const struct tree *t, const ProtobufCMessage *msg,
			 const ProtobufCFieldDescriptor *f, uint32_t level)
{
	const void *at = member(msg, f->offset);
	ProtobufCMessage *const *children;
	Otlp__KeyValue *const *kvs;
	size_t n;

	if (f->type == PROTOBUF_C_TYPE_BYTES && shown_text(f->name) &&
	    (f->label != PROTOBUF_C_LABEL_OPTIONAL ||
	     *(const protobuf_c_boolean *)member(msg, f->quantifier_offset)))
		return text_wanted(t, level | WEIR_AT_TEXT,
				   str_of(*(const ProtobufCBinaryData *)at));
	if (f->type != PROTOBUF_C_TYPE_MESSAGE)
		return false;
	if (f->descriptor == &otlp__any_value__descriptor)
		return value_wanted(t, WEIR_AT_BODY,
				    WEIR_AT_BODY | WEIR_AT_NESTED,
				    WEIR_AT_BODY,
				    *(Otlp__AnyValue *const *)at);
	children = at;
	if (f->descriptor == &otlp__status__descriptor && *children)
		return text_wanted(t, level | WEIR_AT_TEXT,
				   str_of(((const Otlp__Status *)*children)
						  ->message));
	if (f->descriptor != &otlp__key_value__descriptor)
		return false;
	n = *(const size_t *)member(msg, f->quantifier_offset);
	kvs = *(Otlp__KeyValue *const *const *)at;
	for (size_t i = 0; i < n; i++)
		if (entry_wanted(t, level, level | WEIR_AT_NESTED, kvs[i]))
			return true;
	return false;
}

/* A wrapper stands for a head that is absent, and for its own schema_url. */
static bool always_wanted(const struct tree *t, const ProtobufCMessage *msg,
			  enum note_kind kind)
{
	const ProtobufCFieldDescriptor *head = &msg->descriptor->fields[0];
	uint32_t level = level_of(kind);

	if (kind == NOTE_DATA)
		return false;
	if ((kind == NOTE_WRAPPER || kind == NOTE_SCOPE_WRAPPER) &&
	    *(ProtobufCMessage *const *)member(msg, head->offset))
		return false;
	if (kind == NOTE_RECORD && wished(t, ALWAYS, WEIR_AT_BODY, NULL))
		return true;
	return wished(t, ALWAYS, level, NULL);
}

static void visit(struct tree *t, const ProtobufCMessage *msg, int parent)
{
	int kind = kind_of(msg);
	bool in_oneof;

	if (kind >= 0) {
		struct node *node = &t->node[t->n];

		ck_assert_int_lt(t->n, NODES);
		*node = (struct node){ (enum note_kind)kind, parent,
				       always_wanted(t, msg, kind), false,
				       msg };
		for (unsigned i = 0; i < msg->descriptor->n_fields; i++)
			node->wanted |= kind != NOTE_DATA &&
					field_wanted(t, msg,
						     &msg->descriptor->fields[i],
						     level_of(kind));
		parent = t->n++;
	}
	for (unsigned i = 0; i < msg->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *f = &msg->descriptor->fields[i];
		const void *at = member(msg, f->offset);
		const void *quantifier = member(msg, f->quantifier_offset);

		if (f->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		in_oneof = f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
		if (f->label == PROTOBUF_C_LABEL_REPEATED) {
			size_t n = *(const size_t *)quantifier;

			for (size_t j = 0; j < n; j++)
				visit(t, (*(ProtobufCMessage *const *const *)
						  at)[j], parent);
		} else if (in_oneof ? *(const uint32_t *)quantifier == f->id :
				      *(void *const *)at != NULL) {
			visit(t, *(ProtobufCMessage *const *)at, parent);
		}
	}
}

static void show_ancestors(struct tree *t)
{
	for (int i = t->n - 1; i >= 0; i--) {
		struct node *node = &t->node[i];

		node->shown |= node->wanted;
		if (node->shown && node->parent >= 0)
			t->node[node->parent].shown = true;
	}
}

/* --- Held against each other -------------------------------------------- */

static void compare(const struct tree *t, const struct notes *notes,
		    uint64_t seed)
{
	static uint32_t index_of[NODES];
	uint32_t n = 0;

	for (int i = 0; i < t->n; i++) {
		const struct node *node = &t->node[i];
		const struct note *note = &notes->v[n];
		uint8_t *body;
		size_t len;

		if (!node->shown)
			continue;
		ck_assert_msg(n < notes->n, "seed %lu: note %u is missing",
			      (unsigned long)seed, n);
		index_of[i] = n++;
		ck_assert_msg(note->kind == node->kind &&
				      note->wanted == node->wanted,
			      "seed %lu: note %u: kind %d, %d expected",
			      (unsigned long)seed, n - 1, note->kind,
			      node->kind);
		ck_assert_uint_eq(note->parent,
				  node->parent < 0 ? NOTE_NONE :
						     index_of[node->parent]);
		len = protobuf_c_message_get_packed_size(node->msg);
		body = malloc(len + 1);
		protobuf_c_message_pack(node->msg, body);
		ck_assert_uint_eq(note->len, len);
		ck_assert_mem_eq(notes->base + note->offset, body, len);
		free(body);
		ck_assert_uint_eq(wire_field_of(notes->base[
			note->offset - note->len_width - note->tag_width]),
				  note->field);
	}
	ck_assert_msg(n == notes->n, "seed %lu: %u notes too many",
		      (unsigned long)seed, notes->n - n);
}

static uint32_t one_seed(enum weir_signal signal, uint64_t seed)
{
	static struct tree tree;
	const struct gen_options options = { .unknown = seed & 1 };
	struct otlp_bytes b = otlp_gen(signal, seed, &options);
	ProtobufCMessage *msg = protobuf_c_message_unpack(
		otlp_descriptor(signal), NULL, b.len, b.ptr);
	struct gen gen = { ~seed };
	struct wish wishes[WISHES];
	struct interest_set *set;
	struct notes notes = { 0 };
	uint32_t n;

	for (size_t i = 0; i < WISHES; i++)
		wishes[i] = random_wish(&gen);
	set = compile(wishes, WISHES);
	tree.wishes = wishes;
	tree.n_wishes = WISHES;
	tree.n = 0;
	visit(&tree, msg, -1);
	show_ancestors(&tree);
	for (unsigned again = 0; again < 2; again++) {	/* the cache is warm */
		struct walk_result r = walk_request(signal, b.ptr, b.len, set,
						    &notes);

		ck_assert_int_eq(r.verdict, WALK_CANONICAL);
		compare(&tree, &notes, seed);
	}
	walk_interest(signal, b.ptr, b.len, set, &notes);
	compare(&tree, &notes, seed);
	n = notes.n;
	notes_release(&notes);
	interest_set_free(&set);
	for (size_t i = 0; i < WISHES; i++)
		if (wishes[i].regex)
			weir_regex_free(&wishes[i].regex);
	protobuf_c_message_free_unpacked(msg, NULL);
	otlp_bytes_free(&b);
	return n;
}

START_TEST(notes_what_a_naive_matcher_finds)
{
	uint64_t noted = 0;

	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		for (unsigned s = 0; s < WEIR_SIGNAL_COUNT; s++)
			noted += one_seed((enum weir_signal)s, seed);
	ck_assert_uint_gt(noted, SEEDS);	/* else nothing was proved */
}
END_TEST

START_TEST(an_empty_interest_is_known_to_be_empty)
{
	struct weir_interest *interest = interest_new();
	struct interest_set *set = interest_compile(&interest, 1);

	ck_assert(interest_set_empty(set));
	interest_set_free(&set);
	weir_interest_always(interest, WEIR_AT_LINK);
	set = interest_compile(&interest, 1);
	ck_assert(!interest_set_empty(set));
	interest_set_free(&set);
	interest_free(&interest);
	ck_assert_ptr_null(set);
}
END_TEST

/* More keys than the cache holds, some too long for it: the verdict on each
 * stays what the pattern says. */
START_TEST(decides_key_patterns_beyond_the_cache)
{
	struct weir_interest *interest = interest_new();
	struct weir_error error;
	struct weir_regex *regex = weir_regex_new(WEIR_STR("77"), &error);
	struct interest_set *set;
	char key[128];

	weir_interest_key_regex(interest, WEIR_AT_RECORD, regex);
	weir_interest_key(interest, WEIR_AT_RECORD, WEIR_STR("key.5"));
	set = interest_compile(&interest, 1);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 20000; i++) {
			const struct place *place = &set->place[PLACE_OF(
				WEIR_LEVEL_RECORD, PLACE_FLAT)];
			int n = snprintf(key, sizeof(key), "%skey.%u",
					 i % 9 ? "" : "a.key.that.is.much.too."
						      "long.for.the.cache.and."
						      "decided.each.time.", i);
			bool want = strstr(key, "77") || !strcmp(key, "key.5");

			ck_assert_msg(match_key(set, place, (uint8_t *)key,
						(size_t)n) == want,
				      "%s", key);
		}
	interest_set_free(&set);
	interest_free(&interest);
	weir_regex_free(&regex);
}
END_TEST

/* A stage may put text into a span that is no UTF-8 (a client's metadata):
 * the run behind it still finds what comes after. */
START_TEST(looks_behind_what_a_stage_has_made_unusual)
{
	/* a span: name "\xff", then the attribute token="x" */
	static const uint8_t bytes[64] =
		"\x0a\x17\x12\x15\x12\x13\x2a\x01\xff"
		"\x4a\x0e\x0a\x05token\x12\x05\x0a\x03xyz";
	struct weir_interest *interest = interest_new();
	struct interest_set *set;
	struct notes notes = { 0 };

	weir_interest_key(interest, WEIR_AT_RECORD, WEIR_STR("token"));
	set = interest_compile(&interest, 1);
	ck_assert_int_eq(walk_request(WEIR_SIGNAL_TRACES, bytes, 25, set,
				      &notes).verdict, WALK_UNUSUAL);
	ck_assert(walk_interest(WEIR_SIGNAL_TRACES, bytes, 25, set, &notes));
	ck_assert_uint_eq(notes.n, 3);
	ck_assert(notes.v[2].wanted);
	ck_assert(!walk_interest(WEIR_SIGNAL_TRACES, bytes, 24, set, &notes));
	notes_release(&notes);
	interest_set_free(&set);
	interest_free(&interest);
}
END_TEST

/* An attribute k of three bytes: no string, so no pattern sees them. */
START_TEST(shows_bytes_to_a_scan_only)
{
	static const uint8_t bytes[64] =
		"\x0a\x10\x12\x0e\x12\x0c\x4a\x0a\x0a\x01k\x12\x05\x3a\x03xyz";
	static const struct {
		const char *word;
		uint32_t where;
		bool any_type;
		uint32_t notes;
	} scans[] = {
		{ "y", WEIR_AT_RECORD, false, 3 },
		{ "yx", WEIR_AT_RECORD, false, 0 },
		{ "yx", WEIR_AT_RECORD, true, 3 },
		{ "y", WEIR_AT_RESOURCE | WEIR_AT_EVENT, true, 0 },
	};
	struct weir_error error;
	struct weir_regex *regex = weir_regex_new(WEIR_STR("y"), &error);
	struct notes notes = { 0 };

	for (size_t i = 0; i <= sizeof(scans) / sizeof(*scans); i++) {
		struct weir_interest *interest = interest_new();
		struct interest_set *set;
		uint32_t expected = 0;

		if (i < sizeof(scans) / sizeof(*scans)) {
			weir_interest_value_scan(interest, scans[i].where,
				has_word, scans[i].word, scans[i].any_type);
			expected = scans[i].notes;
		} else {
			weir_interest_value_regex(interest, WEIR_AT_RECORD,
						  regex, false);
		}
		set = interest_compile(&interest, 1);
		ck_assert_int_eq(walk_request(WEIR_SIGNAL_TRACES, bytes, 18,
					      set, &notes).verdict,
				 WALK_CANONICAL);
		ck_assert_uint_eq(notes.n, expected);
		interest_set_free(&set);
		interest_free(&interest);
	}
	notes_release(&notes);
	weir_regex_free(&regex);
}
END_TEST

/* 100,000 empty spans, all wanted: the list is given back two walks later. */
START_TEST(a_huge_list_of_notes_is_not_kept)
{
	enum { SPANS = 100000, LEN = 8 + 2 * SPANS };
	uint8_t *bytes = calloc(1, LEN + 64);
	uint8_t *p = bytes;
	struct weir_interest *interest = interest_new();
	struct interest_set *set;
	struct notes notes = { 0 };

	*p++ = 0x0a;
	p = wire_put_varint(p, 4 + 2 * SPANS);
	*p++ = 0x12;
	p = wire_put_varint(p, 2 * SPANS);
	for (unsigned i = 0; i < SPANS; i++, p += 2)
		*p = 0x12;
	weir_interest_always(interest, WEIR_AT_RECORD);
	set = interest_compile(&interest, 1);
	walk_request(WEIR_SIGNAL_TRACES, bytes, (size_t)(p - bytes), set,
		     &notes);
	ck_assert_uint_eq(notes.n, SPANS + 2);
	for (int i = 0; i < 2; i++)
		walk_request(WEIR_SIGNAL_TRACES, bytes, 0, set, &notes);
	ck_assert_uint_lt(notes.cap, SPANS);
	notes_release(&notes);
	interest_set_free(&set);
	interest_free(&interest);
	free(bytes);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core/interest");
	TCase *tc = tcase_create("interest");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, shows_bytes_to_a_scan_only);
	tcase_add_test(tc, notes_what_a_naive_matcher_finds);
	tcase_add_test(tc, an_empty_interest_is_known_to_be_empty);
	tcase_add_test(tc, decides_key_patterns_beyond_the_cache);
	tcase_add_test(tc, looks_behind_what_a_stage_has_made_unusual);
	tcase_add_test(tc, a_huge_list_of_notes_is_not_kept);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
