/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_json_read.c: an export request in JSON becomes the same in protobuf.
 *
 * One pass over the tokens, led by the rows of otlp_rows.c, straight into the
 * output: no tree, nothing allocated per element.  A member becomes a field
 * where it stands, so what JSON says twice protobuf says twice, and the walk
 * behind makes one of it: the last of scalars, all elements of lists, messages
 * merged, as the Collector has it.  Only what replaces (a value, a oneof) is
 * cut here.  Defaults are left out unless they overrule something.
 *
 * Holds nothing between calls.  Must never recurse deeper than the scanner
 * lets it (WEIR_JSON_DEPTH), show payload in an error, or write what the walk
 * would call malformed, but for depth, of which protobuf allows less.
 */
#include <weir/kit/otlp_json.h>

#include <stdio.h>

#include "otlp_json_read.h"

#define PATH_MAX_LEN 100	/* of a path in an error */
#define KEY_MAX 192		/* an escaped key that may be one of ours */

/* --- Refusing ----------------------------------------------------------- */

static size_t put_step(char *out, size_t room, const struct otlp_step *step)
{
	const struct otlp_row *row = step->row;
	/* rows have names as "name": */
	int name_len = row->name_len - 3;
	int n;

	if (row->rule & OTLP_REPEATED)
		n = snprintf(out, room, "%.*s[%zu].", name_len, row->name + 1,
			     step->index);
	else
		n = snprintf(out, room, "%.*s.", name_len, row->name + 1);
	return (size_t)n;
}

/* "resourceSpans[0].scopeSpans[2].spans[7].kind", or its beginning. */
static void put_path(char out[PATH_MAX_LEN], const struct otlp_step *step)
{
	const struct otlp_step *steps[WEIR_JSON_DEPTH + 1];
	size_t n = 0, len = 0;

	for (; step && n <= WEIR_JSON_DEPTH; step = step->outer)
		steps[n++] = step;
	while (n && len < PATH_MAX_LEN)
		len += put_step(out + len, PATH_MAX_LEN - len, steps[--n]);
	if (len >= PATH_MAX_LEN)
		memcpy(out + PATH_MAX_LEN - 4, "...", 4);
	else if (len)
		out[len - 1] = 0;	/* the last dot */
}

bool otlp_refuse(struct otlp_reading *r, const char *why)
{
	char path[PATH_MAX_LEN] = "the request";

	if (r->json.token == WEIR_JSON_ERROR) {
		weir_outcome_set(r->refused, WEIR_INVALID_ARGUMENT,
				 WEIR_REASON_MALFORMED,
				 "malformed JSON at byte %zu: %s",
				 r->json.start, r->json.why);
		return false;
	}
	put_path(path, r->step);
	weir_outcome_set(r->refused, WEIR_INVALID_ARGUMENT,
			 WEIR_REASON_MALFORMED, "malformed request: %s at byte "
			 "%zu: %s", path, r->json.start, why);
	return false;
}

bool otlp_refuse_room(struct otlp_reading *r)
{
	if (r->out.too_big)
		weir_outcome_set(r->refused, WEIR_RESOURCE_EXHAUSTED,
				 WEIR_REASON_TOO_BIG,
				 "request larger than max (%zu)", r->out.max);
	else
		weir_outcome_set(r->refused, WEIR_UNAVAILABLE,
				 WEIR_REASON_MEMORY,
				 "no memory to read a request");
	return false;
}

/* --- Which row a key is ------------------------------------------------- */

/* Is key the row's name, or that in snake_case? */
static bool is_snake(const struct otlp_row *row, weir_str key)
{
	const char *name = row->name + 1, *end = name + row->name_len - 3;
	size_t i = 0;

	for (; name < end; name++, i++) {
		char c = *name;

		if (c >= 'A' && c <= 'Z') {
			if (i == key.len || key.ptr[i++] != '_')
				return false;
			c |= 32;
		}
		if (i == key.len || key.ptr[i] != c)
			return false;
	}
	return i == key.len;
}

static inline bool is_name(const struct otlp_row *row, weir_str key)
{
	return key.len == (size_t)row->name_len - 3 &&
	       !memcmp(key.ptr, row->name + 1, key.len);
}

/* Keys tend to come in the order of the rows: hint is where to look first. */
static const struct otlp_row *find(const struct otlp_message *message,
				   size_t *hint, weir_str key)
{
	for (size_t i = 0, at = *hint; i < message->n; i++, at++) {
		if (at >= message->n)
			at = 0;
		if (is_name(&message->rows[at], key)) {
			*hint = at + 1;
			return &message->rows[at];
		}
	}
	if (!key.len || !memchr(key.ptr, '_', key.len))
		return NULL;
	for (size_t i = 0; i < message->n; i++)
		if (is_snake(&message->rows[i], key))
			return &message->rows[i];
	return NULL;
}

static const struct otlp_row *row_of(const struct weir_json *json,
				     const struct otlp_message *message,
				     size_t *hint)
{
	char plain[KEY_MAX];
	weir_str key = json->text;

	if (json->escaped) {
		if (key.len > sizeof(plain))
			return NULL;
		key = (weir_str){ plain, weir_json_unescape(key, plain) };
	}
	return find(message, hint, key);
}

/* --- Messages ----------------------------------------------------------- */

/* What one message has had so far. */
struct having {
	uint32_t fields;	/* a bit by number */
	size_t hint;
	/* The message in the place that is taken only once: a oneof's, or
	 * KeyValue's value, or a record's body.  gap 0: none. */
	struct otlp_record taken;
};

static bool read_message(struct otlp_reading *r,
			 const struct otlp_message *message, bool merges);

static const struct otlp_message *message_of(const struct otlp_row *row)
{
	switch ((enum otlp_kind)row->kind) {
	case OTLP_MESSAGE:
		return row->sub;
	case OTLP_ATTRIBUTE:
		return &otlp_key_value;
	case OTLP_VALUE:
		return &otlp_any_value;
	default:
		return NULL;
	}
}

/* The current token as a message with its tag; what it became. */
static bool read_sub(struct otlp_reading *r, const struct otlp_row *row,
		     bool merges, struct otlp_record *record, size_t *len)
{
	struct otlp_out *out = &r->out;
	struct otlp_open open;

	if (!otlp_out_need(out, OTLP_RECORD))
		return otlp_refuse_room(r);
	out->bytes[out->len++] = (uint8_t)otlp_tag(row, 2);
	open = otlp_out_begin(out);
	if (!read_message(r, message_of(row), merges))
		return false;
	*len = otlp_out_end(out, open);
	*record = (struct otlp_record){ open.gap, out->len, out->last };
	return true;
}

/* A singular message. */
static bool read_one(struct otlp_reading *r, const struct otlp_row *row,
		     struct having *having)
{
	bool merges = having->fields >> row->number & 1;
	struct otlp_record record;
	size_t len;

	if (r->json.token == WEIR_JSON_NULL && !(row->rule & OTLP_PRESENT))
		return true;
	if (!read_sub(r, row, merges, &record, &len))
		return false;
	if (!(row->rule & (OTLP_MEMBER | OTLP_REPLACES)))
		return true;
	/* An empty value merges, which changes nothing. */
	if (having->taken.gap && !len && !(row->rule & OTLP_MEMBER))
		return true;
	if (having->taken.gap)
		otlp_out_cut(&r->out, &having->taken);
	having->taken = record;
	return true;
}

static bool read_packed(struct otlp_reading *r, const struct otlp_row *row,
			struct otlp_step *step)
{
	struct otlp_out *out = &r->out;
	struct otlp_open open;

	if (weir_json_next(&r->json) == WEIR_JSON_ARRAY_END)
		return true;
	if (!otlp_out_need(out, OTLP_RECORD))
		return otlp_refuse_room(r);
	out->bytes[out->len++] = (uint8_t)otlp_tag(row, 2);
	open = otlp_out_begin(out);
	for (; r->json.token != WEIR_JSON_ARRAY_END; step->index++) {
		if (!otlp_read_element(r, row))
			return false;
		weir_json_next(&r->json);
	}
	otlp_out_end(out, open);
	return true;
}

static bool read_list(struct otlp_reading *r, const struct otlp_row *row,
		      struct otlp_step *step)
{
	struct otlp_record record;
	size_t len;

	if (r->json.token == WEIR_JSON_NULL)
		return true;
	if (r->json.token != WEIR_JSON_ARRAY)
		return otlp_refuse(r, "a list is expected");
	if (!(row->rule & OTLP_REPEATED))
		return read_packed(r, row, step);
	for (;; step->index++) {
		if (row->kind == OTLP_ATTRIBUTE) {
			size_t n = otlp_read_attributes(r, row);

			if (n == SIZE_MAX)
				return false;
			step->index += n;
		}
		if (weir_json_next(&r->json) == WEIR_JSON_ARRAY_END)
			return true;
		if (!(row->kind == OTLP_TEXT ? otlp_read_scalar(r, row, true) :
		      read_sub(r, row, false, &record, &len)))
			return false;
	}
}

static bool is_packed(const struct otlp_row *row)
{
	return row->kind == OTLP_BUCKETS || row->kind == OTLP_COUNTS ||
	       row->kind == OTLP_BOUNDS;
}

static bool read_field(struct otlp_reading *r, const struct otlp_row *row,
		       struct having *having)
{
	struct otlp_step step = { r->step, row, 0 };
	uint32_t bit = UINT32_C(1) << row->number;
	bool keep = having->fields & bit || row->rule & OTLP_PRESENT, ok;

	r->step = &step;
	weir_json_next(&r->json);
	if (row->rule & OTLP_REPEATED || is_packed(row)) {
		ok = read_list(r, row, &step);
	} else if (message_of(row)) {
		ok = read_one(r, row, having);
	} else {
		ok = otlp_read_scalar(r, row, keep);
		if (ok && row->rule & OTLP_MEMBER && having->taken.gap) {
			otlp_out_cut(&r->out, &having->taken);
			having->taken.gap = 0;
		}
	}
	having->fields |= bit;
	r->step = step.outer;
	return ok;
}

/* Its members, without a tag; null is an empty one.  merges: there is one
 * already, whose members these overrule, with their defaults too. */
static bool read_message(struct otlp_reading *r,
			 const struct otlp_message *message, bool merges)
{
	struct weir_json *json = &r->json;
	struct having having = { .fields = merges ? UINT32_MAX : 0 };
	const struct otlp_row *row;

	if (json->token == WEIR_JSON_NULL)
		return true;
	if (json->token != WEIR_JSON_OBJECT)
		return otlp_refuse(r, "an object is expected");
	while (weir_json_next(json) == WEIR_JSON_KEY) {
		row = row_of(json, message, &having.hint);
		if (!row && !weir_json_skip(json))
			break;
		if (row && !read_field(r, row, &having))
			return false;
	}
	return json->token == WEIR_JSON_OBJECT_END || otlp_refuse(r, "");
}

/* --- Requests ----------------------------------------------------------- */

static bool read_request(struct otlp_reading *r, enum weir_signal signal)
{
	weir_json_next(&r->json);
	if (!read_message(r, otlp_requests[signal].whole, false))
		return false;
	if (weir_json_next(&r->json) != WEIR_JSON_END)
		return otlp_refuse(r, "");
	return otlp_out_finish(&r->out) || otlp_refuse_room(r);
}

struct weir_payload *weir_otlp_json_read(struct weir_component *c,
	enum weir_signal signal, const uint8_t *in, size_t len, size_t max,
	size_t *out, struct weir_outcome *refused)
{
	struct otlp_reading r = { .refused = refused };

	/* Protobuf is the shorter, but for lists of small numbers. */
	if (!otlp_out_open(&r.out, c, len, max)) {
		otlp_refuse_room(&r);
		return NULL;
	}
	r.in = (weir_str){ (const char *)in, len };
	weir_json_open(&r.json, r.in);
	if (!read_request(&r, signal)) {
		otlp_out_drop(&r.out);
		return NULL;
	}
	*out = r.out.len;
	return r.out.payload;
}
