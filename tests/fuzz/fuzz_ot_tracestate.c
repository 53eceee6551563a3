/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ot_tracestate: trace states as samplers read them, on any bytes.
 *
 * What was taken is written so that it is taken again and says the same; a
 * changed one fits into its room, holds what was put there and, where it is
 * short enough to be read, says so too.  What is not valid still writes what
 * is.
 */
#include <stdlib.h>
#include <string.h>
#include <weir/kit/tracestate.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool yes)
{
	if (!yes)
		abort();
}

/* A copy that ends where it ends, for the sanitizer to watch. */
static weir_str copy_of(weir_str text)
{
	char *copy = malloc(text.len ? text.len : 1);

	if (text.len)
		memcpy(copy, text.ptr, text.len);
	return (weir_str){ copy, text.len };
}

static void check_same(const struct weir_ot_tracestate *a,
		       const struct weir_ot_tracestate *b)
{
	need(a->rv_len == b->rv_len && a->th_len == b->th_len);
	need(!memcmp(a->rv, b->rv, a->rv_len));
	need(!memcmp(a->th, b->th, a->th_len));
	need(!a->rv_len || a->randomness == b->randomness);
	need(!a->th_len || a->threshold == b->threshold);
}

static size_t count_members(weir_str text)
{
	size_t n = 1;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == ',';
	return n;
}

static void check_again(const struct weir_ot_tracestate *state)
{
	struct weir_ot_tracestate again;
	char out[WEIR_OT_ROOM], twice[WEIR_OT_ROOM];
	weir_str text = weir_ot_write(state, out), second;

	need(text.len <= sizeof(out));
	text = copy_of(text);
	if (text.len <= WEIR_OT_LENGTH) {
		struct weir_tracestate members;

		/* A `ot` of more than 256 bytes is no value any more; and one
		 * that is added to all the members that are read is one too
		 * many, for these samplers, not for W3C. */
		if (!weir_ot_parse(text, &again)) {
			need(state->ot.len > 256 - 36 ||
			     (!state->ot.len &&
			      count_members(text) == WEIR_OT_MEMBERS + 1));
		} else {
			check_same(state, &again);
			second = weir_ot_write(&again, twice);
			need(weir_str_eq(text, second));
		}
		weir_tracestate_parse(text, &members);
	}
	free((char *)(uintptr_t)text.ptr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	weir_str text = copy_of((weir_str){ (const char *)data, size });
	struct weir_ot_tracestate state;
	uint64_t number = 0;
	bool had;

	weir_ot_parse(text, &state);
	check_again(&state);
	memcpy(&number, data, size < 8 ? size : 8);
	number &= WEIR_SAMPLE_NEVER - 1;
	had = state.th_len && state.threshold > number;
	need(weir_ot_raise_threshold(&state, number) == !had);
	weir_ot_set_randomness(&state, number);
	check_again(&state);
	weir_ot_clear_threshold(&state);
	check_again(&state);
	free((char *)(uintptr_t)text.ptr);
	return 0;
}
