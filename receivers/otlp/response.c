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

#include <assert.h>
#include <weir/kit/text.h>

size_t otlp_response_protobuf(uint8_t out[OTLP_RESPONSE],
			      const struct weir_outcome *outcome)
{
	char bytes[sizeof(outcome->text) + 16];
	struct weir_put partial = WEIR_PUT(bytes);
	struct weir_put all = { .ptr = (char *)out, .room = OTLP_RESPONSE };

	if (!outcome->rejected)
		return 0;
	weir_puts(&partial, "\x08");
	weir_put_varint(&partial, outcome->rejected);
	if (outcome->text[0]) {
		weir_puts(&partial, "\x12");
		weir_put_varint(&partial, strlen(outcome->text));
		weir_puts(&partial, outcome->text);
	}
	weir_puts(&all, "\x0a");
	weir_put_varint(&all, partial.len);
	weir_put(&all, (weir_str){ bytes, partial.len });
	assert(!partial.full && !all.full);
	return all.len;
}

static const char *const rejected[WEIR_SIGNAL_COUNT] = {
	[WEIR_SIGNAL_TRACES] = "rejectedSpans",
	[WEIR_SIGNAL_METRICS] = "rejectedDataPoints",
	[WEIR_SIGNAL_LOGS] = "rejectedLogRecords",
};

size_t otlp_response_json(char out[OTLP_RESPONSE], enum weir_signal signal,
			  const struct weir_outcome *outcome)
{
	struct weir_put all = { .ptr = out, .room = OTLP_RESPONSE };

	weir_puts(&all, "{\"partialSuccess\":{");
	if (outcome->rejected) {	/* 64 bits are a string in JSON */
		weir_put_json(&all, rejected[signal]);
		weir_puts(&all, ":\"");
		weir_put_number(&all, outcome->rejected);
		weir_puts(&all, "\"");
		if (outcome->text[0]) {
			weir_puts(&all, ",\"errorMessage\":");
			weir_put_json(&all, outcome->text);
		}
	}
	weir_puts(&all, "}}");
	assert(!all.full);
	return all.len;
}
