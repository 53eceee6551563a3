/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress.c: gzip and zstd of whole messages.
 *
 * In: a message is inflated in one go into a payload sized by what the message
 * says about itself; when that was too little (it may lie) the payload is
 * dropped and a larger one tried, up to the caller's cap and no further.  So
 * there is never more than one, and a bomb stops at the cap.  Out: ISA-L at
 * level 1, zstd at level 1.
 *
 * Holds a thread's decoders, made on first use and freed with the thread.
 * Must never trust a declared size for more than a hint.
 */
#include <weir/kit/compress.h>

#include <isa-l/igzip_lib.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdlib.h>
#include <zstd.h>

#define GZIP_RATIO 1032		/* deflate cannot do better */
#define LEAST_ROOM 4096
#define LEAST_WINDOW_LOG 23	/* zstd, 8 MiB */
#define MOST_WINDOW_LOG 30
#define LEVEL 1

static const char *const names[] = { "identity", "gzip", "zstd" };

enum weir_encoding weir_encoding_parse(weir_str name)
{
	if (!name.len)
		return WEIR_ENCODING_IDENTITY;
	for (int i = 0; i < WEIR_ENCODING_UNKNOWN; i++)
		if (weir_str_eq(name, weir_str_of(names[i])))
			return (enum weir_encoding)i;
	return WEIR_ENCODING_UNKNOWN;
}

const char *weir_encoding_name(enum weir_encoding encoding)
{
	return encoding < WEIR_ENCODING_UNKNOWN ? names[encoding] : "unknown";
}

/* --- A thread's decoders ------------------------------------------------ */

struct decoders {
	struct libdeflate_decompressor *gzip;
	ZSTD_DCtx *zstd;
};

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void free_decoders(void *arg)
{
	struct decoders *decoders = arg;

	if (decoders->gzip)
		libdeflate_free_decompressor(decoders->gzip);
	ZSTD_freeDCtx(decoders->zstd);
	free(decoders);
}

static void make_key(void)
{
	pthread_key_create(&key, free_decoders);
}

/* The main thread ends without destructors. */
__attribute__((destructor)) static void free_last(void)
{
	pthread_once(&key_once, make_key);
	struct decoders *decoders = pthread_getspecific(key);

	pthread_setspecific(key, NULL);
	if (decoders)
		free_decoders(decoders);
}

static struct decoders *get_decoders(void)
{
	struct decoders *decoders;

	pthread_once(&key_once, make_key);
	decoders = pthread_getspecific(key);
	if (!decoders) {
		decoders = calloc(1, sizeof(*decoders));
		if (decoders && pthread_setspecific(key, decoders)) {
			free(decoders);
			decoders = NULL;
		}
	}
	return decoders;
}

/* --- Inflating ---------------------------------------------------------- */

enum verdict { DONE, BROKEN, SHORT, NO_MEMORY };

struct inflation {
	const uint8_t *in;
	size_t len;
	uint8_t *out;
	size_t room;
	size_t used;
	size_t max;		/* the caller's, for the window */
};

/* RFC 1952: one member after the other, nothing behind the last. */
static enum verdict gunzip(struct inflation *x)
{
	struct decoders *decoders = get_decoders();
	size_t at = 0, in, out;

	if (decoders && !decoders->gzip)
		decoders->gzip = libdeflate_alloc_decompressor();
	if (!decoders || !decoders->gzip)
		return NO_MEMORY;
	do {
		switch (libdeflate_gzip_decompress_ex(decoders->gzip,
			x->in + at, x->len - at, x->out + x->used,
			x->room - x->used, &in, &out)) {
		case LIBDEFLATE_SUCCESS:
			break;
		case LIBDEFLATE_INSUFFICIENT_SPACE:
			return SHORT;
		default:
			return BROKEN;
		}
		at += in;
		x->used += out;
	} while (at < x->len);
	return DONE;
}

static int window_log(size_t max)
{
	int log = LEAST_WINDOW_LOG;

	while (log < MOST_WINDOW_LOG && (size_t)1 << log < max)
		log++;
	return log;
}

static bool is_skippable(const uint8_t *p, size_t len)
{
	return len >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a &&
	       p[2] == 0x4d && p[3] == 0x18;
}

/* RFC 8878: one frame after the other; skippable ones carry nothing that we
 * would want to pay for. */
static enum verdict unzstd(struct inflation *x)
{
	struct decoders *decoders = get_decoders();
	ZSTD_inBuffer in = { x->in, x->len, 0 };
	ZSTD_outBuffer out = { x->out, x->room, 0 };
	size_t left = 0;

	if (decoders && !decoders->zstd)
		decoders->zstd = ZSTD_createDCtx();
	if (!decoders || !decoders->zstd)
		return NO_MEMORY;
	ZSTD_DCtx_reset(decoders->zstd, ZSTD_reset_session_only);
	ZSTD_DCtx_setParameter(decoders->zstd, ZSTD_d_windowLogMax,
			       window_log(x->max));
	while (in.pos < in.size) {
		size_t before = in.pos + out.pos;

		if (!left && is_skippable(x->in + in.pos, in.size - in.pos))
			return BROKEN;
		left = ZSTD_decompressStream(decoders->zstd, &out, &in);
		if (ZSTD_isError(left))
			return BROKEN;
		if (in.pos + out.pos == before)
			break;		/* wants more of one or the other */
	}
	x->used = out.pos;
	if (!left && in.pos == in.size)
		return DONE;
	return out.pos == out.size ? SHORT : BROKEN;
}

/* What the message claims to become, or a guess. */
static size_t guess(enum weir_encoding encoding, const uint8_t *in, size_t len)
{
	size_t usual = len < SIZE_MAX / 8 ? len * 4 : len;
	uint64_t claim = 0;

	if (encoding == WEIR_ENCODING_GZIP && len >= 18) {
		const uint8_t *p = in + len - 4;	/* ISIZE */

		claim = (uint64_t)p[3] << 24 | p[2] << 16 | p[1] << 8 | p[0];
		if (claim > (uint64_t)len * GZIP_RATIO)
			claim = 0;
	} else if (encoding == WEIR_ENCODING_ZSTD) {
		claim = ZSTD_getFrameContentSize(in, len);
		if (claim == ZSTD_CONTENTSIZE_UNKNOWN ||
		    claim == ZSTD_CONTENTSIZE_ERROR)
			claim = 0;
	}
	if (claim > SIZE_MAX / 2)
		return SIZE_MAX / 2;
	return claim ? (size_t)claim : usual;
}

static void explain(enum verdict verdict, size_t max,
		    struct weir_outcome *refused)
{
	if (verdict == SHORT)
		weir_outcome_set(refused, WEIR_RESOURCE_EXHAUSTED,
				 WEIR_REASON_TOO_BIG, "message larger than max "
				 "after decompression (%zu)", max);
	else if (verdict == BROKEN)
		weir_outcome_set(refused, WEIR_INTERNAL,
				 WEIR_REASON_COMPRESSION,
				 "the compressed data is broken");
	else
		weir_outcome_set(refused, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
				 "no memory to decompress a message");
}

static enum verdict inflate(enum weir_encoding encoding, struct inflation *x)
{
	x->used = 0;
	switch (encoding) {
	case WEIR_ENCODING_GZIP:
		return gunzip(x);
	case WEIR_ENCODING_ZSTD:
		return unzstd(x);
	case WEIR_ENCODING_IDENTITY:
		if (x->len > x->room)
			return SHORT;
		if (x->len)
			memcpy(x->out, x->in, x->len);
		x->used = x->len;
		return DONE;
	default:
		return BROKEN;
	}
}

struct weir_payload *weir_decompress(struct weir_component *c,
	enum weir_encoding encoding, const uint8_t *in, size_t len, size_t max,
	size_t *out, struct weir_outcome *refused)
{
	struct inflation x = { .in = in, .len = len, .max = max };
	size_t room = encoding == WEIR_ENCODING_IDENTITY ? len :
		      guess(encoding, in, len);
	struct weir_payload *payload;
	enum verdict verdict;

	for (;;) {
		if (room < LEAST_ROOM)
			room = LEAST_ROOM;
		if (room > max)
			room = max;
		payload = weir_payload_new(c, room);
		verdict = NO_MEMORY;
		if (payload) {
			x.out = weir_payload_bytes(payload);
			x.room = room;
			verdict = inflate(encoding, &x);
		}
		if (verdict != SHORT || room == max)
			break;
		weir_payload_free(&payload);
		room = room < max / 4 ? room * 4 : max;
	}
	*out = x.used;
	if (verdict == DONE)
		return payload;
	if (payload)
		weir_payload_free(&payload);
	explain(verdict, max, refused);
	return NULL;
}

/* --- Deflating ---------------------------------------------------------- */

struct weir_compressor {
	enum weir_encoding encoding;
	ZSTD_CCtx *zstd;
	struct isal_zstream gzip;
	uint8_t *level_buf;
};

/* What is being written; grows. */
struct output {
	uint8_t *bytes;
	size_t len, room;
};

struct weir_compressor *weir_compressor_new(enum weir_encoding encoding)
{
	struct weir_compressor *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->encoding = encoding;
	if (encoding == WEIR_ENCODING_ZSTD) {
		z->zstd = ZSTD_createCCtx();
		if (z->zstd)
			ZSTD_CCtx_setParameter(z->zstd,
					       ZSTD_c_compressionLevel, LEVEL);
	} else if (encoding == WEIR_ENCODING_GZIP) {
		isal_deflate_init(&z->gzip);
		z->level_buf = malloc(ISAL_DEF_LVL1_DEFAULT);
	}
	if ((encoding == WEIR_ENCODING_ZSTD && !z->zstd) ||
	    (encoding == WEIR_ENCODING_GZIP && !z->level_buf))
		weir_compressor_free(&z);
	return z;
}

void weir_compressor_free(struct weir_compressor **compressor)
{
	if (*compressor) {
		ZSTD_freeCCtx((*compressor)->zstd);
		free((*compressor)->level_buf);
	}
	free(*compressor);
	*compressor = NULL;
}

static bool make_room(struct output *out)
{
	uint8_t *bytes;

	if (out->len < out->room)
		return true;
	bytes = realloc(out->bytes, out->room * 2);
	if (!bytes)
		return false;
	out->bytes = bytes;
	out->room *= 2;
	return true;
}

static bool gzip_piece(struct isal_zstream *gzip, struct output *out)
{
	do {
		uint32_t room;

		if (!make_room(out))
			return false;
		room = out->room - out->len < UINT32_MAX ?
			(uint32_t)(out->room - out->len) : UINT32_MAX;
		gzip->next_out = out->bytes + out->len;
		gzip->avail_out = room;
		if (isal_deflate(gzip) != COMP_OK)
			return false;
		out->len += room - gzip->avail_out;
	} while (!gzip->avail_out || gzip->avail_in);
	return true;
}

static bool gzip_all(struct weir_compressor *z, const struct weir_iovec *in,
		     size_t n, struct output *out)
{
	struct isal_zstream *gzip = &z->gzip;

	isal_deflate_reset(gzip);
	gzip->level = LEVEL;
	gzip->level_buf = z->level_buf;
	gzip->level_buf_size = ISAL_DEF_LVL1_DEFAULT;
	gzip->gzip_flag = IGZIP_GZIP;
	gzip->flush = NO_FLUSH;
	gzip->end_of_stream = n == 0;
	gzip->avail_in = 0;
	if (!n)
		return gzip_piece(gzip, out);
	for (size_t i = 0; i < n; i++) {
		gzip->next_in = (uint8_t *)in[i].ptr;
		gzip->avail_in = (uint32_t)in[i].len;
		gzip->end_of_stream = i == n - 1;
		if (!gzip_piece(gzip, out))
			return false;
	}
	return true;
}

static bool zstd_piece(ZSTD_CCtx *zstd, const struct weir_iovec *piece,
		       bool last, struct output *out)
{
	ZSTD_inBuffer in = { piece->ptr, piece->len, 0 };
	ZSTD_EndDirective mode = last ? ZSTD_e_end : ZSTD_e_continue;
	size_t left;

	do {
		ZSTD_outBuffer to;

		if (!make_room(out))
			return false;
		to = (ZSTD_outBuffer){ out->bytes, out->room, out->len };
		left = ZSTD_compressStream2(zstd, &to, &in, mode);
		if (ZSTD_isError(left))
			return false;
		out->len = to.pos;
	} while (last ? left != 0 : in.pos < in.size);
	return true;
}

static bool zstd_all(struct weir_compressor *z, const struct weir_iovec *in,
		     size_t n, size_t total, struct output *out)
{
	const struct weir_iovec none = { "", 0 };

	ZSTD_CCtx_reset(z->zstd, ZSTD_reset_session_only);
	ZSTD_CCtx_setPledgedSrcSize(z->zstd, total);
	for (size_t i = 0; i < n; i++)
		if (!zstd_piece(z->zstd, &in[i], i == n - 1, out))
			return false;
	return n || zstd_piece(z->zstd, &none, true, out);
}

static bool copy_all(const struct weir_iovec *in, size_t n, struct output *out)
{
	for (size_t i = 0; i < n; i++) {
		memcpy(out->bytes + out->len, in[i].ptr, in[i].len);
		out->len += in[i].len;
	}
	return true;
}

uint8_t *weir_compress(struct weir_compressor *z, const struct weir_iovec *in,
		       size_t n, size_t head, size_t *len)
{
	struct output out = { .len = head };
	size_t total = 0;
	bool good;

	for (size_t i = 0; i < n; i++)
		total += in[i].len;
	out.room = head + 512 +
		   (z->encoding == WEIR_ENCODING_IDENTITY ? total : total / 2);
	out.bytes = malloc(out.room);
	if (!out.bytes)
		return NULL;
	if (z->encoding == WEIR_ENCODING_GZIP)
		good = gzip_all(z, in, n, &out);
	else if (z->encoding == WEIR_ENCODING_ZSTD)
		good = zstd_all(z, in, n, total, &out);
	else
		good = copy_all(in, n, &out);
	if (!good) {
		free(out.bytes);
		return NULL;
	}
	*len = out.len;
	return out.bytes;
}
