/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.c: words to deeds.
 *
 * What is wrong is said in one line on stderr, "Error: ..."; the exit code is
 * 1 then, and 0 for what was done, also for a run that a signal ended.
 */
#include "cli.h"

#include <stdlib.h>

#include "base/log.h"
#include "options.h"
#include "config/plan.h"
#include "print_config.h"
#include "service.h"

static int complain(const char *text)
{
	fprintf(stderr, "Error: %s\n", text);
	return 1;
}

static int complain_error(const struct weir_error *error)
{
	char text[sizeof(*error)];

	plan_error_text(error, text, sizeof(text));
	return complain(text);
}

/* The same, at the place that its path names. */
static int complain_of(const struct plan *plan, const struct weir_error *said)
{
	struct weir_error error;

	tree_error(&error, tree_at(plan->tree, said->path), said->path, "%s",
		   said->text);
	return complain_error(&error);
}

/* --- with a configuration ------------------------------------------------ */

/* NULL: it has been said why. */
static struct plan *make_plan(struct loader *loader, const struct options *o)
{
	struct plan_request request = {
		.tree = {
			.sources = o->sources, .n = o->n_sources,
			.append = gates_on(&o->gates,
					   "confmap.enableMergeAppendOption"),
		},
		.allow_no_pipelines = gates_on(&o->gates,
					       "service.AllowNoPipelines"),
		.decode_only = o->command == COMMAND_PRINT_CONFIG &&
			       o->skip_validation,
	};
	struct weir_error error;
	struct plan *plan;

	if (!o->n_sources) {
		complain("at least one config flag must be provided: "
			 "weir --config FILE; weir --help tells more");
		return NULL;
	}
	gates_tell(&o->gates);
	plan = plan_build(loader, &request, &error);
	if (!plan)
		complain_error(&error);
	return plan;
}

/* "a.yaml, env:B and 2 --set": for the first screen. */
static const char *name_sources(struct options *o)
{
	size_t sets = o->n_sources - o->n_configs;
	struct buf buf = { 0 };
	const char *name;

	for (size_t i = 0; i < o->n_sources; i++) {
		const char *text = o->sources[i].text;
		bool inlined = !strncmp(text, "yaml:", 5);

		if (o->sources[i].set)
			continue;
		text += strncmp(text, "file:", 5) ? 0 : 5;
		buf_addf(&buf, "%s%s", buf.len ? ", " : "",
			 inlined ? "yaml:..." : text);
	}
	if (sets)
		buf_addf(&buf, "%s%zu --set", buf.len ? " and " : "", sets);
	name = arena_str(&o->arena,
			 (weir_str){ (char *)buf.ptr, buf.len }).ptr;
	buf_release(&buf);
	return name;
}

static int print_plan(const struct plan *plan, const struct options *o)
{
	struct print_options options = {
		.json = !strcmp(o->format, "json"),
		.unredacted = !strcmp(o->mode, "unredacted"),
	};

	print_config(plan, &options, stdout);
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	return complain("the configuration could not be written");
}

static int with_plan(struct loader *loader, struct options *o)
{
	struct plan *plan = make_plan(loader, o);
	struct weir_error error;
	int code = 0;

	if (!plan)
		return 1;
	if (o->command == COMMAND_PRINT_CONFIG)
		code = print_plan(plan, o);
	else if (o->command != COMMAND_RUN)
		;		/* validate: that was it */
	else if (log_setup(&plan->telemetry.log, &error))
		code = complain_of(plan, &error);
	else
		code = service_run(loader, plan, name_sources(o));
	plan_free(&plan);
	return code;
}

/* --- without ------------------------------------------------------------- */

static int describe(struct loader *loader, const struct options *o)
{
	struct weir_error error;

	if (!o->argument)
		return complain("describe what? As in: weir describe "
				"exporters/otlp_grpc; weir components lists "
				"them");
	if (describe_one(loader, o->argument, stdout, &error))
		return complain_error(&error);
	return 0;
}

static int show_gates(const struct options *o)
{
	if (!gates_print(&o->gates, o->argument, stdout))
		return 0;
	fprintf(stderr, "Error: feature \"%s\" not found\n", o->argument);
	return 1;
}

static int obey(struct options *o)
{
	char *dirs = loader_default_dirs(o->plugin_dir);
	struct loader *loader = loader_new(dirs);
	int code = 0;

	switch (o->command) {
	case COMMAND_RUN:
	case COMMAND_VALIDATE:
	case COMMAND_PRINT_CONFIG:
		code = with_plan(loader, o);
		break;
	case COMMAND_COMPONENTS:
		code = describe_all(loader, stdout);
		break;
	case COMMAND_SCHEMA:
		code = describe_schema(loader, stdout);
		break;
	case COMMAND_DESCRIBE:
		code = describe(loader, o);
		break;
	case COMMAND_FEATUREGATE:
		code = show_gates(o);
		break;
	case COMMAND_VERSION:
		printf("weir version %s\n", weir_version());
		break;
	case COMMAND_HELP:
		fputs(options_usage, stdout);
		break;
	}
	loader_free(&loader);
	free(dirs);
	return code;
}

int weir_main(int argc, char **argv)
{
	struct options options;
	int code = options_read(&options, argc, argv) ? 1 : obey(&options);

	options_release(&options);
	return code;
}
