/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.c: the keys of the sampler, and what is checked of them.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sampler.h"

const struct weir_field sampler_fields[] = {
	WEIR_FIELD(struct sampler_config, sampling_percentage, "0",
		   "Share of the items that is kept, in percent; 0 keeps none, "
		   "100 and more all."),
	WEIR_FIELD(struct sampler_config, mode, NULL,
		   "hash_seed (also when empty), proportional or equalizing."),
	WEIR_FIELD(struct sampler_config, hash_seed, "0",
		   "Hashed before the id, in mode hash_seed; the same in all "
		   "collectors of a tier."),
	WEIR_FIELD(struct sampler_config, fail_closed, "true",
		   "Drop items whose sampling information cannot be used; "
		   "false keeps them."),
	WEIR_FIELD(struct sampler_config, sampling_precision, "4",
		   "Hex digits of a threshold, 1 to 14."),
	WEIR_FIELD(struct sampler_config, attribute_source, "traceID",
		   "Logs, mode hash_seed: traceID hashes the trace id, and "
		   "from_attribute without one; record only from_attribute."),
	WEIR_FIELD(struct sampler_config, from_attribute, NULL,
		   "Logs, mode hash_seed: attribute whose value is hashed."),
	WEIR_FIELD(struct sampler_config, sampling_priority, NULL,
		   "Logs: attribute with a percentage that replaces the "
		   "record's own."),
	WEIR_END
};

/* Go's %f of what is no number. */
static int fail_invalid(struct weir_error *error, float percentage)
{
	return weir_fail(error, "sampling_percentage",
			 "sampling rate is invalid: %s%%",
			 isnan(percentage) ? "NaN" :
			 percentage < 0 ? "-Inf" : "+Inf");
}

/* Go's %g of a small float: as few digits as read back the same. */
static int fail_small(struct weir_error *error, float percentage)
{
	char text[32];
	int digits = 0;

	do
		snprintf(text, sizeof(text), "%.*e", digits,
			 (double)percentage);
	while (strtof(text, NULL) != percentage && ++digits < 9);
	return weir_fail(error, "sampling_percentage",
			 "sampling rate is too small: %s%%", text);
}

static int check_percentage(float percentage, struct weir_error *error)
{
	double ratio = (double)percentage / 100;

	if (!isfinite(percentage))
		return fail_invalid(error, percentage);
	if (ratio < 0)
		return weir_fail(error, "sampling_percentage",
				 "sampling rate is negative: %f%%",
				 (double)percentage);
	if (ratio != 0 && ratio < PROBABILITY_MIN)
		return fail_small(error, percentage);
	return 0;
}

static bool is_one_of(weir_str text, const char *const *words)
{
	while (*words)
		if (weir_str_eq(text, weir_str_of(*words++)))
			return true;
	return false;
}

static int check_words(const struct sampler_config *config,
		       struct weir_error *error)
{
	static const char *const modes[] = { "", "hash_seed", "proportional",
					     "equalizing", NULL };
	static const char *const sources[] = { "", "traceID", "record", NULL };

	if (!is_one_of(config->mode, modes))
		return weir_fail(error, "mode",
				 "unsupported sampler mode \"%.*s\"",
				 WEIR_STR_FMT(config->mode));
	if (!is_one_of(config->attribute_source, sources))
		return weir_fail(error, "attribute_source", "invalid attribute "
				 "source: %.*s. Expected: traceID or record",
				 WEIR_STR_FMT(config->attribute_source));
	return 0;
}

int sampler_check(const struct sampler_config *config,
		  struct weir_error *error)
{
	long long precision = config->sampling_precision;

	if (check_words(config, error) ||
	    check_percentage((float)config->sampling_percentage, error))
		return -1;
	if (precision <= 0)	/* upstream a negative one keeps everything */
		return weir_fail(error, "sampling_precision",
				 "invalid sampling precision: %lld", precision);
	if (precision > WEIR_SAMPLING_DIGITS)
		return weir_fail(error, "sampling_precision", "sampling "
				 "precision is too great, should be <= 14: "
				 "%lld", precision);
	return 0;
}
