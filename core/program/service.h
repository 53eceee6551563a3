/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h: the process from start to drain.
 */
#ifndef CORE_SERVICE_H
#define CORE_SERVICE_H

#include <weir/service.h>

#include "config/plan.h"

/* Runs the plan until SIGTERM or SIGINT, drains, and returns the exit code.
 * config_path: for the first screen. */
int service_run(struct loader *loader, struct plan *plan,
		const char *config_path);

/* service.telemetry.metrics.level of the plan that runs. */
enum weir_metric_level service_metrics_level(void);
/* Tests: what service_run would have set. */
void service_set_state(enum weir_service_state state);

#endif
