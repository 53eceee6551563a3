/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json_redact: JSON in a string, redacted inside, on any text.
 *
 * What was JSON is JSON afterwards and has the same shape, but for what went;
 * what was none is refused; a secret does not survive, neither as a value nor
 * under a blocked key, in whatever escapes; with nothing to find nothing
 * changes; bytes that were not hit stay (a text with the hits masked by hand
 * must come out); cutting leaves JSON.
 *
 * The first byte chooses the rules.  The plugin's files are read in here,
 * because their functions are the plugin's own.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../processors/redaction/content.c"
#include "../../processors/redaction/cut.c"
#define keep redact_keep
#define frame redact_frame
#define is_string redact_is_string
#include "../../processors/redaction/structured.c"
#include "../../processors/redaction/structured_content.c"
#undef frame
#include "../../processors/redaction/rules.c"
#include "../../processors/redaction/mask.c"

#define SECRET "SECRET"
#define BLOCKED "blocked"

/* The detectors have a target of their own; none is on here. */
bool detect_any(const struct detectors *d, weir_str text)
{
	(void)d;
	(void)text;
	return false;
}

bool detect_name(const struct detectors *d, weir_str name)
{
	(void)d;
	(void)name;
	return false;
}

void detect_start(struct detect_walk *walk, const struct detectors *d,
		  weir_str text)
{
	(void)walk;
	(void)d;
	(void)text;
}

bool detect_next(struct detect_walk *walk, size_t from, struct detected *hit)
{
	(void)walk;
	(void)from;
	(void)hit;
	return false;
}

/* Nor is what looks before a pattern does: every one comes near. */
bool prefilter_near(const struct prefilter *f, weir_str text,
		    struct near *near)
{
	(void)f;
	(void)text;
	memset(near, 0xff, sizeof(*near));
	return true;
}

bool prefilter_match(const struct prefilter *f, weir_str text)
{
	(void)f;
	(void)text;
	return true;
}

void prefilter_release(struct prefilter *f)
{
	(void)f;
}

/* With values and keys; with neither; with those and content. */
static struct rules rules[3];
static struct work work[3];		/* it remembers keys: one for each */
static struct structure *memory, *again;

static void set_up(void)
{
	static weir_str value = { SECRET, sizeof(SECRET) - 1 };
	static weir_str key = { "^" BLOCKED "$", sizeof(BLOCKED) + 1 };
	static struct content_rule content[] = {
		{ .key = { "drop", 4 }, .action = CONTENT_DROP },
		{ .key = { "mask", 4 }, .action = CONTENT_MASK },
		{ .key = { "cut", 3 }, .action = CONTENT_TRUNCATE,
		  .max_length = 16 },
		{ .key = { "c", 1 }, .action = CONTENT_TRUNCATE,
		  .max_length = 1 },
	};
	struct weir_error error;

	for (unsigned i = 0; i < 3; i++)
		rules[i].allow_all_keys = true;
	for (unsigned i = 0; i < 3; i += 2) {
		assert(!patterns_init(&rules[i].blocked_values,
				      (struct weir_strs){ &value, 1 },
				      &error));
		assert(!patterns_init(&rules[i].blocked_keys,
				      (struct weir_strs){ &key, 1 },
				      &error));
	}
	rules[2].contents = (struct contents){ 4, content, false };
}

/* Without what may be in front of JSON. */
static weir_str behind_front(weir_str text)
{
	size_t front = json_front(text);

	return (weir_str){ text.ptr + front, text.len - front };
}

static bool is_json(weir_str text)
{
	struct weir_json json;

	weir_json_open(&json, behind_front(text));
	while (weir_json_next(&json) > WEIR_JSON_END)
		;
	return json.token == WEIR_JSON_END;
}

static weir_str unescape(weir_str text, struct weir_text *out)
{
	weir_text_clear(out);
	weir_text_add(out, text);
	if (text.len)
		out->len = weir_json_unescape(text, out->ptr);
	return (weir_str){ out->len ? out->ptr : "", out->len };
}

static bool has_secret(weir_str text)
{
	return text.len && memmem(text.ptr, text.len, SECRET,
				  sizeof(SECRET) - 1);
}

/* No string holds a secret, no blocked key anything but stars; nor does JSON
 * in one of its strings. */
static void check_clean(weir_str text, bool masks)
{
	struct weir_text plain = { 0 };
	struct weir_json json;
	bool blocked = false;

	weir_json_open(&json, behind_front(text));
	while (weir_json_next(&json) > WEIR_JSON_END) {
		weir_str inner;

		if (blocked)
			assert(masks && json.token == WEIR_JSON_STRING);
		blocked = false;
		if (json.token != WEIR_JSON_KEY &&
		    json.token != WEIR_JSON_STRING)
			continue;
		inner = unescape(json.text, &plain);
		assert(!has_secret(inner));
		if (json.token == WEIR_JSON_KEY)
			blocked = weir_str_eq(inner, WEIR_STR(BLOCKED));
		else if (holds_json(inner)) {
			assert(is_json(inner));
			check_clean(inner, masks);
		}
	}
	weir_text_release(&plain);
}

/* The same tokens in the same order, each byte for byte or masked: what is
 * between them has not moved either.  For masking, which removes nothing. */
static void check_rest(weir_str before, weir_str after)
{
	struct weir_json a, b;
	size_t end_a = 0, end_b = 0;

	assert(json_front(before) == json_front(after));
	before = behind_front(before);
	after = behind_front(after);
	weir_json_open(&a, before);
	weir_json_open(&b, after);
	for (;;) {
		weir_json_next(&a);
		weir_json_next(&b);
		assert(a.start - end_a == b.start - end_b);
		assert(!memcmp(before.ptr + end_a, after.ptr + end_b,
			       a.start - end_a));
		if (b.token == WEIR_JSON_END)
			break;
		if (a.token != b.token || !weir_str_eq(a.text, b.text)) {
			/* hit: a string stands there now */
			assert(b.token == WEIR_JSON_STRING ||
			       b.token == WEIR_JSON_KEY);
			if (a.token != WEIR_JSON_KEY)
				weir_json_skip(&a);
		}
		end_a = a.end;
		end_b = b.end;
	}
	assert(a.token == WEIR_JSON_END);
}

static uint64_t removed(const struct structured_rules *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < STRUCTURED_KINDS; i++)
		n += s->removed[i];
	return n;
}

static void check_redaction(weir_str text, unsigned how)
{
	unsigned with = how & 4 ? 2 : how & 1;
	struct structured_rules s = { .rules = &rules[with],
				      .work = &work[with],
				      .delete_blocked = how & 2 };
	weir_str out = text, out2;
	enum structured made = structured_redact(&s, &memory, text, &out);

	/* JSON in a string that is the whole text may be none */
	assert(made > STRUCTURED_CHANGED || is_json(text));
	if (made > STRUCTURED_CHANGED) {
		assert(!begins_as_json(text) || !is_json(text));
		return;
	}
	if (with == 1)		/* nothing to find */
		assert(made == STRUCTURED_SAME || removed(&s));
	assert(is_json(out));
	if (with != 1)
		check_clean(out, !(how & 2));
	if (with == 2)
		return;
	if (!(how & 2) && !removed(&s))
		check_rest(text, out);
	/* what is clean stays as it is */
	s = (struct structured_rules){ .rules = s.rules, .work = &work[with],
				       .delete_blocked = how & 2 };
	if (how & 2)
		assert(structured_redact(&s, &again, out, &out2) ==
		       STRUCTURED_SAME);
	else if (structured_redact(&s, &again, out, &out2) !=
		 STRUCTURED_SAME)
		assert(weir_str_eq(out, out2));	/* stars for stars */
}

static void check_cut(weir_str text, size_t max)
{
	struct weir_text out = { 0 };
	weir_str cut;

	if (text.len <= max)
		return;
	cut_text(text, max, &out);
	cut = (weir_str){ out.len ? out.ptr : "", out.len };
	assert(cut.len <= max);
	if (max >= 2 && begins_as_json(text) && is_json(text) &&
	    begins_as_json(cut))
		assert(is_json(cut));
	if (weir_json_utf8_ok(text))
		assert(weir_json_utf8_ok(cut));
	weir_text_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	weir_str text;
	char *copy;

	if (!size)
		return 0;
	if (!rules[0].allow_all_keys)
		set_up();
	copy = malloc(size);		/* its end is the reader's */
	memcpy(copy, data + 1, size - 1);
	text = (weir_str){ copy, size - 1 };
	if (holds_json(text))
		check_redaction(text, data[0] & 7);
	check_cut(text, data[0] >> 2);
	free(copy);
	return 0;
}
