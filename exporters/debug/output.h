/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h: the exporter's own streams, when it does not use the log.
 */
#ifndef EXPORTERS_DEBUG_OUTPUT_H
#define EXPORTERS_DEBUG_OUTPUT_H

#include <weir/config.h>
#include <weir/value.h>

struct debug_output {
	int *fds;
	size_t n;
};

/* paths: a list of "stdout", "stderr" and files, one of them, or NULL for
 * stdout.  -1 and a
 * sentence when a file cannot be opened; close is due all the same. */
int debug_output_open(struct debug_output *o, const struct weir_node *paths,
		      struct weir_error *error);
/* Writes the text to each, in one piece where the kernel takes it so. */
void debug_output_write(struct debug_output *o, const struct weir_text *text);
void debug_output_close(struct debug_output *o);

#endif
