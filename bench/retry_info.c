/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry_info.c: base64 and three levels of protobuf, read by hand, so that
 * the load generator does not share a bug with what it measures.
 */
#include "retry_info.h"

#include <stdbool.h>
#include <string.h>

struct run {
	const uint8_t *p, *end;
};

static bool varint(struct run *r, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && r->p < r->end; shift += 7) {
		*v |= (uint64_t)(*r->p & 0x7f) << shift;
		if (*r->p++ < 0x80)
			return true;
	}
	return false;
}

/* The next field with that tag: its bytes in *body, or its number in *v. */
static bool find(struct run *r, uint64_t tag, struct run *body, uint64_t *v)
{
	uint64_t t;

	while (varint(r, &t) && varint(r, v)) {
		if ((t & 7) == 2) {
			if (*v > (uint64_t)(r->end - r->p))
				return false;
			*body = (struct run){ r->p, r->p + *v };
			r->p += *v;
		} else if ((t & 7) != 0) {
			return false;
		}
		if (t == tag)
			return true;
	}
	return false;
}

static uint64_t number(struct run r, uint64_t tag)
{
	struct run body;
	uint64_t v;

	return find(&r, tag, &body, &v) ? v : 0;
}

static bool is_retry_info(struct run any)
{
	static const char name[] = "google.rpc.RetryInfo";
	size_t len = sizeof(name) - 1;
	struct run url;
	uint64_t v;

	return find(&any, 1 << 3 | 2, &url, &v) &&
	       (size_t)(url.end - url.p) >= len &&
	       !memcmp(url.end - len, name, len);
}

static size_t decode(uint8_t *out, size_t room, const uint8_t *in, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len && n < room; i++) {
		const char *digit = in[i] ? strchr(digits, in[i]) : NULL;

		if (!digit)
			break;
		bits = bits << 6 | (uint32_t)(digit - digits);
		have += 6;
		if (have >= 8)
			out[n++] = (uint8_t)(bits >> (have -= 8));
	}
	return n;
}

/* Status { details = 3 }: Any { type_url = 1, value = 2 }: RetryInfo {
 * retry_delay = 1 }: Duration { seconds = 1, nanos = 2 } */
uint64_t retry_info_delay(const uint8_t *value, size_t len)
{
	uint8_t bytes[1024];
	struct run status = { bytes, bytes }, any, info, delay;
	uint64_t v;

	status.end += decode(bytes, sizeof(bytes), value, len);
	while (find(&status, 3 << 3 | 2, &any, &v))
		if (is_retry_info(any) && find(&any, 2 << 3 | 2, &info, &v) &&
		    find(&info, 1 << 3 | 2, &delay, &v))
			return number(delay, 1 << 3) * 1000000000u +
			       number(delay, 2 << 3);
	return 0;
}
