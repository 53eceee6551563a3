/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h: the words of a command line, read.
 */
#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include "config/gates.h"
#include "config/tree.h"

enum command {
	COMMAND_RUN, COMMAND_VALIDATE, COMMAND_PRINT_CONFIG,
	COMMAND_COMPONENTS, COMMAND_DESCRIBE, COMMAND_SCHEMA,
	COMMAND_FEATUREGATE, COMMAND_VERSION, COMMAND_HELP
};

struct options {
	struct arena arena;
	enum command command;
	struct tree_source *sources;	/* --config and --set, as they came */
	size_t n_sources, n_configs;
	struct gates gates;
	const char *plugin_dir, *argument;
	const char *mode, *format;	/* print-config */
	bool skip_validation;
};

/* Reads argv[1..]; -1 when something is wrong, which has been said on stderr
 * as one line, "Error: ...".  To be released either way. */
int options_read(struct options *options, int argc, char **argv);
void options_release(struct options *options);
/* What --help prints. */
extern const char options_usage[];

#endif
