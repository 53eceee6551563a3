/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.h: the command line.
 */
#ifndef CORE_CLI_H
#define CORE_CLI_H

#include <stdio.h>

#include "plugin/loader.h"

/* The whole program; returns its exit code. */
WEIR_API int weir_main(int argc, char **argv);

/* `weir components`: what can be loaded, as YAML. */
int describe_all(struct loader *loader, FILE *out);
/* `weir describe exporters/otlp_grpc`: keys, defaults, metrics.  -1 and a
 * sentence when there is no such component. */
int describe_one(struct loader *loader, const char *name, FILE *out,
		 struct weir_error *error);

/* `weir schema`: a JSON Schema of the whole configuration, for editors. */
int describe_schema(struct loader *loader, FILE *out);

#endif
