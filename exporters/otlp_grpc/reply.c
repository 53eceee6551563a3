/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.c: what a backend answers, and who it is.
 *
 * The bytes come from a stranger: every length is checked against what is
 * left, unknown fields are passed over, the message's text is cut and cleaned
 * before anybody sees it.  Pure; holds nothing.
 */
#include "otlp_grpc.h"

#include <stdio.h>

struct cursor {
	const uint8_t *p, *end;
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

/* Groups are nothing an OTLP response has: they end the reading. */
static bool next_field(struct cursor *cur, struct field *field)
{
	uint64_t tag, len;

	if (cur->p == cur->end || !read_varint(cur, &tag))
		return false;
	field->number = tag >> 3;
	field->wire_type = tag & 7;
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
		field->bytes.p = cur->p;
		if (!skip(cur, len))
			return false;
		field->bytes.end = cur->p;
		return true;
	default:
		return false;
	}
}

static void read_partial(struct cursor cur, struct weir_outcome *outcome)
{
	struct field field;

	while (next_field(&cur, &field)) {
		if (field.number == 1 && field.wire_type == 0) {
			/* rejected_spans... = 1: int64; below 0 is nonsense */
			outcome->rejected = (int64_t)field.varint < 0
						    ? 0 : field.varint;
		} else if (field.number == 2 && field.wire_type == 2) {
			/* error_message = 2 */
			size_t len = (size_t)(field.bytes.end - field.bytes.p);
			uint64_t rejected = outcome->rejected;

			if (len > sizeof(outcome->text))
				len = sizeof(outcome->text);
			weir_outcome_set(outcome, WEIR_OK, WEIR_REASON_NONE,
					 "%.*s", (int)len,
					 (const char *)field.bytes.p);
			outcome->rejected = rejected;
		}
	}
}

void otlp_partial_success(const uint8_t *reply, size_t len,
			  struct weir_outcome *outcome)
{
	struct cursor cur = { reply, reply + len };
	struct field field;

	if (!len)
		return;
	while (next_field(&cur, &field))
		if (field.number == 1 && field.wire_type == 2)
			read_partial(field.bytes, outcome);
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

void otlp_error_text(struct weir_outcome *outcome)
{
	char name[32], text[sizeof(outcome->text) + 64];

	code_name(outcome->status, name);
	snprintf(text, sizeof(text), "rpc error: code = %s desc = %s", name,
		 outcome->text);
	memcpy(outcome->text, text, sizeof(outcome->text) - 1);
	outcome->text[sizeof(outcome->text) - 1] = '\0';
}

static bool strip(weir_str *text, weir_str prefix)
{
	if (text->len < prefix.len ||
	    memcmp(text->ptr, prefix.ptr, prefix.len))
		return false;
	text->ptr += prefix.len;
	text->len -= prefix.len;
	return true;
}

weir_str otlp_authority(weir_str endpoint)
{
	static const weir_str schemes[] = {
		{ "http://", 7 }, { "https://", 8 }, { "dns:///", 7 },
		{ "dns://", 6 }
	};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strip(&endpoint, schemes[i]))
			break;
	return endpoint;
}

void otlp_host_port(weir_str endpoint, weir_str *host, weir_str *port)
{
	weir_str all = otlp_authority(endpoint);
	size_t colon = all.len;

	*host = all;
	*port = WEIR_STR("");
	while (colon && all.ptr[colon - 1] >= '0' && all.ptr[colon - 1] <= '9')
		colon--;
	if (!colon || colon == all.len || all.ptr[colon - 1] != ':')
		return;
	*port = (weir_str){ all.ptr + colon, all.len - colon };
	host->len = colon - 1;
	if (host->len > 1 && host->ptr[0] == '[' &&
	    host->ptr[host->len - 1] == ']') {
		host->ptr++;
		host->len -= 2;
	}
}
