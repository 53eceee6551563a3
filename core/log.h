/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h: where lines go.  Writing them is <weir/log.h>.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <weir/config.h>
#include <weir/log.h>

struct log_options {
	weir_str level;		/* "debug" ... "fatal"; empty: info */
	weir_str encoding;	/* "console", "json"; empty: console */
	struct weir_strs paths;	/* files, "stdout", "stderr"; none: stderr */
	bool disable_caller;
};

/* From here on lines are written so; before, INFO to stderr.  Any thread; lines
 * under way end where they began.  -1 and a sentence when a file cannot be
 * opened: nothing has changed then. */
int log_setup(const struct log_options *options, struct weir_error *error);

#endif
