/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress.c: encodings of whole messages.
 *
 * In: a message is inflated in one go into a payload sized by what the message
 * says about itself; when that was too little (it may lie) the payload is
 * dropped and a larger one tried, up to the caller's cap and no further.  So
 * there is never more than one, and a bomb stops at the cap.
 *
 * Holds nothing itself.  Must never trust a declared size for more than a
 * hint, or a reason to refuse.
 */
#include "codec.h"

#define LEAST_ROOM 4096
#define USUAL_RATIO 4

static const struct codec *const codecs[WEIR_ENCODING_UNKNOWN] = {
	[WEIR_ENCODING_GZIP] = &codec_gzip,
	[WEIR_ENCODING_ZSTD] = &codec_zstd,
	[WEIR_ENCODING_ZLIB] = &codec_zlib,
	[WEIR_ENCODING_SNAPPY] = &codec_snappy,
	[WEIR_ENCODING_SNAPPY_FRAMED] = &codec_snappy_framed,
	[WEIR_ENCODING_LZ4] = &codec_lz4,
};

static const struct codec *codec_of(enum weir_encoding encoding)
{
	return encoding < WEIR_ENCODING_UNKNOWN ? codecs[encoding] : NULL;
}

/* --- Names ---------------------------------------------------------------- */

const char *weir_encoding_name(enum weir_encoding encoding)
{
	const struct codec *codec = codec_of(encoding);

	if (codec)
		return codec->name;
	return encoding == WEIR_ENCODING_IDENTITY ? "identity" : "unknown";
}

enum weir_encoding weir_encoding_parse(weir_str name)
{
	if (!name.len || weir_str_eq(name, WEIR_STR("identity")))
		return WEIR_ENCODING_IDENTITY;
	if (weir_str_eq(name, WEIR_STR("deflate")))
		return WEIR_ENCODING_ZLIB;
	for (int i = 0; i < WEIR_ENCODING_UNKNOWN; i++)
		if (codecs[i] &&
		    weir_str_eq(name, weir_str_of(codecs[i]->name)))
			return (enum weir_encoding)i;
	return WEIR_ENCODING_UNKNOWN;
}

const char *weir_grpc_encoding_name(enum weir_encoding encoding)
{
	return encoding == WEIR_ENCODING_SNAPPY_FRAMED
		       ? "snappy" : weir_encoding_name(encoding);
}

enum weir_encoding weir_grpc_encoding_parse(weir_str name)
{
	enum weir_encoding encoding = weir_encoding_parse(name);

	switch (encoding) {
	case WEIR_ENCODING_IDENTITY:
	case WEIR_ENCODING_GZIP:
	case WEIR_ENCODING_ZSTD:
		return encoding;
	case WEIR_ENCODING_SNAPPY:
		return WEIR_ENCODING_SNAPPY_FRAMED;
	default:
		return WEIR_ENCODING_UNKNOWN;
	}
}

static bool is_apart(enum weir_encoding encoding)
{
	return encoding == WEIR_ENCODING_SNAPPY ||
	       encoding == WEIR_ENCODING_SNAPPY_FRAMED ||
	       encoding == WEIR_ENCODING_LZ4;
}

bool codec_is_open(enum weir_encoding encoding)
{
	return !is_apart(encoding) || codecs_are_open();
}

int weir_encoding_open(enum weir_encoding encoding, struct weir_error *error)
{
	return !is_apart(encoding) || codecs_open(error) ? 0 : -1;
}

/* --- Inflating ------------------------------------------------------------ */

void codec_unavailable(enum weir_encoding encoding,
		       struct weir_outcome *refused)
{
	weir_outcome_set(refused, WEIR_UNIMPLEMENTED, WEIR_REASON_MEDIA_TYPE,
			 "%s is not available here",
			 weir_encoding_name(encoding));
}

static void explain(enum verdict verdict, size_t max,
		    struct weir_outcome *refused)
{
	if (verdict == CODEC_SHORT)
		weir_outcome_set(refused, WEIR_RESOURCE_EXHAUSTED,
				 WEIR_REASON_TOO_BIG, "message larger than max "
				 "after decompression (%zu)", max);
	else if (verdict == CODEC_BROKEN)
		weir_outcome_set(refused, WEIR_INTERNAL,
				 WEIR_REASON_COMPRESSION,
				 "the compressed data is broken");
	else
		weir_outcome_set(refused, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
				 "no memory to decompress a message");
}

static uint64_t claim_same(const uint8_t *in, size_t len, bool *binding)
{
	(void)in;
	*binding = true;
	return len;
}

static enum verdict copy(struct inflation *x)
{
	if (x->len > x->room)
		return CODEC_SHORT;
	if (x->len)
		memcpy(x->out, x->in, x->len);
	x->used = x->len;
	return CODEC_DONE;
}

static const struct codec identity = {
	.most_ratio = 1,
	.claim = claim_same,
	.inflate = copy
};

/* The room to begin with; false: it cannot fit. */
static bool first_room(const struct codec *codec, const struct inflation *x,
		       size_t *room)
{
	bool binding = false;
	uint64_t claim = codec->claim(x->in, x->len, &binding);

	if (binding && claim > x->max)
		return false;
	if (!claim)
		claim = (uint64_t)x->len * USUAL_RATIO;
	else if (claim / codec->most_ratio > x->len)
		claim = (uint64_t)x->len * codec->most_ratio;
	*room = claim < SIZE_MAX ? (size_t)claim : SIZE_MAX;
	return true;
}

/* Tries rooms from `room` on; *payload is the last, or NULL. */
static enum verdict inflate(struct weir_component *c,
			    const struct codec *codec, struct inflation *x,
			    struct weir_payload **payload, size_t room)
{
	for (;;) {
		enum verdict verdict;

		if (room < LEAST_ROOM)
			room = LEAST_ROOM;
		if (room > x->max)
			room = x->max;
		*payload = weir_payload_new(c, room);
		if (!*payload)
			return CODEC_NO_MEMORY;
		x->out = weir_payload_bytes(*payload);
		x->room = room;
		x->used = 0;
		verdict = codec->inflate(x);
		if (verdict != CODEC_SHORT || room == x->max)
			return verdict;
		weir_payload_free(payload);
		room = room < x->max / 4 ? room * 4 : x->max;
	}
}

struct weir_payload *weir_decompress(struct weir_component *c,
	enum weir_encoding encoding, const uint8_t *in, size_t len, size_t max,
	size_t *out, struct weir_outcome *refused)
{
	struct inflation x = { .in = in, .len = len, .max = max };
	const struct codec *codec = codec_of(encoding);
	struct weir_payload *payload = NULL;
	enum verdict verdict = CODEC_SHORT;
	struct weir_error error;
	size_t room;

	if (encoding == WEIR_ENCODING_IDENTITY)
		codec = &identity;
	*out = 0;
	if (!codec || weir_encoding_open(encoding, &error)) {
		codec_unavailable(encoding, refused);
		return NULL;
	}
	if (first_room(codec, &x, &room))
		verdict = inflate(c, codec, &x, &payload, room);
	if (verdict == CODEC_DONE) {
		*out = x.used;
		return payload;
	}
	if (payload)
		weir_payload_free(&payload);
	explain(verdict, max, refused);
	return NULL;
}

/* --- Deflating ------------------------------------------------------------ */

struct weir_compressor {
	const struct codec *codec;	/* NULL: none, copied */
	void *state;
};

struct weir_compressor *weir_compressor_new(enum weir_encoding encoding,
					    int64_t level)
{
	struct weir_compressor *z;
	struct weir_error error;

	if (encoding >= WEIR_ENCODING_UNKNOWN ||
	    weir_encoding_open(encoding, &error))
		return NULL;
	z = calloc(1, sizeof(*z));
	if (!z)
		return NULL;
	z->codec = codec_of(encoding);
	if (z->codec && z->codec->open) {
		z->state = z->codec->open(level);
		if (!z->state)
			weir_compressor_free(&z);
	}
	return z;
}

void weir_compressor_free(struct weir_compressor **compressor)
{
	struct weir_compressor *z = *compressor;

	if (z && z->state)
		z->codec->close(z->state);
	free(z);
	*compressor = NULL;
}

static bool copy_all(const struct source *in, struct output *out)
{
	for (size_t i = 0; i < in->n; i++)
		if (in->pieces[i].len)
			output_add(out, in->pieces[i].ptr, in->pieces[i].len);
	return true;
}

uint8_t *weir_compress(struct weir_compressor *z, const struct weir_iovec *in,
		       size_t n, size_t head, size_t *len)
{
	struct source source = { in, n, 0 };
	struct output out = { .len = head };
	bool good;

	for (size_t i = 0; i < n; i++)
		source.total += in[i].len;
	out.room = head + 512 + (z->codec ? source.total / 2 : source.total);
	out.bytes = malloc(out.room);
	if (!out.bytes)
		return NULL;
	good = z->codec ? z->codec->deflate(z->state, &source, &out)
			: copy_all(&source, &out);
	if (!good) {
		free(out.bytes);
		return NULL;
	}
	*len = out.len;
	return out.bytes;
}

const uint8_t *source_whole(const struct source *in, uint8_t **copy)
{
	struct output all = { 0 };

	*copy = NULL;
	if (in->n == 1 && in->pieces[0].ptr)
		return in->pieces[0].ptr;
	all.bytes = malloc(in->total + 1);
	if (all.bytes)
		copy_all(in, &all);
	return *copy = all.bytes;
}
