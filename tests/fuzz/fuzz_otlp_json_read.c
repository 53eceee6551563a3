/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_otlp_json_read: OTLP/JSON in, on any bytes.
 *
 * What is read passes the walk, but for its depth, and is canonical or can be
 * made so; no cap is passed; the fast way for attributes reads what the slow
 * one does, which is taken when blanks stand between the tokens.  The first
 * byte chooses the signal.
 */
#include <stdlib.h>
#include <string.h>
#include <weir/json.h>
#include <weir/kit/otlp_json.h>

#include "data/batch.h"
#include "base/str.h"
#include "data/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool yes)
{
	if (!yes)
		abort();
}

static struct weir_payload *read_text(enum weir_signal signal, weir_str text,
				      size_t max, size_t *len,
				      struct weir_outcome *refused)
{
	*len = 0;
	return weir_otlp_json_read(NULL, signal, (const uint8_t *)text.ptr,
				   text.len, max, len, refused);
}

static void check_protobuf(enum weir_signal signal, const uint8_t *bytes,
			   size_t len)
{
	struct walk_result result = walk_request(signal, bytes, len, NULL,
						 NULL);
	struct buf canon = { 0 };

	if (result.verdict == WALK_MALFORMED)
		need(!strcmp(result.why, "nested too deep"));
	if (result.verdict != WALK_UNUSUAL)
		return;
	need(canon_request(signal, bytes, len, &canon));
	need(buf_reserve(&canon, PAYLOAD_SLACK));
	result = walk_request(signal, (const uint8_t *)canon.ptr, canon.len,
			      NULL, NULL);
	need(result.verdict == WALK_CANONICAL);
	buf_release(&canon);
}

/* The tokens with a blank in front of each. */
static struct weir_text spaced(weir_str text)
{
	struct weir_text out = { 0 };
	struct weir_json json;
	size_t end = 0;

	weir_json_open(&json, text);
	while (weir_json_next(&json) > WEIR_JSON_END) {
		weir_text_add(&out, (weir_str){ text.ptr + end,
						json.start - end });
		weir_text_add(&out, WEIR_STR(" "));
		weir_text_add(&out, (weir_str){ text.ptr + json.start,
						json.end - json.start });
		end = json.end;
	}
	weir_text_add(&out, (weir_str){ text.ptr + end, text.len - end });
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_payload *payload, *slow;
	struct weir_outcome refused = { 0 };
	enum weir_signal signal;
	struct weir_text text;
	size_t len, n;
	weir_str in;

	if (!size)
		return 0;
	signal = (enum weir_signal)(data[0] % WEIR_SIGNAL_COUNT);
	in = (weir_str){ (const char *)data + 1, size - 1 };
	payload = read_text(signal, in, 1 << 24, &len, &refused);
	text = spaced(in);
	slow = read_text(signal, (weir_str){ text.ptr, text.len }, 1 << 24, &n,
			 &refused);
	need(!payload == !slow);
	if (payload) {
		need(n == len && !memcmp(weir_payload_bytes(payload),
					 weir_payload_bytes(slow), n));
		check_protobuf(signal, weir_payload_bytes(payload), len);
		weir_payload_free(&payload);
		payload = read_text(signal, in, len ? len - 1 : 0, &n,
				    &refused);
		need(!payload == (len > 0));
	} else {
		need(refused.status == WEIR_INVALID_ARGUMENT);
	}
	if (payload)
		weir_payload_free(&payload);
	if (slow)
		weir_payload_free(&slow);
	weir_text_release(&text);
	return 0;
}
