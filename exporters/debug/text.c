/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: numbers, times, ids and wrappers as the debug exporter shows them.
 * Pure; holds nothing.
 */
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SECOND 1000000000

struct debug_wrappers debug_wrappers(const struct weir_batch *batch)
{
	struct debug_wrappers w = { 0 };

	w.slices = weir_batch_slices(batch, &w.n);
	return w;
}

static bool next_slice(struct debug_wrappers *w)
{
	if (!w->n)
		return false;
	/* A run of field-1 records reads like a message that holds them. */
	w->cur = weir_messages((weir_str){ (const char *)w->slices->ptr,
					   w->slices->len }, 1);
	w->slices++;
	w->n--;
	return true;
}

bool debug_wrapper_next(struct debug_wrappers *w)
{
	if (!w->begun && !next_slice(w))
		return false;
	while (!weir_message_next(&w->cur))
		if (!next_slice(w))
			return false;
	w->index = w->begun ? w->index + 1 : 0;
	w->begun = true;
	return true;
}

struct debug_counts debug_count(const struct weir_batch *batch)
{
	struct debug_wrappers w = debug_wrappers(batch);
	struct debug_counts counts = { 0 };

	while (debug_wrapper_next(&w)) {
		struct weir_message_cursor scopes, metrics;

		counts.resources++;
		if (weir_batch_signal(batch) != WEIR_SIGNAL_METRICS)
			continue;
		scopes = weir_messages(w.cur.message, 2);
		while (weir_message_next(&scopes)) {
			metrics = weir_messages(scopes.message, 2);
			while (weir_message_next(&metrics))
				counts.metrics++;
		}
	}
	return counts;
}

void debug_value(struct weir_text *out, const struct weir_value *value)
{
	if (value->type == WEIR_VALUE_STRING)
		weir_text_add(out, value->str);
	else
		weir_value_text(value, out);	/* appended to out */
}

void debug_id(struct weir_text *out, weir_str id)
{
	for (size_t i = 0; i < id.len; i++) {
		if (id.ptr[i]) {
			weir_text_add_hex(out, id);
			return;
		}
	}
}

static bool special(struct weir_text *out, double value)
{
	if (isnan(value))
		weir_text_add(out, WEIR_STR("NaN"));
	else if (isinf(value))
		weir_text_add(out, value > 0 ? WEIR_STR("+Inf") :
					       WEIR_STR("-Inf"));
	else
		return false;
	return true;
}

void debug_double(struct weir_text *out, double value)
{
	char text[40];
	int digits = 1, exponent;

	if (special(out, value))
		return;
	do	/* the fewest digits that read back the same */
		snprintf(text, sizeof(text), "%.*e", digits - 1, value);
	while (strtod(text, NULL) != value && digits++ < 17);
	exponent = (int)strtol(strchr(text, 'e') + 1, NULL, 10);
	if (exponent >= -4 && exponent < 6) {
		int behind = digits - 1 - exponent;

		snprintf(text, sizeof(text), "%.*f", behind > 0 ? behind : 0,
			 value);
	}
	weir_text_add(out, weir_str_of(text));
}

void debug_fixed(struct weir_text *out, double value)
{
	if (!special(out, value))
		weir_text_addf(out, "%f", value);
}

/* Go's has no finite result from 1024 ln 2 on; the C library's does. */
double debug_exp(double x)
{
	return x >= 709.782712893383973096 ? INFINITY : exp(x);
}

void debug_time(struct weir_text *out, uint64_t unix_nano)
{
	/* As the Collector has it: from 2^63 on before 1970. */
	int64_t signed_nano = (int64_t)unix_nano;
	time_t seconds = (time_t)(signed_nano / SECOND);
	int32_t nanos = (int32_t)(signed_nano % SECOND);
	char text[64], fraction[16];
	struct tm tm;
	size_t n;

	if (nanos < 0) {
		nanos += SECOND;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	weir_text_add(out, weir_str_of(text));
	if (nanos) {
		n = (size_t)snprintf(fraction, sizeof(fraction), ".%09d",
				     nanos);
		while (fraction[n - 1] == '0')
			n--;
		weir_text_add(out, (weir_str){ fraction, n });
	}
	weir_text_add(out, WEIR_STR(" +0000 UTC"));
}

struct debug_packed debug_packed(weir_str bytes)
{
	const uint8_t *p = (const uint8_t *)bytes.ptr;

	return (struct debug_packed){ p, p ? p + bytes.len : p, 0 };
}

bool debug_next_fixed(struct debug_packed *packed)
{
	if (packed->end - packed->p < 8)
		return false;
	packed->value = 0;
	for (unsigned int i = 0; i < 8; i++)
		packed->value |= (uint64_t)*packed->p++ << 8 * i;
	return true;
}

bool debug_next_varint(struct debug_packed *packed)
{
	packed->value = 0;
	for (unsigned int shift = 0; shift < 64 && packed->p < packed->end;
	     shift += 7) {
		uint8_t byte = *packed->p++;

		packed->value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

bool debug_last_varint(struct debug_packed *packed)
{
	const uint8_t *start = packed->end, *end = packed->end;

	if (start == packed->p)
		return false;
	do		/* the byte before a varint ends another */
		start--;
	while (start > packed->p && start[-1] >= 0x80);
	for (packed->value = 0; end > start;)
		packed->value = packed->value << 7 | (*--end & 0x7f);
	packed->end = start;
	return true;
}

size_t debug_varints(weir_str bytes)
{
	struct debug_packed packed = debug_packed(bytes);
	size_t n = 0;

	while (debug_next_varint(&packed))
		n++;
	return n;
}
