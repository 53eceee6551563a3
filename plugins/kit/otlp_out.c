/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_out.c: see otlp_out.h.
 *
 * Holds nothing between calls.  Must never move a byte more than once for
 * growing and once for closing up.
 */
#include "otlp_out.h"

#include <assert.h>

/* A gap's first half: how far the next gap is, 0 for none; and this bit when
 * its message was cut, whose second half is how many bytes to leave out. */
#define CUT (UINT32_C(1) << 31)
#define ROOM_MAX (CUT - 64)
#define LEAST_ROOM 512
#define WASTE 8			/* an eighth of the bytes may be for nothing */
/* Gaps that may be open, and so are not in `saved` yet. */
#define OPEN_MAX 256

static uint32_t load(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void store(uint8_t *p, size_t value)
{
	uint32_t v = (uint32_t)value;

	memcpy(p, &v, sizeof(v));
}

static size_t varint_size(size_t v)
{
	return (size_t)(70 - __builtin_clzll(v | 1)) / 7;
}

static void point_at(struct otlp_out *out)
{
	out->bytes = weir_payload_bytes(out->payload);
	out->room = weir_payload_capacity(out->payload);
}

bool otlp_out_open(struct otlp_out *out, struct weir_component *c, size_t room,
		   size_t max)
{
	*out = (struct otlp_out){ .component = c, .max = max,
				  .last = OTLP_NO_GAP };
	if (room > ROOM_MAX)
		room = ROOM_MAX;
	out->payload = weir_payload_new(c, room > LEAST_ROOM ? room :
						  LEAST_ROOM);
	if (!out->payload)
		return false;
	point_at(out);
	return true;
}

void otlp_out_drop(struct otlp_out *out)
{
	weir_payload_free(&out->payload);
}

__attribute__((noinline)) bool otlp_out_grow(struct otlp_out *out, size_t n)
{
	struct weir_payload *more;
	size_t room;

	if (n > ROOM_MAX - out->len || out->len - out->saved >
	    out->max + OPEN_MAX * OTLP_GAP) {
		out->too_big = true;
		return false;
	}
	room = 2 * out->room > out->len + n ? 2 * out->room : out->len + n;
	more = weir_payload_new(out->component,
				room < ROOM_MAX ? room : ROOM_MAX);
	if (!more)
		return false;
	memcpy(weir_payload_bytes(more), out->bytes, out->len);
	weir_payload_free(&out->payload);
	out->payload = more;
	point_at(out);
	return true;
}

struct otlp_open otlp_out_begin(struct otlp_out *out)
{
	struct otlp_open open = { out->len, out->saved };

	if (out->last != OTLP_NO_GAP)
		store(out->bytes + out->last,
		      (load(out->bytes + out->last) & CUT) |
		      (open.gap - out->last));
	store(out->bytes + open.gap, 0);
	out->last = open.gap;
	out->len += OTLP_GAP;
	return open;
}

size_t otlp_out_end(struct otlp_out *out, struct otlp_open open)
{
	size_t len = out->len - (open.gap + OTLP_GAP) -
		     (out->saved - open.saved);

	store(out->bytes + open.gap + 4, len);
	out->saved += OTLP_GAP - varint_size(len);
	return len;
}

void otlp_out_cut(struct otlp_out *out, const struct otlp_record *record)
{
	uint8_t *gap = out->bytes + record->gap;
	size_t len = load(gap + 4);
	uint32_t after = load(out->bytes + record->last) & ~CUT;

	/* What closing up would have left of it, and its tag. */
	out->saved += 1 + varint_size(len) + len;
	if (out->last >= record->gap && out->last < record->end) {
		out->last = record->gap;
		store(gap, CUT);
	} else {
		store(gap, CUT | (record->last + after - record->gap));
	}
	store(gap + 4, record->end - (record->gap + OTLP_GAP));
}

static inline uint8_t *put_varint(uint8_t *p, uint32_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

/* Copies everything to `to`, which may be where it is, without the gaps;
 * returns behind the last byte. */
static uint8_t *close_up(const struct otlp_out *out, uint8_t *to)
{
	const uint8_t *bytes = out->bytes;
	size_t gap, next;

	/* All that is written is field 1, a message: the first gap is behind
	 * its one-byte tag. */
	*to++ = bytes[0];
	for (gap = 1;; gap = next) {
		uint32_t link = load(bytes + gap);
		uint32_t size = load(bytes + gap + 4);
		size_t from = gap + OTLP_GAP, end;

		if (link & CUT) {
			to--;		/* its tag */
			from += size;
			link &= ~CUT;
		} else {
			to = put_varint(to, size);
		}
		next = gap + link;
		end = link ? next : out->len;
		memmove(to, bytes + from, end - from);
		to += end - from;
		if (!link)
			return to;
	}
}

bool otlp_out_finish(struct otlp_out *out)
{
	size_t len = out->len - out->saved;
	struct weir_payload *exact = NULL;
	uint8_t *to, *end;

	if (len > out->max) {
		out->too_big = true;
		return false;
	}
	if (out->last == OTLP_NO_GAP)
		return true;
	/* It is copied anyway: to where no room is wasted for as long as the
	 * batch lives. */
	if (out->room - len > len / WASTE)
		exact = weir_payload_new(out->component, len);
	to = exact ? weir_payload_bytes(exact) : out->bytes;
	end = close_up(out, to);
	assert((size_t)(end - to) == len);
	(void)end;
	if (exact) {
		weir_payload_free(&out->payload);
		out->payload = exact;
		point_at(out);
	}
	out->len = len;
	return true;
}
