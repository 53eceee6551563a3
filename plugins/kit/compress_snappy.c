/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress_snappy.c: snappy, one block or a stream of chunks.
 *
 *	block		varint of the length it becomes | data
 *	stream		ff 06 00 00 "sNaPpY" | chunk...
 *	chunk		type | 3 bytes length, little-endian | body
 *	body		masked CRC-32C of what it becomes, 4 bytes | data
 *			(type 0: a block of at most 64 KiB; 1: as it is)
 *
 * A body that is called snappy and begins like a stream is one.  Holds nothing
 * between messages.  Must never hand a block to the library before what it
 * says to become fits the room.
 */
#include "codec.h"
#include "codecs/codecs.h"

#include <isa-l/crc.h>

#define MOST_RATIO 64		/* no block does better: 64 bytes for 3 */
#define CHUNK 65536
#define HEAD 4			/* type and length */
#define CRC 4
/* Padding and chunks that may be skipped: more of them is a flood. */
#define MOST_SKIPPED 64

static const uint8_t magic[10] = {
	0xff, 0x06, 0x00, 0x00, 's', 'N', 'a', 'P', 'p', 'Y'
};
enum { PACKED = 0x00, PLAIN = 0x01, SKIPPABLE = 0x80, STREAM = 0xff };

static bool is_framed(const uint8_t *in, size_t len)
{
	return len >= sizeof(magic) && !memcmp(in, magic, sizeof(magic));
}

/* Masked, as the framing format has it. */
static uint32_t crc_of(const uint8_t *bytes, size_t len)
{
	uint32_t crc = ~crc32_iscsi((unsigned char *)(uintptr_t)bytes,
				    (int)len, ~0u);

	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint32_t get_le(const uint8_t *p, int n)
{
	uint32_t value = 0;

	while (n--)
		value = value << 8 | p[n];
	return value;
}

static void put_le(uint8_t *p, uint32_t value, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = (uint8_t)(value >> 8 * i);
}

/* --- A block -------------------------------------------------------------- */

static enum verdict unblock(const uint8_t *in, size_t len, uint8_t *to,
			    size_t room, size_t *used)
{
	const struct weircodecs *lib = codecs_open(NULL);
	size_t n;

	if (lib->snappy_length((const char *)in, len, &n) != SNAPPY_OK ||
	    n / MOST_RATIO > len)
		return CODEC_BROKEN;
	if (n > room)
		return CODEC_SHORT;
	if (lib->snappy_uncompress((const char *)in, len, (char *)to, &n) !=
	    SNAPPY_OK)
		return CODEC_BROKEN;
	*used = n;
	return CODEC_DONE;
}

static uint64_t claim_nothing(const uint8_t *in, size_t len, bool *binding)
{
	(void)in;
	(void)len;
	(void)binding;
	return 0;
}

static uint64_t claim_block(const uint8_t *in, size_t len, bool *binding)
{
	const struct weircodecs *lib = codecs_open(NULL);
	size_t n;

	if (is_framed(in, len) ||
	    lib->snappy_length((const char *)in, len, &n) != SNAPPY_OK)
		return 0;
	*binding = true;
	return n;
}

/* --- A stream ------------------------------------------------------------- */

static enum verdict take_chunk(struct inflation *x, uint8_t type,
			       const uint8_t *body, size_t len)
{
	uint8_t *to = x->out + x->used;
	size_t room = x->room - x->used, n = len - CRC;
	enum verdict verdict = CODEC_DONE;

	if (len < CRC)
		return CODEC_BROKEN;
	if (type == PACKED) {
		size_t most = room < CHUNK ? room : CHUNK;

		verdict = unblock(body + CRC, n, to, most, &n);
		if (verdict == CODEC_SHORT && room >= CHUNK)
			return CODEC_BROKEN;	/* a chunk has 64 KiB at most */
	} else if (n > CHUNK) {
		return CODEC_BROKEN;
	} else if (n > room) {
		return CODEC_SHORT;
	} else {
		memcpy(to, body + CRC, n);
	}
	if (verdict != CODEC_DONE)
		return verdict;
	if (crc_of(to, n) != get_le(body, CRC))
		return CODEC_BROKEN;
	x->used += n;
	return CODEC_DONE;
}

static enum verdict unframe(struct inflation *x)
{
	size_t at = 0, len, skipped = 0;
	enum verdict verdict = CODEC_DONE;

	if (x->len && !is_framed(x->in, x->len))
		return CODEC_BROKEN;
	for (; at < x->len && verdict == CODEC_DONE; at += HEAD + len) {
		const uint8_t *p = x->in + at;

		if (x->len - at < HEAD)
			return CODEC_BROKEN;
		len = get_le(p + 1, 3);
		if (len > x->len - at - HEAD)
			return CODEC_BROKEN;
		if (p[0] == PACKED || p[0] == PLAIN)
			verdict = take_chunk(x, p[0], p + HEAD, len);
		else if (p[0] < SKIPPABLE || ++skipped > MOST_SKIPPED ||
			 (p[0] == STREAM && !is_framed(p, x->len - at)))
			return CODEC_BROKEN;
	}
	return verdict;
}

static enum verdict inflate(struct inflation *x)
{
	if (is_framed(x->in, x->len))
		return unframe(x);
	return unblock(x->in, x->len, x->out, x->room, &x->used);
}

/* --- Out ------------------------------------------------------------------ */

static bool deflate(void *state, const struct source *in, struct output *out)
{
	const struct weircodecs *lib = codecs_open(NULL);
	size_t n = lib->snappy_bound(in->total);
	uint8_t *copy;
	const uint8_t *whole = source_whole(in, &copy);
	bool good = whole && output_reserve(out, n);

	(void)state;
	if (good) {
		lib->snappy_compress((const char *)whole, in->total,
				     (char *)out->bytes + out->len, &n);
		out->len += n;
	}
	free(copy);
	return good;
}

/* A chunk that snappy makes larger goes as it is. */
static bool add_chunk(const uint8_t *bytes, size_t len, struct output *out)
{
	const struct weircodecs *lib = codecs_open(NULL);
	size_t n = lib->snappy_bound(len);
	uint8_t *head;

	if (!output_reserve(out, HEAD + CRC + n))
		return false;
	head = out->bytes + out->len;
	lib->snappy_compress((const char *)bytes, len,
			     (char *)head + HEAD + CRC, &n);
	head[0] = PACKED;
	if (n >= len) {
		head[0] = PLAIN;
		memcpy(head + HEAD + CRC, bytes, len);
		n = len;
	}
	put_le(head + 1, (uint32_t)n + CRC, 3);
	put_le(head + HEAD, crc_of(bytes, len), CRC);
	out->len += HEAD + CRC + n;
	return true;
}

static bool deflate_framed(void *state, const struct source *in,
			   struct output *out)
{
	uint8_t *chunk = state;
	size_t have = 0;

	if (!output_reserve(out, sizeof(magic)))
		return false;
	output_add(out, magic, sizeof(magic));
	for (size_t i = 0; i < in->n; i++) {
		const uint8_t *p = in->pieces[i].ptr;
		size_t left = in->pieces[i].len;

		while (left) {
			size_t n = left < CHUNK - have ? left : CHUNK - have;

			memcpy(chunk + have, p, n);
			have += n;
			p += n;
			left -= n;
			if (have < CHUNK)
				continue;
			if (!add_chunk(chunk, have, out))
				return false;
			have = 0;
		}
	}
	return !have || add_chunk(chunk, have, out);
}

static void *open_chunk(int64_t level)
{
	(void)level;
	return malloc(CHUNK);
}

const struct codec codec_snappy = {
	.name = "snappy",
	.most_ratio = MOST_RATIO,
	.claim = claim_block,
	.inflate = inflate,
	.deflate = deflate
};

const struct codec codec_snappy_framed = {
	.name = "x-snappy-framed",
	.most_ratio = MOST_RATIO,
	.claim = claim_nothing,
	.inflate = unframe,
	.open = open_chunk,
	.close = free,
	.deflate = deflate_framed
};
