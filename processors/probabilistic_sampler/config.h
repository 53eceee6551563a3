/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: the keys of the sampler, and what is checked of them.
 */
#ifndef PROBABILISTIC_SAMPLER_CONFIG_H
#define PROBABILISTIC_SAMPLER_CONFIG_H

#include <weir/config.h>

struct sampler_config {
	double sampling_percentage;	/* used in 32 bits */
	weir_str mode;
	uint32_t hash_seed;
	bool fail_closed;
	int64_t sampling_precision;
	weir_str attribute_source, from_attribute, sampling_priority;
};

extern const struct weir_field sampler_fields[];
/* 0, or weir_fail() with the Collector's sentence. */
int sampler_check(const struct sampler_config *config,
		  struct weir_error *error);

#endif
