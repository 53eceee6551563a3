/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler.h: one decision, from what an item carries and how we are set.
 *
 * Pure: no batch, no clock, no memory.  Randomness is in 0 .. 2^56-1, a
 * threshold in 0 .. 2^56; an item is kept when its threshold is not above its
 * randomness.
 */
#ifndef PROBABILISTIC_SAMPLER_H
#define PROBABILISTIC_SAMPLER_H

#include <weir/base.h>
#include <weir/kit/tracestate.h>

#define RANDOMNESS_MAX (WEIR_SAMPLE_NEVER - 1)
#define PROBABILITY_MIN 0x1p-56

enum sampler_mode { MODE_NEVER, MODE_HASH, MODE_PROPORTIONAL, MODE_EQUALIZING };

struct sampler {
	enum sampler_mode mode;
	uint64_t threshold;	/* HASH, EQUALIZING */
	double ratio;		/* PROPORTIONAL */
	int precision;		/* hex digits */
	uint32_t seed;		/* HASH */
	bool fail_closed;
};

/* Where the randomness came from: the label `policy`. */
enum policy {
	BY_TRACE_ID_HASH, BY_ATTRIBUTE, BY_TRACE_ID, BY_RANDOMNESS,
	BY_NOTHING, BY_PRIORITY, N_POLICIES
};

/* What an item came with. */
struct arrived {
	bool broken;		/* what it carries cannot all be read */
	bool has_randomness, has_threshold;
	uint64_t randomness, threshold;
	weir_str trace_id;	/* 16 bytes, not all zero; else "" */
	weir_str hashed;	/* MODE_HASH, without trace id: other bytes */
	bool is_log;
};

enum sampler_error {
	SAMPLED_WELL, MISSING_RANDOMNESS, RANDOMNESS_IN_USE, THRESHOLD_IN_USE,
	INCONSISTENT_THRESHOLD, UNREADABLE
};

struct decision {
	enum sampler_error error;
	enum policy policy;
	uint64_t randomness, threshold;
	bool writes;		/* kept: the threshold is put into the item, */
	bool writes_randomness;	/* and the randomness before, */
	bool clears_threshold;	/* and no threshold that was there counts */
};

/* Sets mode, threshold and ratio; all other members are set already. */
void sampler_init(struct sampler *sampler, weir_str mode, float percentage);
/* What sampling alone says; a priority may change it then. */
struct decision sampler_decide(const struct sampler *sampler,
			       const struct arrived *item);
static inline bool decision_keeps(const struct decision *decision)
{
	return decision->threshold <= decision->randomness;
}

/* The threshold of a probability in PROBABILITY_MIN .. 1. */
uint64_t threshold_of(double probability, int precision);
/* 14 bits of a hash decide, all of it is kept. */
uint64_t randomness_of_hash(weir_str bytes, uint32_t seed);
/* The low 56 bits of a trace id. */
uint64_t randomness_of_trace_id(weir_str id);
const char *sampler_error_text(enum sampler_error error);

#endif
