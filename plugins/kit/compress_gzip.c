/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress_gzip.c: deflate in its two wrappings, gzip (RFC 1952) and zlib
 * (RFC 1950).
 *
 * In: libdeflate.  Out: ISA-L at level 1, which takes the pieces as they are;
 * who asks for a level pays for one copy and gets libdeflate at that level.
 * Checksums are the libraries' work.  Holds nothing between messages.
 */
#include "codec.h"

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>

#define MOST_RATIO 1032		/* deflate cannot do better */
#define LEVEL_BUF ISAL_DEF_LVL1_DEFAULT
#define HUFFMAN_ONLY -2
#define MOST_LEVEL 9

/* --- In ------------------------------------------------------------------- */

static uint64_t claim_gzip(const uint8_t *in, size_t len, bool *binding)
{
	const uint8_t *p;

	(void)binding;		/* of the last member, modulo 2^32 */
	if (len < 18)
		return 0;
	p = in + len - 4;	/* ISIZE */
	return (uint64_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
}

static uint64_t claim_nothing(const uint8_t *in, size_t len, bool *binding)
{
	(void)in;
	(void)len;
	(void)binding;
	return 0;
}

static struct libdeflate_decompressor *decoder(void)
{
	struct decoders *decoders = decoders_get();

	if (!decoders)
		return NULL;
	if (!decoders->deflate)
		decoders->deflate = libdeflate_alloc_decompressor();
	return decoders->deflate;
}

static enum verdict verdict_of(enum libdeflate_result result)
{
	switch (result) {
	case LIBDEFLATE_SUCCESS:
		return CODEC_DONE;
	case LIBDEFLATE_INSUFFICIENT_SPACE:
		return CODEC_SHORT;
	default:
		return CODEC_BROKEN;
	}
}

/* One member after the other, nothing behind the last. */
static enum verdict gunzip(struct inflation *x)
{
	struct libdeflate_decompressor *d = decoder();
	enum verdict verdict;
	size_t at = 0, in = 0, out = 0;

	if (!d)
		return CODEC_NO_MEMORY;
	do {
		verdict = verdict_of(libdeflate_gzip_decompress_ex(d,
			x->in + at, x->len - at, x->out + x->used,
			x->room - x->used, &in, &out));
		if (verdict != CODEC_DONE)
			return verdict;
		at += in;
		x->used += out;
	} while (at < x->len);
	return CODEC_DONE;
}

/* One stream. */
static enum verdict unzlib(struct inflation *x)
{
	struct libdeflate_decompressor *d = decoder();
	enum verdict verdict;
	size_t in = 0;

	if (!d)
		return CODEC_NO_MEMORY;
	verdict = verdict_of(libdeflate_zlib_decompress_ex(d, x->in, x->len,
		x->out, x->room, &in, &x->used));
	if (verdict == CODEC_DONE && in != x->len)
		return CODEC_BROKEN;
	return verdict;
}

/* --- Out ------------------------------------------------------------------ */

struct deflater {
	uint8_t *level_buf;
	uint32_t level;				/* ISA-L's: 0 or 1 */
	struct libdeflate_compressor *slow;	/* a level was asked for */
	struct isal_zstream isal;		/* 80 KiB */
};

static void close_deflater(void *state)
{
	struct deflater *z = state;

	if (z->slow)
		libdeflate_free_compressor(z->slow);
	free(z->level_buf);
	free(z);
}

static void *open_deflater(int64_t level)
{
	struct deflater *z = malloc(sizeof(*z));

	if (!z)
		return NULL;
	/* Not the buffers: they cost no memory before something is sent. */
	memset(z, 0, offsetof(struct deflater, isal.internal_state.buffer));
	if (level > 1) {
		z->slow = libdeflate_alloc_compressor(
			level < MOST_LEVEL ? (int)level : MOST_LEVEL);
	} else {
		isal_deflate_init(&z->isal);
		z->level = level > HUFFMAN_ONLY;
		z->level_buf = malloc(LEVEL_BUF);
	}
	if (!z->slow && !z->level_buf) {
		close_deflater(z);
		return NULL;
	}
	return z;
}

static bool deflate_piece(struct isal_zstream *isal, struct output *out)
{
	do {
		uint32_t room;

		if (!output_reserve(out, 64))
			return false;
		room = out->room - out->len < UINT32_MAX ?
			(uint32_t)(out->room - out->len) : UINT32_MAX;
		isal->next_out = out->bytes + out->len;
		isal->avail_out = room;
		if (isal_deflate(isal) != COMP_OK)
			return false;
		out->len += room - isal->avail_out;
	} while (!isal->avail_out || isal->avail_in);
	return true;
}

static bool deflate_fast(struct deflater *z, const struct source *in,
			 uint16_t wrapping, struct output *out)
{
	struct isal_zstream *isal = &z->isal;

	isal_deflate_reset(isal);
	isal->level = z->level;
	isal->level_buf = z->level_buf;
	isal->level_buf_size = LEVEL_BUF;
	isal->gzip_flag = wrapping;
	isal->flush = NO_FLUSH;
	isal->end_of_stream = in->n == 0;
	isal->avail_in = 0;
	if (!in->n)
		return deflate_piece(isal, out);
	for (size_t i = 0; i < in->n; i++) {
		isal->next_in = (uint8_t *)in->pieces[i].ptr;
		isal->avail_in = (uint32_t)in->pieces[i].len;
		isal->end_of_stream = i == in->n - 1;
		if (!deflate_piece(isal, out))
			return false;
	}
	return true;
}

static bool deflate_slow(struct deflater *z, const struct source *in,
	size_t (*pack)(struct libdeflate_compressor *z, const void *in,
		       size_t len, void *out, size_t room),
	size_t bound, struct output *out)
{
	uint8_t *copy;
	const uint8_t *whole = source_whole(in, &copy);
	size_t n = 0;

	if (whole && output_reserve(out, bound))
		n = pack(z->slow, whole, in->total, out->bytes + out->len,
			 out->room - out->len);
	free(copy);
	out->len += n;
	return n != 0;
}

static bool deflate_gzip(void *state, const struct source *in,
			 struct output *out)
{
	struct deflater *z = state;

	if (!z->slow)
		return deflate_fast(z, in, IGZIP_GZIP, out);
	return deflate_slow(z, in, libdeflate_gzip_compress,
		libdeflate_gzip_compress_bound(z->slow, in->total), out);
}

static bool deflate_zlib(void *state, const struct source *in,
			 struct output *out)
{
	struct deflater *z = state;

	if (!z->slow)
		return deflate_fast(z, in, IGZIP_ZLIB, out);
	return deflate_slow(z, in, libdeflate_zlib_compress,
		libdeflate_zlib_compress_bound(z->slow, in->total), out);
}

const struct codec codec_gzip = {
	.name = "gzip",
	.most_ratio = MOST_RATIO,
	.claim = claim_gzip,
	.inflate = gunzip,
	.open = open_deflater,
	.close = close_deflater,
	.deflate = deflate_gzip
};

const struct codec codec_zlib = {
	.name = "zlib",
	.most_ratio = MOST_RATIO,
	.claim = claim_nothing,
	.inflate = unzlib,
	.open = open_deflater,
	.close = close_deflater,
	.deflate = deflate_zlib
};
