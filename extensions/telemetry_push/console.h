/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.h: an export request, printed as a line of OTLP/JSON.
 */
#ifndef TELEMETRY_PUSH_CONSOLE_H
#define TELEMETRY_PUSH_CONSOLE_H

#include <weir/plugin.h>

/* Writes the request to stdout, on the thread pool; gives up when nothing could
 * be written for `patience`, 2 s at most.  done runs once, in this call or
 * later, with NULL or why not.  The bytes are not used after the call. */
void console_print(struct weir_component *c, const struct weir_slice *request,
		   weir_duration patience,
		   void (*done)(struct weir_component *c, const char *failure));

#endif
