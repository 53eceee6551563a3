/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.h: a snapshot of metrics as Prometheus text 0.0.4.  Pure.
 */
#ifndef TELEMETRY_ENCODE_H
#define TELEMETRY_ENCODE_H

#include <weir/config.h>
#include <weir/service.h>

/* Growable text; zero-initialised, freed by text_release. */
struct text {
	char *ptr;
	size_t len, cap;
	bool failed;		/* memory ran out: what is there is not whole */
};
void text_release(struct text *text);

struct label_filter {		/* which resource attributes are labels */
	bool enabled;
	struct weir_strs included, excluded;	/* included empty: all */
};
bool label_is_listed(const struct weir_strs *list, weir_str name);

struct encode_options {
	bool without_units;		/* no _seconds, _bytes... */
	bool without_type_suffix;	/* no _total */
	bool without_scope_info;	/* no otel_scope_... labels */
	const char *scope_version;
	const struct label_filter *constant;	/* NULL: none */
	const struct weir_label *resource;	/* of the process */
	size_t n_resource;
};

/* Appends all families, the scrape handler's own, and target_info with the
 * resource's labels. */
void encode_metrics(struct text *out, const struct encode_options *options,
		    const struct weir_family *families, size_t n);

#endif
