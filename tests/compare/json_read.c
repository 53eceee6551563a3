/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read: how Weir reads OTLP/JSON, for json_in.py.
 *
 * Frames on stdin: a letter, four bytes of length (little endian), a request.
 * t, m, l: traces, metrics, logs in JSON; T, M, L: the same in protobuf.  Each
 * is answered by + or -, a length, and the request as protobuf in the one form
 * that equal requests have, or why it was refused.  What comes through here
 * went through the validating walk, as in the receiver.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <weir/kit/otlp_json.h>

#include "../support/otlp_same.h"
#include "data/batch.h"
#include "base/str.h"
#include "data/walk.h"

#define MAX (64u << 20)

static void answer(char verdict, const void *bytes, size_t len)
{
	uint32_t n = (uint32_t)len;

	putchar(verdict);
	fwrite(&n, sizeof(n), 1, stdout);
	fwrite(bytes, 1, len, stdout);
	fflush(stdout);
}

static void say(const char *why)
{
	answer('-', why, strlen(why));
}

static void answer_form(enum weir_signal signal, const uint8_t *ptr, size_t len)
{
	struct otlp_bytes form = otlp_json_form(signal, ptr, len);

	if (form.ptr)
		answer('+', form.ptr, form.len);
	else
		say("the oracle does not take it");
	otlp_bytes_free(&form);
}

/* bytes has PAYLOAD_SLACK behind it. */
static void answer_protobuf(enum weir_signal signal, const uint8_t *bytes,
			    size_t len)
{
	struct walk_result result = walk_request(signal, bytes, len, NULL,
						 NULL);
	struct buf canon = { 0 };

	if (result.verdict == WALK_MALFORMED) {
		say(result.why);
	} else if (result.verdict == WALK_CANONICAL) {
		answer_form(signal, bytes, len);
	} else if (canon_request(signal, bytes, len, &canon)) {
		answer_form(signal, canon.ptr, canon.len);
		buf_release(&canon);
	}
}

static void answer_json(enum weir_signal signal, const uint8_t *text,
			size_t len)
{
	struct weir_outcome refused = { 0 };
	size_t n = 0;
	struct weir_payload *payload = weir_otlp_json_read(NULL, signal, text,
		len, MAX, &n, &refused);

	if (!payload) {
		say(refused.text);
		return;
	}
	answer_protobuf(signal, weir_payload_bytes(payload), n);
	weir_payload_free(&payload);
}

static enum weir_signal signal_of(int letter)
{
	switch (tolower(letter)) {
	case 't':
		return WEIR_SIGNAL_TRACES;
	case 'm':
		return WEIR_SIGNAL_METRICS;
	default:
		return WEIR_SIGNAL_LOGS;
	}
}

int main(void)
{
	int letter;
	uint32_t len;

	while ((letter = getchar()) != EOF) {
		uint8_t *bytes;

		if (fread(&len, sizeof(len), 1, stdin) != 1 || len > MAX)
			return 1;
		bytes = calloc(1, len + PAYLOAD_SLACK);
		if (!bytes || fread(bytes, 1, len, stdin) != len)
			return 1;
		if (isupper(letter))
			answer_protobuf(signal_of(letter), bytes, len);
		else
			answer_json(signal_of(letter), bytes, len);
		free(bytes);
	}
	return 0;
}
