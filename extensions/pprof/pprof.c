/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pprof: the Collector's profiler of Go programs.  There is no Go here: its
 * keys are accepted, it says so once, and opens no port and no file.
 */
#include <weir/plugin.h>

struct dialer {
	weir_duration timeout;
};

struct pprof {
	struct weir_component base;
	weir_str endpoint;
	struct dialer dialer;
	int64_t block_profile_fraction, mutex_profile_fraction;
	weir_str save_to_file;
};

static const struct weir_field dialer_fields[] = {
	WEIR_FIELD(struct dialer, timeout, "0s", "No effect."),
	WEIR_END
};

static const struct weir_field fields[] = {
	WEIR_FIELD(struct pprof, endpoint, "localhost:1777",
		   "No effect: nothing listens there."),
	WEIR_BLOCK(struct pprof, dialer, dialer_fields, "No effect."),
	WEIR_FIELD(struct pprof, block_profile_fraction, "0", "No effect."),
	WEIR_FIELD(struct pprof, mutex_profile_fraction, "0", "No effect."),
	WEIR_FIELD(struct pprof, save_to_file, "",
		   "No effect: nothing is written."),
	WEIR_END
};

static int start(struct weir_component *c, struct weir_error *error)
{
	(void)error;
	weir_log_warn(c, "The pprof extension does nothing here: weir is no Go "
		      "program. Use perf, or any profiler of C programs.",
		      NULL);
	return 0;
}

WEIR_PLUGIN(WEIR_EXTENSION, "pprof", "",
	.about = "Accepts the keys of the Collector's Go profiler, and does "
		 "nothing.",
	.placement = WEIR_ONE,
	.stability = WEIR_STABILITY_BETA,
	.size = sizeof(struct pprof),
	.fields = fields,
	.start = start,
);
