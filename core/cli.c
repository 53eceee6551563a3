/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli.c: words to deeds.
 *
 * Flags may stand before or behind the command.  What is wrong is said in one
 * line on stderr, "Error: ...", with the nearest word that would have been
 * right; the exit code is 1 then.
 */
#include "cli.h"

#include <stdlib.h>

#include "bind.h"
#include "log.h"
#include "plan.h"
#include "service.h"

static const char usage[] =
	"weir receives, changes and sends on OpenTelemetry data.\n"
	"\n"
	"Usage:\n"
	"  weir --config FILE           run the pipelines of FILE\n"
	"  weir validate --config FILE  check FILE, run nothing\n"
	"  weir components              list what can be loaded, as YAML\n"
	"  weir describe KIND/TYPE      keys and metrics of one component,\n"
	"                               as exporters/otlp_grpc\n"
	"  weir schema                  a JSON Schema of the configuration,\n"
	"                               for editors\n"
	"\n"
	"Flags:\n"
	"  --config FILE      configuration, as the OpenTelemetry Collector's\n"
	"  --plugin-dir DIRS  where plugins are, colon-separated; else\n"
	"                     WEIR_PLUGIN_PATH, else beside the program\n"
	"  --version, -v      print the version\n"
	"  --help, -h         print this\n";

enum command { RUN, VALIDATE, COMPONENTS, DESCRIBE, SCHEMA, VERSION, HELP };

static const char *const commands[] = {
	[RUN] = "run", [VALIDATE] = "validate", [COMPONENTS] = "components",
	[DESCRIBE] = "describe", [SCHEMA] = "schema", [VERSION] = "version", [HELP] = "help",
};
#define N_COMMANDS (sizeof(commands) / sizeof(*commands))

struct options {
	enum command command;
	bool has_command;
	const char *config, *plugin_dir, *argument;
};

/* --- reading the words ------------------------------------------------------------- */

static int complain(const char *text)
{
	fprintf(stderr, "Error: %s\n", text);
	return 1;
}

static int complain_of(const char *what, const char *word,
		       const char *const *known, size_t n)
{
	struct nearest nearest = { .written = weir_str_of(word) };
	struct arena arena = { 0 };

	for (size_t i = 0; i < n; i++)
		nearest_offer(&nearest, weir_str_of(known[i]));
	fprintf(stderr, "Error: unknown %s \"%s\"%s\n", what, word,
		nearest_hint(&nearest, &arena));
	arena_release(&arena);
	return 1;
}

/* `--name value` or `--name=value`; 1 when it is this flag, -1 when its value
 * is missing. */
static int take_value(const char *name, char **argv, int *i,
		      const char **value)
{
	size_t len = strlen(name);

	if (strncmp(argv[*i], name, len))
		return 0;
	if (argv[*i][len] == '=') {
		*value = argv[*i] + len + 1;
		return 1;
	}
	if (argv[*i][len])
		return 0;
	if (!argv[*i + 1]) {
		fprintf(stderr, "Error: flag needs an argument: %s\n", name);
		return -1;
	}
	*value = argv[++*i];
	return 1;
}

static int take_config(char **argv, int *i, struct options *o)
{
	const char *value, *before = o->config;
	int took = take_value("--config", argv, i, &value);

	if (took != 1)
		return took;
	if (before) {
		complain("only one --config is possible");
		return -1;
	}
	o->config = strncmp(value, "file:", 5) ? value : value + 5;
	return 1;
}

static int take_flag(char **argv, int *i, struct options *o)
{
	static const char *const known[] = { "--config", "--plugin-dir",
					     "--version", "--help" };
	const char *gates;
	int took = take_config(argv, i, o);

	if (!took)
		took = take_value("--plugin-dir", argv, i, &o->plugin_dir);
	if (!took) {
		took = take_value("--feature-gates", argv, i, &gates);
		if (took == 1)
			weir_log_warn(NULL, "Feature gates of the Collector "
				      "have no effect", "gates=%s", gates);
	}
	if (took)
		return took < 0 ? 1 : 0;
	if (!strcmp(argv[*i], "--version") || !strcmp(argv[*i], "-v"))
		o->command = VERSION;
	else if (!strcmp(argv[*i], "--help") || !strcmp(argv[*i], "-h"))
		o->command = HELP;
	else
		return complain_of("flag", argv[*i], known, 4);
	o->has_command = true;
	return 0;
}

static int take_word(const char *word, struct options *o)
{
	if (o->has_command && o->command == DESCRIBE && !o->argument) {
		o->argument = word;
		return 0;
	}
	for (size_t i = 0; !o->has_command && i < N_COMMANDS; i++)
		if (!strcmp(word, commands[i])) {
			o->command = (enum command)i;
			o->has_command = true;
			return 0;
		}
	return complain_of(o->has_command ? "argument" : "command", word,
			   commands, N_COMMANDS);
}

static int read_options(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++)
		if (*argv[i] == '-' ? take_flag(argv, &i, o)
				    : take_word(argv[i], o))
			return 1;
	return 0;
}

/* --- deeds -------------------------------------------------------------------------- */

static int complain_error(const struct weir_error *error)
{
	char text[sizeof(*error)];

	plan_error_text(error, text, sizeof(text));
	return complain(text);
}

static int run(struct loader *loader, const struct options *o)
{
	struct weir_error error;
	struct plan *plan;
	int code;

	if (!o->config)
		return complain("at least one config flag must be provided: "
				"weir --config FILE; weir --help tells more");
	plan = plan_load(loader, o->config, &error);
	if (!plan)
		return complain_error(&error);
	if (o->command == VALIDATE)
		code = 0;
	else if (log_setup(&plan->telemetry.log, &error))
		code = complain_error(&error);
	else
		code = service_run(loader, plan, o->config);
	plan_free(&plan);
	return code;
}

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

static int obey(const struct options *o)
{
	char *dirs = loader_default_dirs(o->plugin_dir);
	struct loader *loader = loader_new(dirs);
	int code = 0;

	switch (o->command) {
	case RUN:
	case VALIDATE:
		code = run(loader, o);
		break;
	case COMPONENTS:
		code = describe_all(loader, stdout);
		break;
	case DESCRIBE:
		code = describe(loader, o);
		break;
	case SCHEMA:
		code = describe_schema(loader, stdout);
		break;
	case VERSION:
		printf("weir version %s\n", weir_version());
		break;
	case HELP:
		fputs(usage, stdout);
		break;
	}
	loader_free(&loader);
	free(dirs);
	return code;
}

int weir_main(int argc, char **argv)
{
	struct options options = { .command = RUN };

	if (read_options(argc, argv, &options))
		return 1;
	return obey(&options);
}
