/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress_zstd.c: zstd frames (RFC 8878).
 *
 * The window is bounded by the caller's cap, so a frame cannot ask for more
 * memory than the message may have (attacks.md 6).  Holds nothing between
 * messages.
 */
#include "codec.h"

#include <zstd.h>

#define MOST_RATIO 32768	/* 128 KiB of a block of four bytes */
#define LEAST_WINDOW_LOG 23	/* 8 MiB */
#define MOST_WINDOW_LOG 30
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

static ZSTD_DCtx *decoder(size_t max)
{
	struct decoders *decoders = decoders_get();
	int log = LEAST_WINDOW_LOG;

	if (!decoders)
		return NULL;
	if (!decoders->zstd)
		decoders->zstd = ZSTD_createDCtx();
	if (!decoders->zstd)
		return NULL;
	while (log < MOST_WINDOW_LOG && (size_t)1 << log < max)
		log++;
	ZSTD_DCtx_reset(decoders->zstd, ZSTD_reset_session_only);
	ZSTD_DCtx_setParameter(decoders->zstd, ZSTD_d_windowLogMax, log);
	return decoders->zstd;
}

static bool is_skippable(const uint8_t *p, size_t len)
{
	return len >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a &&
	       p[2] == 0x4d && p[3] == 0x18;
}

/* One frame after the other; skippable ones carry nothing that we would want
 * to pay for. */
static enum verdict inflate(struct inflation *x)
{
	ZSTD_DCtx *d = decoder(x->max);
	ZSTD_inBuffer in = { x->in, x->len, 0 };
	ZSTD_outBuffer out = { x->out, x->room, 0 };
	size_t left = 0;

	if (!d)
		return CODEC_NO_MEMORY;
	while (in.pos < in.size) {
		size_t before = in.pos + out.pos;

		if (!left && is_skippable(x->in + in.pos, in.size - in.pos))
			return CODEC_BROKEN;
		left = ZSTD_decompressStream(d, &out, &in);
		if (ZSTD_isError(left))
			return CODEC_BROKEN;
		if (in.pos + out.pos == before)
			break;		/* wants more of one or the other */
	}
	x->used = out.pos;
	if (!left && in.pos == in.size)
		return CODEC_DONE;
	return out.pos == out.size ? CODEC_SHORT : CODEC_BROKEN;
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
