/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h: what service.c tells of the process; see <weir/service.h> for what
 * extensions may ask.
 */
#ifndef CORE_PROCESS_H
#define CORE_PROCESS_H

#include "config/plan.h"

/* Takes over resource and metrics level; makes service.instance.id. */
void process_describe(const struct plan_telemetry *telemetry);
/* Prints what listens where, and what to set in an application. */
void process_first_screen(const char *config_path);

#endif
