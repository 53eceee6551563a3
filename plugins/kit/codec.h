/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec.h: an encoding, to compress.c.  Whole messages in, whole messages out.
 */
#ifndef KIT_CODEC_H
#define KIT_CODEC_H

#include <stdlib.h>
#include <weir/kit/compress.h>

enum verdict {
	CODEC_DONE, CODEC_BROKEN,
	CODEC_SHORT,		/* room is too little */
	CODEC_NO_MEMORY
};

struct inflation {
	const uint8_t *in;
	size_t len;
	uint8_t *out;
	size_t room;
	size_t used;
	size_t max;		/* the caller's */
	size_t charged;		/* to the budget, for the codec's own memory */
};

/* What is being written; grows.  bytes is malloc's. */
struct output {
	uint8_t *bytes;
	size_t len, room;
};

/* Room for `more` bytes behind len. */
static inline bool output_reserve(struct output *out, size_t more)
{
	size_t room = out->room;
	uint8_t *bytes;

	if (more <= room - out->len)
		return true;
	if (more > SIZE_MAX / 2 - out->len)
		return false;
	while (room < out->len + more)
		room = room ? room * 2 : 512;
	bytes = realloc(out->bytes, room);
	if (!bytes)
		return false;
	out->bytes = bytes;
	out->room = room;
	return true;
}

static inline void output_add(struct output *out, const void *bytes, size_t n)
{
	memcpy(out->bytes + out->len, bytes, n);
	out->len += n;
}

struct source {			/* a message to be packed, in pieces */
	const struct weir_iovec *pieces;
	size_t n;
	size_t total;
};

/* The message in one piece: its only one, or a copy in *copy (free it).  NULL:
 * no memory. */
const uint8_t *source_whole(const struct source *in, uint8_t **copy);

struct codec {
	const char *name;
	uint32_t most_ratio;	/* no message becomes more times its length */
	/* What the message says that it will become; 0: it does not say.
	 * `binding`: if it becomes anything else it is broken. */
	uint64_t (*claim)(const uint8_t *in, size_t len, bool *binding);
	enum verdict (*inflate)(struct inflation *x);
	/* State of a compressor (NULL: needs none), for *level. */
	void *(*open)(int64_t level);
	void (*close)(void *state);
	/* Appends the whole message; false: no memory. */
	bool (*deflate)(void *state, const struct source *in,
			struct output *out);
};

extern const struct codec codec_gzip, codec_zlib, codec_zstd, codec_snappy,
	codec_snappy_framed, codec_lz4;

/* --- compress_thread.c: a thread's decoders, made on first use ------------ */

struct decoders {
	struct libdeflate_decompressor *deflate;
	struct ZSTD_DCtx_s *zstd;
};
/* NULL: no memory.  Freed with the thread. */
struct decoders *decoders_get(void);

/* Can messages of it be read without opening a library first? */
bool codec_is_open(enum weir_encoding encoding);
/* What is said when it cannot be. */
void codec_unavailable(enum weir_encoding encoding,
		       struct weir_outcome *refused);

/* --- compress_part.c: libweircodecs.so ------------------------------------ */

struct weircodecs;
/* NULL and a sentence when it cannot be opened. */
const struct weircodecs *codecs_open(struct weir_error *error);
bool codecs_are_open(void);

#endif
