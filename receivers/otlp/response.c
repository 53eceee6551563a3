/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response.c: what a sender gets when its request was taken.
 *
 *	Export*Response { partial_success = 1: { rejected_* = 1, error_message = 2 } }
 *
 * Full success is an empty message, which the Collector writes in JSON as
 * {"partialSuccess":{}}.  Holds nothing.
 */
#include "otlp.h"

#include <stdio.h>

static size_t put_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

size_t otlp_response_protobuf(uint8_t *out, const struct weir_outcome *outcome)
{
	uint8_t partial[sizeof(outcome->text) + 16];
	size_t n = 0, text = strnlen(outcome->text, sizeof(outcome->text));

	if (!outcome->rejected)
		return 0;
	partial[n++] = 0x08;
	n += put_varint(partial + n, outcome->rejected);
	if (text) {
		partial[n++] = 0x12;
		n += put_varint(partial + n, text);
		memcpy(partial + n, outcome->text, text);
		n += text;
	}
	out[0] = 0x0a;
	size_t head = 1 + put_varint(out + 1, n);
	memcpy(out + head, partial, n);
	return head + n;
}

static const char *const rejected[WEIR_SIGNAL_COUNT] = {
	[WEIR_SIGNAL_TRACES] = "rejectedSpans",
	[WEIR_SIGNAL_METRICS] = "rejectedDataPoints",
	[WEIR_SIGNAL_LOGS] = "rejectedLogRecords",
};

/* The text of an outcome is printable: only two characters matter. */
static size_t put_message(char *out, const struct weir_outcome *outcome)
{
	size_t n = (size_t)sprintf(out, ",\"errorMessage\":\"");

	for (const char *p = outcome->text; *p; p++) {
		if (*p == '"' || *p == '\\')
			out[n++] = '\\';
		out[n++] = *p;
	}
	out[n++] = '"';
	return n;
}

size_t otlp_response_json(char *out, enum weir_signal signal,
			  const struct weir_outcome *outcome)
{
	size_t n = (size_t)sprintf(out, "{\"partialSuccess\":{");

	if (outcome->rejected) {	/* 64 bits are a string in JSON */
		n += (size_t)sprintf(out + n, "\"%s\":\"%llu\"",
				     rejected[signal],
				     (unsigned long long)outcome->rejected);
		if (outcome->text[0])
			n += put_message(out + n, outcome);
	}
	out[n++] = '}';
	out[n++] = '}';
	return n;
}
