/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h: what extensions may ask about the process.
 */
#ifndef WEIR_SERVICE_H
#define WEIR_SERVICE_H

#include <weir/base.h>
#include <weir/metric.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_component;

enum weir_service_state {
	WEIR_SERVICE_STARTING, WEIR_SERVICE_READY, WEIR_SERVICE_STOPPING
};
/* Any thread. */
WEIR_API enum weir_service_state weir_service_state(void);
/* weir_wall_now() and weir_now() when it became ready; 0 before. */
WEIR_API void weir_service_since(uint64_t *wall, uint64_t *now);
WEIR_API const char *weir_version(void);

/* --- Metrics of the whole process ------------------------------------------------- */

struct weir_label {
	weir_str name, value;
};

/* One series of a snapshot, summed over workers. */
struct weir_sample {
	const struct weir_label *labels;
	size_t n_labels;
	union {
		uint64_t counter;
		int64_t gauge;
		double real;		/* when the family says is_real */
		const weir_histogram *histogram;
	};
};

struct weir_family {
	weir_str name, help, unit;
	enum weir_metric_type type;
	bool is_real;
	const double *bounds;		/* histograms */
	size_t n_bounds;
	const struct weir_sample *samples;
	size_t n_samples;
};

/* Asks every worker by message; then runs done on c's thread with all families,
 * sorted by name.  They die with the call.  done runs exactly once. */
WEIR_API void weir_metrics_snapshot(struct weir_component *c,
	void (*done)(struct weir_component *c, void *arg,
		     const struct weir_family *families, size_t n),
	void *arg);

/* Resource attributes of this process (service.name, service.version,
 * service.instance.id, and what service.telemetry.resource says). */
WEIR_API const struct weir_label *weir_service_resource(size_t *n);

#ifdef __cplusplus
}
#endif
#endif
