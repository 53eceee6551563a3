/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_walk: any bytes as a request of any signal.
 *
 * What is not malformed has a canonical form that walks as canonical, has as
 * many items at most (a oneof may lose some), is what protobuf-c takes, and is
 * its own canonical form.  Noise behind the end decides nothing, and looking
 * for something changes no verdict.  The first byte chooses the signal.
 */
#include <stdlib.h>
#include <string.h>

#include "data/interest.h"
#include "../support/otlp_gen.h"
#include "base/str.h"
#include "data/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct interest_set *everything(void)
{
	struct weir_interest *interest = interest_new();
	struct interest_set *set;

	weir_interest_key(interest, WEIR_AT_ALL, WEIR_STR("k"));
	weir_interest_key(interest, WEIR_AT_RECORD, WEIR_STR("api_key"));
	weir_interest_always(interest, WEIR_AT_RESOURCE | WEIR_AT_SCOPE |
					       WEIR_AT_EXEMPLAR);
	set = interest_compile(&interest, 1);
	interest_free(&interest);
	return set;
}

static void check_notes(const struct notes *notes, size_t len)
{
	for (uint32_t i = 0; i < notes->n; i++) {
		const struct note *note = &notes->v[i];

		if (note->offset > len || note->len > len - note->offset)
			abort();
		if (note->parent != NOTE_NONE && note->parent >= i)
			abort();
	}
}

static void check_canonical(enum weir_signal signal, const struct buf *out,
			    uint32_t items)
{
	struct otlp_bytes clean = otlp_bytes_copy(out->ptr, out->len, 5);
	struct walk_result r = walk_request(signal, clean.ptr, clean.len, NULL,
					    NULL);
	struct otlp_bytes oracle = otlp_repacked(signal, clean.ptr, clean.len);
	struct buf again = { 0 };

	if (r.verdict != WALK_CANONICAL || r.items > items || !oracle.ptr)
		abort();
	if (!canon_request(signal, clean.ptr, clean.len, &again) ||
	    again.len != out->len || memcmp(again.ptr, out->ptr, out->len))
		abort();
	buf_release(&again);
	otlp_bytes_free(&oracle);
	otlp_bytes_free(&clean);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct interest_set *set;
	enum weir_signal signal;
	struct otlp_bytes one, two;
	struct notes notes = { 0 };
	struct walk_result r, q;
	struct buf out = { 0 };

	if (!size)
		return 0;
	if (!set)
		set = everything();
	signal = (enum weir_signal)(data[0] % WEIR_SIGNAL_COUNT);
	one = otlp_bytes_copy(data + 1, size - 1, 1);
	two = otlp_bytes_copy(data + 1, size - 1, 2);
	r = walk_request(signal, one.ptr, one.len, NULL, NULL);
	q = walk_request(signal, two.ptr, two.len, set, &notes);
	if (r.verdict != q.verdict || r.items != q.items || r.why != q.why ||
	    r.invalid_utf8 != q.invalid_utf8 || r.elements != q.elements)
		abort();
	if (r.verdict == WALK_CANONICAL)
		check_notes(&notes, one.len);
	if (r.verdict != WALK_MALFORMED) {
		if (!canon_request(signal, one.ptr, one.len, &out))
			abort();
		check_canonical(signal, &out, r.items);
	}
	buf_release(&out);
	notes_release(&notes);
	otlp_bytes_free(&one);
	otlp_bytes_free(&two);
	return 0;
}
