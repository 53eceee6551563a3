/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print_config.h: the effective configuration, for people and for tools.
 */
#ifndef CORE_PRINT_CONFIG_H
#define CORE_PRINT_CONFIG_H

#include <stdio.h>

#include "config/plan.h"

struct print_options {
	bool json;
	bool unredacted;	/* secrets are shown */
};

/* What the plan's components are bound to, defaults included, and the service
 * as it is written.  Unredacted, it makes the same plan when it is read. */
void print_config(const struct plan *plan, const struct print_options *options,
		  FILE *out);
/* "1m30s", as Go writes durations and bind_duration reads them. */
void print_duration(weir_duration d, char *out, size_t size);

#endif
