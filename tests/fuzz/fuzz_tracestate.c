/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tracestate.c: any bytes as a W3C trace state.
 *
 * What is taken is valid when it is looked at slowly, its members lie within
 * the text and in its order, and written down again it reads the same.
 */
#include <stdlib.h>
#include <string.h>

#include <weir/kit/tracestate.h>

#define must(x) do { if (!(x)) abort(); } while (0)

static void check_member(weir_str text, weir_str key, weir_str value)
{
	must(key.len && key.len <= 256 && value.len && value.len <= 256);
	must(key.ptr >= text.ptr && value.ptr > key.ptr + key.len - 1);
	must(value.ptr + value.len <= text.ptr + text.len);
	must(value.ptr[value.len - 1] != ' ');
	for (size_t i = 0; i < key.len; i++)
		must(memchr("abcdefghijklmnopqrstuvwxyz0123456789_-*/@",
			    key.ptr[i], 41));
	for (size_t i = 0; i < value.len; i++)
		must(value.ptr[i] >= ' ' && value.ptr[i] <= '~' &&
		     value.ptr[i] != ',' && value.ptr[i] != '=');
}

static size_t put(char *out, weir_str text, char end)
{
	memcpy(out, text.ptr, text.len);
	out[text.len] = end;
	return text.len + 1;
}

static void check_again(const struct weir_tracestate *state)
{
	static char text[WEIR_TRACESTATE_MAX * 514];
	struct weir_tracestate again;
	size_t len = 0;

	for (size_t i = 0; i < state->n; i++) {
		len += put(text + len, state->members[i].key, '=');
		len += put(text + len, state->members[i].value, ',');
	}
	must(weir_tracestate_parse((weir_str){ text, len }, &again));
	must(again.n == state->n);
	for (size_t i = 0; i < state->n; i++)
		must(weir_str_eq(weir_tracestate_get(&again,
						     state->members[i].key),
				 state->members[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);	/* the sanitizer knows its end */
	weir_str text = { copy, size };
	struct weir_tracestate state;

	memcpy(copy, data, size);
	if (weir_tracestate_parse(text, &state)) {
		must(state.n <= WEIR_TRACESTATE_MAX);
		for (size_t i = 0; i < state.n; i++)
			check_member(text, state.members[i].key,
				     state.members[i].value);
		check_again(&state);
	}
	free(copy);
	return 0;
}
