/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: argv to a struct.
 *
 * Flags may stand before or behind the command, as `--flag value` or
 * `--flag=value`.  What is wrong is said in one line with the nearest word
 * that would have been right.  Nothing is obeyed here.
 */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/bind.h"

const char options_usage[] =
	"weir receives, changes and sends on OpenTelemetry data.\n"
	"\n"
	"Usage:\n"
	"  weir --config FILE           run the pipelines of FILE\n"
	"  weir validate --config FILE  check FILE, run nothing\n"
	"  weir print-config --config FILE\n"
	"                               what FILE means, defaults included\n"
	"  weir components              list what can be loaded, as YAML\n"
	"  weir describe KIND/TYPE      keys and metrics of one component,\n"
	"                               as exporters/otlp_grpc\n"
	"  weir schema                  a JSON Schema of the configuration,\n"
	"                               for editors\n"
	"  weir featuregate [ID]        list the Collector's feature gates\n"
	"\n"
	"Flags:\n"
	"  --config FILE|URI  configuration as of the OpenTelemetry Collector:\n"
	"                     a path, file:PATH, env:NAME, yaml:TEXT; may be\n"
	"                     repeated, later ones go over earlier ones\n"
	"  --set KEY=VALUE    one value over all of them, as in\n"
	"                     processors.batch.timeout=2s; may be repeated\n"
	"  --feature-gates=A,-B  gates switched on, and off with a minus\n"
	"  --plugin-dir DIRS  where plugins are, colon-separated; else\n"
	"                     WEIR_PLUGIN_PATH, else beside the program\n"
	"  --mode MODE        of print-config: redacted, or unredacted: shows\n"
	"                     secrets\n"
	"  --format FORMAT    of print-config: yaml or json\n"
	"  --validate=false   of print-config: print what would be refused\n"
	"  --version, -v      print the version\n"
	"  --help, -h         print this\n";

/* --- what is wrong ------------------------------------------------------- */

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
	return -1;
}

static int bad_value(const char *flag, const char *value, const char *why)
{
	fprintf(stderr, "Error: invalid argument \"%s\" for \"%s\" flag: %s\n",
		value, flag, why);
	return -1;
}

/* --- flags --------------------------------------------------------------- */

static int add_source(struct options *o, const char *value, bool set)
{
	if (set && !strchr(value, '='))
		return bad_value("--set", value, "missing equal sign");
	o->sources[o->n_sources++] = (struct tree_source){ value, set };
	o->n_configs += !set;
	return 0;
}

static int on_config(struct options *o, const char *value)
{
	return add_source(o, value, false);
}

static int on_set(struct options *o, const char *value)
{
	return add_source(o, value, true);
}

static int on_gates(struct options *o, const char *value)
{
	char *why = gates_set(&o->gates, value);
	int failed = why ? bad_value("--feature-gates", value, why) : 0;

	free(why);
	return failed;
}

static int on_plugin_dir(struct options *o, const char *value)
{
	o->plugin_dir = value;
	return 0;
}

static int on_mode(struct options *o, const char *value)
{
	if (strcmp(value, "redacted") && strcmp(value, "unredacted"))
		return bad_value("--mode", value,
				 "modes are: redacted, unredacted");
	o->mode = value;
	return 0;
}

static int on_format(struct options *o, const char *value)
{
	if (strcmp(value, "yaml") && strcmp(value, "json"))
		return bad_value("--format", value, "formats are: yaml, json");
	o->format = value;
	return 0;
}

static int on_validate(struct options *o, const char *value)
{
	if (strcmp(value, "true") && strcmp(value, "false"))
		return bad_value("--validate", value,
				 "expected true or false");
	o->skip_validation = !strcmp(value, "false");
	return 0;
}

static int on_version(struct options *o, const char *value)
{
	(void)value;
	o->command = COMMAND_VERSION;
	return 0;
}

static int on_help(struct options *o, const char *value)
{
	(void)value;
	o->command = COMMAND_HELP;
	return 0;
}

enum value { NEEDED, OPTIONAL, NO_VALUE };

static const struct flag {
	const char *name;
	enum value value;	/* OPTIONAL: only behind `=`, else "true" */
	int (*take)(struct options *o, const char *value);
} flags[] = {
	{ "--config", NEEDED, on_config },
	{ "--set", NEEDED, on_set },
	{ "--feature-gates", NEEDED, on_gates },
	{ "--plugin-dir", NEEDED, on_plugin_dir },
	{ "--mode", NEEDED, on_mode },
	{ "--format", NEEDED, on_format },
	{ "--validate", OPTIONAL, on_validate },
	{ "--version", NO_VALUE, on_version },
	{ "-v", NO_VALUE, on_version },
	{ "--help", NO_VALUE, on_help },
	{ "-h", NO_VALUE, on_help },
};
#define N_FLAGS (sizeof(flags) / sizeof(*flags))

static int unknown_flag(const char *word)
{
	const char *names[N_FLAGS];
	char name[64];

	for (size_t i = 0; i < N_FLAGS; i++)
		names[i] = flags[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	return complain_of("flag", name, names, N_FLAGS);
}

static const struct flag *find_flag(const char *word)
{
	size_t len = strcspn(word, "=");

	for (size_t i = 0; i < N_FLAGS; i++)
		if (strlen(flags[i].name) == len &&
		    !strncmp(flags[i].name, word, len))
			return &flags[i];
	return NULL;
}

static int take_flag(char **argv, int *i, struct options *o)
{
	const char *word = argv[*i], *equals = strchr(word, '=');
	const struct flag *flag = find_flag(word);

	if (!flag)
		return unknown_flag(word);
	if (equals && flag->value == NO_VALUE)
		return bad_value(flag->name, equals + 1, "it takes no value");
	if (equals)
		return flag->take(o, equals + 1);
	if (flag->value != NEEDED)
		return flag->take(o, "true");
	if (!argv[*i + 1]) {
		fprintf(stderr, "Error: flag needs an argument: %s\n", word);
		return -1;
	}
	return flag->take(o, argv[++*i]);
}

/* --- commands ------------------------------------------------------------ */

static const struct word {
	const char *name;
	enum command command;
	bool argument;		/* may have one */
} words[] = {
	{ "run", COMMAND_RUN, false },
	{ "validate", COMMAND_VALIDATE, false },
	{ "print-config", COMMAND_PRINT_CONFIG, false },
	{ "print-initial-config", COMMAND_PRINT_CONFIG, false },
	{ "components", COMMAND_COMPONENTS, false },
	{ "describe", COMMAND_DESCRIBE, true },
	{ "schema", COMMAND_SCHEMA, false },
	{ "featuregate", COMMAND_FEATUREGATE, true },
	{ "version", COMMAND_VERSION, false },
	{ "help", COMMAND_HELP, false },
};
#define N_WORDS (sizeof(words) / sizeof(*words))

static int unknown_command(const char *word)
{
	const char *names[N_WORDS];

	for (size_t i = 0; i < N_WORDS; i++)
		names[i] = words[i].name;
	return complain_of("command", word, names, N_WORDS);
}

/* command: what the first word was; NULL when this is it. */
static int take_word(const char *text, struct options *o,
		     const struct word **command)
{
	if (*command && (*command)->argument && !o->argument) {
		o->argument = text;
		return 0;
	}
	if (*command)
		return complain_of("argument", text, NULL, 0);
	for (size_t i = 0; i < N_WORDS; i++)
		if (!strcmp(text, words[i].name))
			*command = &words[i];
	return *command ? 0 : unknown_command(text);
}

int options_read(struct options *o, int argc, char **argv)
{
	const struct word *command = NULL;

	*o = (struct options){ .command = COMMAND_RUN, .mode = "redacted",
			       .format = "yaml" };
	gates_init(&o->gates);
	o->sources = arena_alloc(&o->arena,
				 (size_t)argc * sizeof(*o->sources));
	for (int i = 1; i < argc; i++)
		if (*argv[i] == '-' ? take_flag(argv, &i, o)
				    : take_word(argv[i], o, &command))
			return -1;
	/* --help and --version go before what they stand beside. */
	if (command && o->command == COMMAND_RUN)
		o->command = command->command;
	return 0;
}

void options_release(struct options *o)
{
	arena_release(&o->arena);
}
