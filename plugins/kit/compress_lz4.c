/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress_lz4.c: lz4 frames.
 *
 * Header, block and content checksums are the library's work; here are the
 * things that it would let pass: a dictionary, skippable frames, a size that
 * does not fit.  Holds nothing between messages.
 */
#include "codec.h"
#include "codecs/codecs.h"

#include <weir/plugin.h>

#define MOST_RATIO 255		/* no block does better */
#define LEAST_HEADER 7
#define STEP 65536		/* packed at a time */
#define WINDOWS (160 << 10)	/* 64 KiB twice, and the decoder itself */

/* magic, then FLG: version 01 in bits 7 and 6, content size in 3, dictionary
 * id in 0 */
static bool is_frame(const uint8_t *p, size_t len)
{
	return len >= LEAST_HEADER && p[0] == 0x04 && p[1] == 0x22 &&
	       p[2] == 0x4d && p[3] == 0x18 && p[4] >> 6 == 1 && !(p[4] & 1);
}

static uint64_t claim(const uint8_t *in, size_t len, bool *binding)
{
	uint64_t n = 0;

	if (!is_frame(in, len) || !(in[4] & 8) || len < LEAST_HEADER + 8)
		return 0;
	for (int i = 7; i >= 0; i--)
		n = n << 8 | in[6 + i];
	*binding = true;	/* the library compares it at the end */
	return n;
}

/* Bytes that the library allocates for a frame: a block as sent and one as it
 * becomes, with what blocks that refer back look at.  BD, behind FLG, has the
 * size of a block in bits 6 to 4: 64 KiB, times four for each. */
static size_t buffers_of(const uint8_t *frame)
{
	unsigned size = frame[5] >> 4 & 7;

	if (size < 4)
		return 0;		/* refused by the library */
	return ((size_t)2 << (8 + 2 * size)) + WINDOWS;
}

/* Has the budget pay for the buffers of the frame; they are kept from frame to
 * frame unless they are too small. */
static bool charge(struct inflation *x, const uint8_t *frame)
{
	size_t need = buffers_of(frame);

	if (need <= x->charged)
		return true;
	if (!weir_budget_take(need - x->charged))
		return false;
	x->charged = need;
	return true;
}

/* All frames of x by decoder d. */
static enum verdict unpack(const struct weircodecs *lib, LZ4F_dctx *d,
			   struct inflation *x)
{
	/* What was written is not kept elsewhere: it does not move. */
	const LZ4F_decompressOptions_t stable = { .stableDst = 1 };
	size_t at = 0, left = 0;

	while (at < x->len) {
		size_t in = x->len - at, out = x->room - x->used;

		if (!left && !is_frame(x->in + at, in))
			return CODEC_BROKEN;
		if (!left && !charge(x, x->in + at))
			return CODEC_NO_MEMORY;
		left = lib->lz4_decompress(d, x->out + x->used, &out,
					   x->in + at, &in, &stable);
		if (lib->lz4_failed(left))
			return CODEC_BROKEN;
		at += in;
		x->used += out;
		if (!in && !out)
			break;		/* wants more of one or the other */
	}
	if (!left && at == x->len)
		return CODEC_DONE;
	return x->used == x->room ? CODEC_SHORT : CODEC_BROKEN;
}

/* The decoder keeps up to 8 MiB for the blocks of a frame, so it goes with
 * the message. */
static enum verdict inflate(struct inflation *x)
{
	const struct weircodecs *lib = codecs_open(NULL);
	LZ4F_dctx *d;
	enum verdict verdict;

	if (lib->lz4_failed(lib->lz4_new_decoder(&d, LZ4F_VERSION)))
		return CODEC_NO_MEMORY;
	verdict = unpack(lib, d, x);
	lib->lz4_free_decoder(d);
	weir_budget_give(x->charged);
	x->charged = 0;
	return verdict;
}

/* --- Out ------------------------------------------------------------------ */

static void *open_state(int64_t level)
{
	const struct weircodecs *lib = codecs_open(NULL);
	LZ4F_cctx *z;

	(void)level;
	if (lib->lz4_failed(lib->lz4_new_encoder(&z, LZ4F_VERSION)))
		return NULL;
	return z;
}

static void close_state(void *state)
{
	codecs_open(NULL)->lz4_free_encoder(state);
}

/* Takes what a call of the library has written; false: it failed. */
static bool wrote(const struct weircodecs *lib, struct output *out, size_t n)
{
	if (lib->lz4_failed(n))
		return false;
	out->len += n;
	return true;
}

static bool add_piece(const struct weircodecs *lib, LZ4F_cctx *z,
		      const struct weir_iovec *piece, size_t bound,
		      struct output *out)
{
	const uint8_t *p = piece->ptr;
	size_t n;

	for (size_t left = piece->len; left; left -= n, p += n) {
		n = left < STEP ? left : STEP;
		if (!output_reserve(out, bound) ||
		    !wrote(lib, out,
			   lib->lz4_update(z, out->bytes + out->len,
					   out->room - out->len, p, n, NULL)))
			return false;
	}
	return true;
}

static bool deflate(void *state, const struct source *in, struct output *out)
{
	const struct weircodecs *lib = codecs_open(NULL);
	const LZ4F_preferences_t how = {
		.frameInfo = {
			.contentSize = in->total,
			.contentChecksumFlag = LZ4F_contentChecksumEnabled
		}
	};
	size_t bound = lib->lz4_bound(STEP, &how);

	if (!output_reserve(out, LZ4F_HEADER_SIZE_MAX) ||
	    !wrote(lib, out, lib->lz4_begin(state, out->bytes + out->len,
				       out->room - out->len, &how)))
		return false;
	for (size_t i = 0; i < in->n; i++)
		if (!add_piece(lib, state, &in->pieces[i], bound, out))
			return false;
	return output_reserve(out, bound) &&
	       wrote(lib, out, lib->lz4_end(state, out->bytes + out->len,
				       out->room - out->len, NULL));
}

const struct codec codec_lz4 = {
	.name = "lz4",
	.most_ratio = MOST_RATIO,
	.claim = claim,
	.inflate = inflate,
	.open = open_state,
	.close = close_state,
	.deflate = deflate
};
