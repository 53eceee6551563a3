/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.c: thresholds, randomness, and which is above.
 *
 * Holds nothing.
 */
#include "sampler.h"

#include <math.h>

/* --- Numbers ------------------------------------------------------------------ */

/* Digits are added for leading 0 and f, so that small probabilities, and those
 * near 1, keep their relative precision. */
uint64_t threshold_of(double probability, int precision)
{
	int exponent, rest, digits;
	uint64_t threshold, half;

	if (probability == 1)
		return WEIR_SAMPLE_ALWAYS;
	frexp(probability, &exponent);
	frexp(1 - probability, &rest);
	if (exponent > rest)
		exponent = rest;
	digits = precision + exponent / -4;
	threshold = WEIR_SAMPLE_NEVER - (uint64_t)round(probability * 0x1p56);
	if (digits >= WEIR_SAMPLING_DIGITS)
		return threshold;
	half = UINT64_C(1) << (4 * (WEIR_SAMPLING_DIGITS - digits) - 1);
	return (threshold + half) & ~(2 * half - 1);
}

/* FNV-1a of 32 bits. */
static uint32_t fnv(uint32_t hash, const void *bytes, size_t len)
{
	for (const uint8_t *p = bytes, *end = p + len; p != end; p++)
		hash = (hash ^ *p) * 16777619u;
	return hash;
}

/*
 * The hash's low 14 bits decide, as they always have: kept when below the
 * accepted share.  Turned around they are the high bits of a randomness, whose
 * rest is a mixture of what was not used.
 *	55      42 41                14 13     0
 *	 0x3fff-low  (high ^ high<<10)    low
 */
uint64_t randomness_of_hash(weir_str bytes, uint32_t seed)
{
	const uint8_t salt[] = { (uint8_t)seed, (uint8_t)(seed >> 8),
				 (uint8_t)(seed >> 16), (uint8_t)(seed >> 24) };
	uint32_t hash = fnv(2166136261u, salt, sizeof(salt));
	uint64_t low, high;

	if (bytes.len)
		hash = fnv(hash, bytes.ptr, bytes.len);
	low = hash & 0x3fff;
	high = hash >> 18;
	return (0x3fff - low) << 42 | (high ^ high << 10) << 14 | low;
}

uint64_t randomness_of_trace_id(weir_str id)
{
	uint64_t randomness = 0;

	for (size_t i = id.len - 7; i < id.len; i++)
		randomness = randomness << 8 | (uint8_t)id.ptr[i];
	return randomness;
}

/* --- Settings ----------------------------------------------------------------- */

/* The share that the hash accepts, of 2^14: in 32 bits, cut off. */
static void init_hash(struct sampler *sampler, float percentage)
{
	uint32_t accepted = (uint32_t)(percentage * 163.84f);

	sampler->mode = accepted ? MODE_HASH : MODE_NEVER;
	sampler->threshold = (uint64_t)(0x4000 - accepted) << 42;
}

void sampler_init(struct sampler *sampler, weir_str mode, float percentage)
{
	if (percentage > 100)
		percentage = 100;
	sampler->ratio = (double)percentage / 100;
	if (sampler->ratio < PROBABILITY_MIN)
		sampler->ratio = PROBABILITY_MIN;
	if (percentage == 0) {
		sampler->mode = MODE_NEVER;
	} else if (weir_str_eq(mode, WEIR_STR("proportional"))) {
		sampler->mode = MODE_PROPORTIONAL;
	} else if (weir_str_eq(mode, WEIR_STR("equalizing"))) {
		sampler->mode = MODE_EQUALIZING;
		sampler->threshold = threshold_of(sampler->ratio,
						  sampler->precision);
	} else {
		init_hash(sampler, percentage);
	}
}

/* --- Deciding ----------------------------------------------------------------- */

static void set(struct decision *d, enum policy policy, uint64_t randomness)
{
	d->policy = policy;
	d->randomness = randomness;
}

/* Only a priority can keep an item, and any does. */
static void never(struct decision *d, const struct arrived *item)
{
	set(d, BY_PRIORITY, RANDOMNESS_MAX);
	d->writes = true;
	if (item->broken)
		d->error = UNREADABLE;
}

/* Leaves alone what takes part in another way of sampling. */
static void by_hash(struct decision *d, const struct sampler *sampler,
		    const struct arrived *item)
{
	if (item->trace_id.len)
		set(d, BY_TRACE_ID_HASH,
		    randomness_of_hash(item->trace_id, sampler->seed));
	else if (item->hashed.len)
		set(d, BY_ATTRIBUTE,
		    randomness_of_hash(item->hashed, sampler->seed));
	if (item->broken)
		d->error = UNREADABLE;
	else if (item->has_randomness)
		d->error = RANDOMNESS_IN_USE;
	else if (item->has_threshold)
		d->error = THRESHOLD_IN_USE;
	d->writes = !d->error;
	d->writes_randomness = d->writes &&
		(!item->is_log || d->policy != BY_NOTHING);
}

static void by_trace_id(struct decision *d, const struct arrived *item)
{
	d->writes = !item->broken;
	if (item->broken)
		d->error = UNREADABLE;
	else if (item->has_randomness)
		set(d, BY_RANDOMNESS, item->randomness);
	else if (item->trace_id.len)
		set(d, BY_TRACE_ID, randomness_of_trace_id(item->trace_id));
}

static void check(struct decision *d, const struct arrived *item)
{
	if (d->policy == BY_NOTHING) {
		d->error = MISSING_RANDOMNESS;
	} else if (item->has_threshold && item->threshold > d->randomness) {
		d->error = INCONSISTENT_THRESHOLD;
		d->clears_threshold = true;
	}
}

static uint64_t proportional(const struct sampler *sampler,
			     const struct arrived *item)
{
	double probability = 1;

	if (item->has_threshold)
		probability = (double)(WEIR_SAMPLE_NEVER - item->threshold) /
			0x1p56;
	probability *= sampler->ratio;
	if (probability < PROBABILITY_MIN)
		return WEIR_SAMPLE_NEVER;
	return threshold_of(probability, sampler->precision);
}

static uint64_t wanted(const struct sampler *sampler,
		       const struct arrived *item)
{
	if (sampler->mode == MODE_NEVER)
		return WEIR_SAMPLE_NEVER;
	if (sampler->mode == MODE_PROPORTIONAL)
		return proportional(sampler, item);
	if (sampler->mode == MODE_EQUALIZING && item->has_threshold &&
	    item->threshold > sampler->threshold)
		return item->threshold;
	return sampler->threshold;
}

struct decision sampler_decide(const struct sampler *sampler,
			       const struct arrived *item)
{
	struct decision d = { .policy = BY_NOTHING,
			      .randomness = RANDOMNESS_MAX };

	if (sampler->mode == MODE_NEVER)
		never(&d, item);
	else if (sampler->mode == MODE_HASH)
		by_hash(&d, sampler, item);
	else
		by_trace_id(&d, item);
	if (!d.error)
		check(&d, item);
	if (!d.error)
		d.threshold = wanted(sampler, item);
	else
		d.threshold = sampler->fail_closed ? WEIR_SAMPLE_NEVER
						   : WEIR_SAMPLE_ALWAYS;
	return d;
}

const char *sampler_error_text(enum sampler_error error)
{
	static const char *const texts[] = {
		[SAMPLED_WELL] = "",
		[MISSING_RANDOMNESS] = "missing randomness",
		[RANDOMNESS_IN_USE] = "item has sampling randomness, "
			"equalizing or proportional mode recommended",
		[THRESHOLD_IN_USE] = "item has sampling threshold, "
			"equalizing or proportional mode recommended",
		[INCONSISTENT_THRESHOLD] = "inconsistent arriving threshold: "
			"item should not have been sampled",
		[UNREADABLE] = "sampling information cannot be read" };

	return texts[error];
}
