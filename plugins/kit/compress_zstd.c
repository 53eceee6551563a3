/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress_zstd.c: zstd frames (RFC 8878).
 *
 * A frame may not ask for a window above 8 MiB, whatever the caller's cap
 * (attacks.md 6, RFC 9659), though none is allocated: a message is inflated in
 * one go to where it stays.  Holds nothing between messages.
 */
#include "codec.h"

#include <zstd.h>
#include <zstd_errors.h>

#define MOST_RATIO 32768	/* 128 KiB of a block of four bytes */
#define MOST_WINDOW (8 << 20)
#define SINGLE_SEGMENT 0x20	/* of Frame_Header_Descriptor */
#define LEAST_FRAME 9		/* magic, two of header, one block of none */
#define LEAST_LEVEL 1
#define MOST_LEVEL 11		/* above it memory grows, and little shrinks */

static uint64_t claim(const uint8_t *in, size_t len, bool *binding)
{
	uint64_t n = ZSTD_getFrameContentSize(in, len);

	if (n == ZSTD_CONTENTSIZE_UNKNOWN || n == ZSTD_CONTENTSIZE_ERROR)
		return 0;
	*binding = true;	/* a frame that becomes less is broken */
	return n;
}

/* Window_Descriptor (RFC 8878 3.1.1.1.2): exponent in the upper five bits, an
 * eighth of it in the others.  A frame of a single segment has none: its window
 * is its content, which fits the cap or is refused by what it claims. */
static uint64_t window_of(const uint8_t *frame)
{
	unsigned exponent = 10 + (frame[5] >> 3), mantissa = frame[5] & 7;
	uint64_t base = UINT64_C(1) << exponent;

	if (frame[4] & SINGLE_SEGMENT)
		return 0;
	return base + base / 8 * mantissa;
}

/* Skippable frames carry nothing that we would want to pay for, and those of
 * before RFC 8878, which the library still reads, nobody sends. */
static bool is_frame(const uint8_t *p, size_t len)
{
	return len >= LEAST_FRAME && p[0] == 0x28 && p[1] == 0xb5 &&
	       p[2] == 0x2f && p[3] == 0xfd && window_of(p) <= MOST_WINDOW;
}

static enum verdict inflate_frame(ZSTD_DCtx *d, struct inflation *x,
				  const uint8_t *frame, size_t len)
{
	size_t n = ZSTD_decompressDCtx(d, x->out + x->used, x->room - x->used,
				       frame, len);

	if (!ZSTD_isError(n)) {
		x->used += n;
		return CODEC_DONE;
	}
	return ZSTD_getErrorCode(n) == ZSTD_error_dstSize_tooSmall
		       ? CODEC_SHORT : CODEC_BROKEN;
}

/* One frame after the other, each straight to where it belongs: what is there
 * already is the window, and no other is allocated. */
static enum verdict inflate(struct inflation *x)
{
	struct decoders *decoders = decoders_get();
	const uint8_t *p = x->in, *end = p + x->len;
	enum verdict verdict = CODEC_DONE;

	if (decoders && !decoders->zstd)
		decoders->zstd = ZSTD_createDCtx();
	if (!decoders || !decoders->zstd)
		return CODEC_NO_MEMORY;
	while (p < end && verdict == CODEC_DONE) {
		size_t left = (size_t)(end - p), len = 0;

		if (is_frame(p, left))
			len = ZSTD_findFrameCompressedSize(p, left);
		if (!len || ZSTD_isError(len))
			return CODEC_BROKEN;
		verdict = inflate_frame(decoders->zstd, x, p, len);
		p += len;
	}
	return verdict;
}

static void *open_state(int64_t level)
{
	ZSTD_CCtx *z = ZSTD_createCCtx();

	if (level < LEAST_LEVEL)
		level = LEAST_LEVEL;
	if (level > MOST_LEVEL)
		level = MOST_LEVEL;
	if (z)
		ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, (int)level);
	return z;
}

static void close_state(void *state)
{
	ZSTD_freeCCtx(state);
}

static bool deflate_piece(ZSTD_CCtx *z, const struct weir_iovec *piece,
			  bool last, struct output *out)
{
	ZSTD_inBuffer in = { piece->ptr, piece->len, 0 };
	ZSTD_EndDirective mode = last ? ZSTD_e_end : ZSTD_e_continue;
	size_t left;

	do {
		ZSTD_outBuffer to;

		if (!output_reserve(out, 1))
			return false;
		to = (ZSTD_outBuffer){ out->bytes, out->room, out->len };
		left = ZSTD_compressStream2(z, &to, &in, mode);
		if (ZSTD_isError(left))
			return false;
		out->len = to.pos;
	} while (last ? left != 0 : in.pos < in.size);
	return true;
}

static bool deflate(void *state, const struct source *in, struct output *out)
{
	const struct weir_iovec none = { "", 0 };

	ZSTD_CCtx_reset(state, ZSTD_reset_session_only);
	ZSTD_CCtx_setPledgedSrcSize(state, in->total);
	for (size_t i = 0; i < in->n; i++)
		if (!deflate_piece(state, &in->pieces[i], i == in->n - 1, out))
			return false;
	return in->n || deflate_piece(state, &none, true, out);
}

const struct codec codec_zstd = {
	.name = "zstd",
	.most_ratio = MOST_RATIO,
	.claim = claim,
	.inflate = inflate,
	.open = open_state,
	.close = close_state,
	.deflate = deflate
};
