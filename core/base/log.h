/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: where lines go.  Writing them is <weir/log.h>.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <weir/config.h>
#include <weir/log.h>

struct log_sampling {		/* of the lines of one call site */
	bool enabled;
	weir_duration tick;
	int64_t initial;	/* written in a tick, then ... */
	int64_t thereafter;	/* ... each of so many; 0: none */
};

struct log_options {
	weir_str level;		/* "debug" ... "fatal"; empty: info */
	weir_str encoding;	/* "console", "json"; empty: console */
	struct weir_strs paths;	/* files, "stdout", "stderr"; none: stderr */
	struct weir_strs error_paths;	/* where failed writes are told */
	bool nowhere;		/* no line is written */
	bool disable_caller;
	bool resource;		/* lines show weir_service_resource() */
	const struct log_sampling *sampling;	/* NULL: 10s, 10, 100 */
	const struct weir_node *initial_fields;	/* a map, or NULL */
};

/* From here on lines are written so; before, INFO to stderr.  Any thread; lines
 * under way end where they began.  -1, a sentence and the key when a file
 * cannot be opened: nothing has changed then.  The options are not kept. */
int log_setup(const struct log_options *options, struct weir_error *error);

#endif
