/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_status.c: how gRPC writes a status, a deadline and a retry hint.
 *
 * The few protobuf fields of google.rpc.Status are written and read by hand:
 * a schema would weigh more than they do.  Holds nothing.  Must never trust a
 * peer's length: every read is checked against what is left.
 */
#include "grpc_status.h"

#include <weir/digits.h>
#include <stdio.h>

/* --- grpc-message ------------------------------------------------------- */

/* gRPC over HTTP/2: 0x20-0x7e but '%' stay literal. */
static bool literal(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e && c != '%';
}

size_t grpc_message_encode(char *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t len = 0, whole = 0;

	for (; *text; text++) {
		unsigned char c = *text;

		if ((c & 0xc0) != 0x80)		/* a character begins */
			whole = len;
		if (GRPC_MESSAGE_MAX - len < (literal(c) ? 1 : 3))
			return whole;
		if (literal(c)) {
			out[len++] = c;
			continue;
		}
		out[len++] = '%';
		out[len++] = hex[c >> 4];
		out[len++] = hex[c & 15];
	}
	return len;
}

void grpc_message_decode(weir_str value, char *out, size_t room)
{
	size_t len = 0;

	for (size_t i = 0; i < value.len && len + 1 < room; i++) {
		int high = -1, low = -1;

		if (value.ptr[i] == '%' && value.len - i > 2) {
			high = weir_digit_hex(value.ptr[i + 1]);
			low = weir_digit_hex(value.ptr[i + 2]);
		}
		out[len] = value.ptr[i];
		if (high >= 0 && low >= 0) {
			out[len] = (char)(high << 4 | low);
			i += 2;
		}
		if ((unsigned char)out[len] < 0x20 || out[len] == 0x7f)
			out[len] = '?';		/* it ends in a log */
		len++;
	}
	out[len] = '\0';
}

/* --- base64 ------------------------------------------------------------- */

size_t grpc_base64_encode(char *out, const uint8_t *in, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | in[i];
		for (have += 8; have >= 6; have -= 6)
			out[n++] = digits[bits >> (have - 6) & 63];
	}
	if (have)
		out[n++] = digits[bits << (6 - have) & 63];
	return n;
}

int64_t grpc_base64_decode(weir_str value, uint8_t *out, size_t room)
{
	uint32_t bits = 0;
	unsigned int have = 0;
	size_t n = 0;

	for (int pad = 0; pad < 2 && value.len && value.len % 4 == (pad ? 3 : 0) &&
	     value.ptr[value.len - 1] == '='; pad++)
		value.len--;
	if (value.len % 4 == 1)
		return -1;
	for (size_t i = 0; i < value.len; i++) {
		int digit = weir_digit_base64(value.ptr[i]);

		if (digit < 0)
			return -1;
		bits = bits << 6 | (uint32_t)digit;
		have += 6;
		if (have < 8)
			continue;
		if (n == room)
			return -1;
		have -= 8;
		out[n++] = (uint8_t)(bits >> have);
	}
	return (int64_t)n;
}

/* --- google.rpc.Status -------------------------------------------------- */

#define RETRY_INFO "type.googleapis.com/google.rpc.RetryInfo"

static uint8_t *put_varint(uint8_t *p, uint64_t value)
{
	for (; value > 0x7f; value >>= 7)
		*p++ = (uint8_t)(value | 0x80);
	*p++ = (uint8_t)value;
	return p;
}

static uint8_t *put_bytes(uint8_t *p, uint8_t tag, const void *bytes,
			  size_t len)
{
	*p++ = tag;
	p = put_varint(p, len);
	memcpy(p, bytes, len);
	return p + len;
}

/* Any { type_url = 1, value = 2: RetryInfo { retry_delay = 1: Duration {
 * seconds = 1, nanos = 2 } } }, inside out. */
static uint8_t *put_retry_info(uint8_t *p, weir_duration after)
{
	uint8_t delay[24], info[32], any[96];
	uint8_t *end = delay;

	if (after.ns >= 1000000000) {
		*end++ = 0x08;
		end = put_varint(end, (uint64_t)after.ns / 1000000000);
	}
	if (after.ns % 1000000000) {
		*end++ = 0x10;
		end = put_varint(end, (uint64_t)after.ns % 1000000000);
	}
	end = put_bytes(info, 0x0a, delay, (size_t)(end - delay));
	uint8_t *tail = put_bytes(any, 0x0a, RETRY_INFO,
				  sizeof(RETRY_INFO) - 1);
	tail = put_bytes(tail, 0x12, info, (size_t)(end - info));
	return put_bytes(p, 0x1a, any, (size_t)(tail - any));
}

size_t grpc_details_encode(char *out, const struct weir_outcome *outcome,
			   weir_duration retry_after)
{
	uint8_t status[GRPC_DETAILS_MAX * 3 / 4];
	uint8_t *p = status;

	*p++ = 0x08;			/* Status.code = 1 */
	p = put_varint(p, outcome->status);
	p = put_bytes(p, 0x12, outcome->text,	/* Status.message = 2 */
		      strnlen(outcome->text, sizeof(outcome->text)));
	if (retry_after.ns > 0)
		p = put_retry_info(p, retry_after);
	return grpc_base64_encode(out, status, (size_t)(p - status));
}

/* --- Reading one -------------------------------------------------------- */

struct reader {
	const uint8_t *p, *end;
};

struct entry {
	uint64_t tag;		/* field << 3 | wire type */
	uint64_t value;		/* varints */
	struct reader body;	/* length-delimited */
};

static bool get_varint(struct reader *r, uint64_t *value)
{
	*value = 0;
	for (unsigned int shift = 0; shift < 64 && r->p < r->end; shift += 7) {
		uint8_t byte = *r->p++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

static bool skip(struct reader *r, uint64_t len)
{
	if (len > (uint64_t)(r->end - r->p))
		return false;
	r->p += len;
	return true;
}

/* Advances; false at the end and at the first thing that is broken. */
static bool next_entry(struct reader *r, struct entry *entry)
{
	if (r->p >= r->end || !get_varint(r, &entry->tag))
		return false;
	switch (entry->tag & 7) {
	case 0:
		return get_varint(r, &entry->value);
	case 1:
		return skip(r, 8);
	case 2:
		if (!get_varint(r, &entry->value))
			return false;
		entry->body.p = r->p;
		if (!skip(r, entry->value))
			return false;
		entry->body.end = r->p;
		return true;
	case 5:
		return skip(r, 4);
	}
	return false;
}

/* Only what stands after the last slash counts. */
static bool is_retry_info(const struct reader *url)
{
	static const char name[] = "google.rpc.RetryInfo";
	size_t len = (size_t)(url->end - url->p), n = sizeof(name) - 1;

	return len > n && !memcmp(url->end - n, name, n) &&
	       url->end[-(ptrdiff_t)n - 1] == '/';
}

/* Negative is no hint; what does not fit is clamped to some 146 years. */
static bool get_duration(struct reader r, weir_duration *out)
{
	struct entry e = { 0 };
	int64_t seconds = 0, nanos = 0;

	while (next_entry(&r, &e)) {
		if (e.tag == 0x08)
			seconds = (int64_t)e.value;
		else if (e.tag == 0x10)
			nanos = (int32_t)e.value;
	}
	if (seconds < 0 || nanos < 0 || nanos > 999999999)
		return false;
	if (seconds > INT64_MAX / 2000000000)
		seconds = INT64_MAX / 2000000000;
	out->ns = seconds * 1000000000 + nanos;
	return out->ns > 0;
}

static bool get_retry_info(struct reader any, weir_duration *out)
{
	struct reader value = { 0 };
	struct entry e = { 0 };
	bool ours = false;

	while (next_entry(&any, &e)) {
		if (e.tag == 0x0a)
			ours = is_retry_info(&e.body);
		else if (e.tag == 0x12)
			value = e.body;
	}
	while (ours && next_entry(&value, &e))
		if (e.tag == 0x0a)
			return get_duration(e.body, out);
	return false;
}

bool grpc_details_retry(weir_str value, weir_duration *retry_after)
{
	uint8_t status[4096];
	int64_t len = grpc_base64_decode(value, status, sizeof(status));
	struct reader r = { status, status + (len > 0 ? len : 0) };
	struct entry e = { 0 };

	while (next_entry(&r, &e))
		if (e.tag == 0x1a && get_retry_info(e.body, retry_after))
			return true;
	return false;
}

/* --- grpc-timeout ------------------------------------------------------- */

static uint64_t unit_of(char unit)
{
	switch (unit) {
	case 'H': return 3600000000000;
	case 'M': return 60000000000;
	case 'S': return 1000000000;
	case 'm': return 1000000;
	case 'u': return 1000;
	case 'n': return 1;
	}
	return 0;
}

bool grpc_timeout_parse(weir_str value, uint64_t *ns)
{
	uint64_t n = 0, unit;

	if (value.len < 2 || value.len > 9)
		return false;
	for (size_t i = 0; i < value.len - 1; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(value.ptr[i] - '0');
	}
	unit = unit_of(value.ptr[value.len - 1]);
	if (!unit)
		return false;
	*ns = n > INT64_MAX / unit ? INT64_MAX : n * unit;
	return true;
}

size_t grpc_timeout_format(char *out, uint64_t ns)
{
	static const char units[] = "numSMH";
	uint64_t n = ns;
	const char *unit = units;

	while (n > 99999999 && unit[1]) {
		unit++;
		n = ns / unit_of(*unit) + (ns % unit_of(*unit) != 0);
	}
	return (size_t)snprintf(out, GRPC_TIMEOUT_MAX, "%u%c",
				(unsigned int)n, *unit);
}

/* --- Codes -------------------------------------------------------------- */

enum weir_status grpc_status_parse(weir_str value)
{
	unsigned int code = 0;

	if (!value.len || value.len > 3)
		return WEIR_UNKNOWN;
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return WEIR_UNKNOWN;
		code = code * 10 + (unsigned int)(value.ptr[i] - '0');
	}
	return code <= WEIR_UNAUTHENTICATED ? (enum weir_status)code :
					      WEIR_UNKNOWN;
}

enum weir_status grpc_status_of_http(int http)
{
	switch (http) {
	case 400: case 431: return WEIR_INTERNAL;
	case 401: return WEIR_UNAUTHENTICATED;
	case 403: return WEIR_PERMISSION_DENIED;
	case 404: return WEIR_UNIMPLEMENTED;
	case 429: case 502: case 503: case 504: return WEIR_UNAVAILABLE;
	}
	return WEIR_UNKNOWN;
}

enum weir_status grpc_status_of_h2(uint32_t error)
{
	switch (error) {
	case 7: return WEIR_UNAVAILABLE;	/* REFUSED_STREAM */
	case 8: return WEIR_CANCELLED;		/* CANCEL */
	case 11: return WEIR_RESOURCE_EXHAUSTED; /* ENHANCE_YOUR_CALM */
	case 12: return WEIR_PERMISSION_DENIED;	/* INADEQUATE_SECURITY */
	}
	return WEIR_INTERNAL;
}
