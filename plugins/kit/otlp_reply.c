/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_reply.c: what an OTLP backend answers (weir/kit/otlp_reply.h).
 * Pure; holds nothing.
 */
#include <stdio.h>
#include <weir/kit/otlp_reply.h>

struct cursor {
	const uint8_t *p, *end;
	bool broken;		/* it stopped before the end */
};

struct field {
	uint64_t number;
	unsigned wire_type;
	uint64_t varint;	/* wire type 0 */
	struct cursor bytes;	/* wire type 2 */
};

static bool read_varint(struct cursor *cur, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; shift < 70 && cur->p < cur->end; shift += 7) {
		uint8_t byte = *cur->p++;

		if (shift < 64)
			*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool skip(struct cursor *cur, uint64_t n)
{
	if (n > (uint64_t)(cur->end - cur->p))
		return false;
	cur->p += n;
	return true;
}

static bool read_value(struct cursor *cur, struct field *field)
{
	uint64_t len;

	switch (field->wire_type) {
	case 0:
		return read_varint(cur, &field->varint);
	case 1:
		return skip(cur, 8);
	case 5:
		return skip(cur, 4);
	case 2:
		if (!read_varint(cur, &len))
			return false;
		field->bytes = (struct cursor){ .p = cur->p };
		if (!skip(cur, len))
			return false;
		field->bytes.end = cur->p;
		return true;
	default:	/* groups are nothing that an OTLP response has */
		return false;
	}
}

static bool next_field(struct cursor *cur, struct field *field)
{
	uint64_t tag;

	if (cur->p == cur->end || cur->broken)
		return false;
	cur->broken = true;
	if (!read_varint(cur, &tag) || tag >> 3 == 0)
		return false;
	field->number = tag >> 3;
	field->wire_type = tag & 7;
	cur->broken = !read_value(cur, field);
	return !cur->broken;
}

static size_t length_of(const struct cursor *cur)
{
	return (size_t)(cur->end - cur->p);
}

static bool read_partial(struct cursor cur, struct weir_outcome *outcome)
{
	struct field field;

	while (next_field(&cur, &field)) {
		if (field.number == 1 && field.wire_type == 0) {
			/* rejected_spans... = 1: int64; below 0 is nonsense */
			outcome->rejected = (int64_t)field.varint < 0
						    ? 0 : field.varint;
		} else if (field.number == 2 && field.wire_type == 2) {
			/* error_message = 2 */
			size_t len = length_of(&field.bytes);
			uint64_t rejected = outcome->rejected;

			if (len > sizeof(outcome->text))
				len = sizeof(outcome->text);
			weir_outcome_set(outcome, WEIR_OK, WEIR_REASON_NONE,
					 "%.*s", (int)len,
					 (const char *)field.bytes.p);
			outcome->rejected = rejected;
		}
	}
	return !cur.broken;
}

bool weir_otlp_partial_success(const uint8_t *reply, size_t len,
			       struct weir_outcome *outcome)
{
	struct cursor cur = { reply, len ? reply + len : reply, false };
	struct field field;
	bool whole = true;

	while (next_field(&cur, &field))	/* partial_success = 1 */
		if (field.number == 1 && field.wire_type == 2)
			whole &= read_partial(field.bytes, outcome);
	return whole && !cur.broken;
}

/* google.protobuf.Any.type_url = 1 */
static bool add_type(struct cursor any, char *details, size_t room)
{
	size_t used = strlen(details);
	struct field field;

	while (next_field(&any, &field))
		if (field.number == 1 && field.wire_type == 2 &&
		    used + 1 < room)
			snprintf(details + used, room - used, "%s%.*s",
				 used ? " " : "",
				 (int)(length_of(&field.bytes) < 128
					       ? length_of(&field.bytes) : 128),
				 (const char *)field.bytes.p);
	return !any.broken;
}

bool weir_otlp_status(const uint8_t *reply, size_t len, weir_str *message,
		      char *details, size_t room)
{
	struct cursor cur = { reply, len ? reply + len : reply, false };
	struct field field;
	bool whole = true;

	*message = WEIR_STR("");
	details[0] = '\0';
	while (next_field(&cur, &field)) {
		if (field.number == 2 && field.wire_type == 2)
			*message = (weir_str){ (const char *)field.bytes.p,
					       length_of(&field.bytes) };
		else if (field.number == 3 && field.wire_type == 2)
			whole &= add_type(field.bytes, details, room);
		else if (field.number <= 3 &&
			 !(field.number == 1 && field.wire_type == 0))
			return false;	/* code = 1: int32; 0 is no field */
	}
	return whole && !cur.broken;
}

/* "DEADLINE_EXCEEDED" as gRPC's Go library writes it: "DeadlineExceeded". */
static void code_name(enum weir_status status, char out[32])
{
	const char *name = weir_status_name(status);
	bool upper = true;
	size_t n = 0;

	if (status == WEIR_CANCELLED)
		name = "CANCELED";
	for (; *name && n < 31; name++) {
		if (*name == '_') {
			upper = true;
			continue;
		}
		out[n++] = upper ? *name : (char)(*name - 'A' + 'a');
		upper = false;
	}
	out[n] = '\0';
}

void weir_otlp_error_text(struct weir_outcome *outcome, enum weir_status code)
{
	char name[32], text[sizeof(outcome->text) + 64];

	code_name(code, name);
	snprintf(text, sizeof(text), "rpc error: code = %s desc = %s", name,
		 outcome->text);
	memcpy(outcome->text, text, sizeof(outcome->text) - 1);
	outcome->text[sizeof(outcome->text) - 1] = '\0';
}
