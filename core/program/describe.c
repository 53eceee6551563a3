/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe.c: what a plugin says of itself, for people.
 *
 * Keys, defaults and sentences come from the rows that the configuration is
 * bound by, so they cannot disagree with it.
 */
#include "cli.h"

#include <stdlib.h>

#include "config/bind.h"
#include "config/plan.h"
#include "table.h"

static const char *const stabilities[] = { "Development", "Alpha", "Beta",
					   "Stable" };

static const char *stability(const struct weir_plugin *plugin)
{
	return plugin->stability <= WEIR_STABILITY_STABLE
		       ? stabilities[plugin->stability] : "Undefined";
}

/* --- weir components ----------------------------------------------------- */

static void list_component(FILE *out, const struct weir_plugin *plugin)
{
	static const enum weir_signal order[] = {
		WEIR_SIGNAL_LOGS, WEIR_SIGNAL_METRICS, WEIR_SIGNAL_TRACES
	};

	fprintf(out, "    - name: %s\n      stability:\n", plugin->type);
	if (plugin->kind == WEIR_EXTENSION)
		fprintf(out, "        extension: %s\n", stability(plugin));
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		if (plugin->kind != WEIR_EXTENSION &&
		    plugin->signals & (1u << order[i]))
			fprintf(out, "        %s: %s\n",
				weir_signal_name(order[i]), stability(plugin));
}

/* One section; false when a plugin could not be loaded. */
static bool list_kind(struct loader *loader, enum weir_kind kind, FILE *out)
{
	size_t n, listed = 0;
	const struct plugin_file *files = loader_list(loader, &n);
	bool good = true;

	fprintf(out, "%ss:", weir_kind_name(kind));
	for (size_t i = 0; i < n; i++) {
		const struct weir_plugin *plugin;
		struct weir_error error;

		if (files[i].kind != kind ||
		    (i && files[i - 1].kind == kind &&
		     !strcmp(files[i].type, files[i - 1].type)))
			continue;
		plugin = loader_find(loader, kind, weir_str_of(files[i].type),
				     &error);
		if (!plugin) {
			fprintf(stderr, "Error: %s\n", error.text);
			good = false;
			continue;
		}
		if (!listed++)
			fputc('\n', out);
		list_component(out, plugin);
	}
	if (!listed)
		fputs(" []\n", out);
	return good;
}

int describe_all(struct loader *loader, FILE *out)
{
	static const enum weir_kind order[] = {
		WEIR_RECEIVER, WEIR_PROCESSOR, WEIR_EXPORTER, WEIR_CONNECTOR,
		WEIR_EXTENSION
	};
	bool good = true;

	fprintf(out, "buildinfo:\n    command: weir\n    description: "
		"OpenTelemetry collector in C\n    version: %s\n",
		WEIR_VERSION);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		good &= list_kind(loader, order[i], out);
	fputs("providers:\n    - scheme: env\n    - scheme: file\n"
	      "    - scheme: yaml\n", out);
	return good ? 0 : 1;
}

/* --- keys ---------------------------------------------------------------- */

static const char *flavour(const struct weir_field *row)
{
	if (row->flags & WEIR_IGNORED)
		return "no effect";
	if (row->flags & WEIR_REQUIRED)
		return "required";
	if (row->flags & (WEIR_BLOCK_DEFAULT | WEIR_BLOCK_PRESENT))
		return "off unless given";
	if (row->flags & WEIR_BLOCK_NONE)
		return "off unless a map";
	if (row->flags & WEIR_BLOCK_ON)
		return "on";
	return row->preset && *row->preset ? row->preset : "";
}

/* What is in a row's type column: short. */
static const char *type_of(const struct weir_field *row)
{
	if (row->flags & WEIR_IGNORED)
		return "any";
	switch ((enum weir_field_type)row->type) {
	case WEIR_TYPE_SECRET: return "secret";
	case WEIR_TYPE_STRS: return "strings";
	case WEIR_TYPE_PAIRS: return "map";
	case WEIR_TYPE_LIST: return "list";
	default: return bind_type_name(row);
	}
}

/* The rows of a plugin, as they are printed. */
struct keys {
	struct arena arena;
	struct key {
		const char *path;	/* whole */
		const struct weir_field *row;
		int depth;
	} *items;
	size_t n, cap;
};

/* A row of a key that is there already has a default that wins: it takes the
 * other's place. */
static void add_key(struct keys *keys, const char *path,
		    const struct weir_field *row, int depth)
{
	struct key *items = keys->items;
	size_t i = 0;

	while (i < keys->n && strcmp(items[i].path, path))
		i++;
	if (i == keys->cap) {
		keys->cap = keys->cap ? 2 * keys->cap : 64;
		keys->items = arena_alloc(&keys->arena,
					  keys->cap * sizeof(*items));
		if (i)
			memcpy(keys->items, items, i * sizeof(*items));
	}
	keys->items[i] = (struct key){ path, row, depth };
	keys->n += i == keys->n;
}

static void add_rows(struct keys *keys, const struct weir_field *rows,
		     const char *front, int depth)
{
	for (; rows && rows->key; rows++) {
		bool ignored = rows->flags & WEIR_IGNORED;
		const char *path = arena_printf(&keys->arena, "%s%s", front,
						rows->key);

		if (rows->type == WEIR_TYPE_BLOCK && !*rows->key && !ignored) {
			/* included */
			add_rows(keys, rows->sub, front, depth);
			continue;
		}
		add_key(keys, path, rows, depth);
		if (!ignored && rows->sub)
			add_rows(keys, rows->sub, arena_printf(&keys->arena,
				"%s%s.", path,
				rows->type == WEIR_TYPE_LIST ? "[]" : ""),
				depth + 1);
	}
}

/* A longer default is said behind the sentence. */
#define DEFAULT_MAX 25

static bool is_long(const struct key *key)
{
	return strlen(flavour(key->row)) > DEFAULT_MAX;
}

/* What stands in its columns: as in the YAML, a key below its block. */
static void cells_of(struct keys *keys, const struct key *key,
		     const char *cells[TABLE_CELLS])
{
	cells[0] = arena_printf(&keys->arena, "%*s%s", 2 * key->depth, "",
				key->row->key);
	cells[1] = type_of(key->row);
	cells[2] = is_long(key) ? "" : flavour(key->row);
}

static const char *sentences(struct keys *keys, const struct key *key)
{
	const struct weir_field *row = key->row;

	return arena_printf(&keys->arena, "%s%s%s%s%s%s%s%s",
			    row->flags & WEIR_OURS ? "[ours] " : "",
			    row->help ? row->help : "",
			    row->choices ? " One of: " : "",
			    row->choices ? row->choices : "",
			    row->choices ? "." : "",
			    is_long(key) ? " Default: " : "",
			    is_long(key) ? flavour(row) : "",
			    is_long(key) ? "." : "");
}

static void print_keys(const struct weir_plugin *plugin, FILE *out)
{
	static const char *const heads[] = { "KEY", "TYPE", "DEFAULT" };
	const char *cells[TABLE_CELLS];
	struct table table = { 0 };
	struct keys keys = { 0 };

	if (!plugin->fields || !plugin->fields->key) {
		fputs("\nTakes no keys.\n", out);
		return;
	}
	add_rows(&keys, plugin->fields, "", 0);
	table_fit(&table, heads);
	for (size_t i = 0; i < keys.n; i++) {
		cells_of(&keys, &keys.items[i], cells);
		table_fit(&table, cells);
	}
	fputs("\n", out);
	table_row(&table, heads, "MEANING", out);
	for (size_t i = 0; i < keys.n; i++) {
		cells_of(&keys, &keys.items[i], cells);
		table_row(&table, cells, sentences(&keys, &keys.items[i]),
			  out);
	}
	arena_release(&keys.arena);
}

/* --- metrics ------------------------------------------------------------- */

/* A metric with a label has a row for each of its values. */
static bool is_repeated(const struct weir_metric_def *first,
			const struct weir_metric_def *m)
{
	for (; first < m; first++)
		if (!strcmp(first->name, m->name))
			return true;
	return false;
}

static void metric_cells(const struct weir_metric_def *m,
			 const char *cells[TABLE_CELLS])
{
	static const char *const types[] = { "counter", "gauge", "histogram" };

	cells[0] = m->name;
	cells[1] = m->type <= WEIR_METRIC_HISTOGRAM ? types[m->type] : "";
	cells[2] = m->unit ? m->unit : "";
}

static void print_metrics(const struct weir_plugin *plugin, FILE *out)
{
	static const char *const heads[] = { "METRIC", "TYPE", "UNIT" };
	const char *cells[TABLE_CELLS];
	struct table table = { 0 };

	if (!plugin->metrics || !plugin->metrics->name)
		return;
	table_fit(&table, heads);
	for (const struct weir_metric_def *m = plugin->metrics; m->name; m++) {
		metric_cells(m, cells);
		table_fit(&table, cells);
	}
	fputs("\n", out);
	table_row(&table, heads, "MEANING", out);
	for (const struct weir_metric_def *m = plugin->metrics; m->name; m++) {
		if (is_repeated(plugin->metrics, m))
			continue;
		metric_cells(m, cells);
		table_row(&table, cells, m->help ? m->help : "", out);
	}
}

/* --- the rest ------------------------------------------------------------ */

static void print_signals(const struct weir_plugin *plugin, FILE *out)
{
	const char *between = "";

	if (plugin->kind == WEIR_EXTENSION)
		return;
	fputs("Signals: ", out);
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		if (plugin->signals & (1u << i)) {
			fprintf(out, "%s%s", between,
				weir_signal_name((enum weir_signal)i));
			between = ", ";
		}
	fputs(". ", out);
}

/* "batch": the kind that has such a type. */
static bool find_kind(struct loader *loader, const char *type,
		      enum weir_kind *kind)
{
	size_t n;
	const struct plugin_file *files = loader_list(loader, &n);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(files[i].type, type)) {
			*kind = files[i].kind;
			return true;
		}
	return false;
}

/* "exporters/debug" or "exporter/debug": the kind, and what is behind the
 * slash. */
static bool split_name(const char *name, enum weir_kind *kind,
		       const char **type)
{
	const char *slash = strchr(name, '/');
	size_t len = slash ? (size_t)(slash - name) : 0;

	if (!len || !slash[1])
		return false;
	*type = slash + 1;
	len -= len > 1 && name[len - 1] == 's';
	for (int i = 0; i < WEIR_KIND_COUNT; i++) {
		*kind = (enum weir_kind)i;
		if (weir_str_eq((weir_str){ name, len },
				weir_str_of(weir_kind_name(*kind))))
			return true;
	}
	return false;
}

int describe_one(struct loader *loader, const char *name, FILE *out,
		 struct weir_error *error)
{
	const struct weir_plugin *plugin;
	enum weir_kind kind;
	const char *type = name;

	if (!split_name(name, &kind, &type) && !find_kind(loader, name, &kind))
		return weir_fail(error, "", "\"%s\" is not KIND/TYPE, as in "
				 "processors/batch; kinds are receivers, "
				 "processors, exporters, connectors, "
				 "extensions", name);
	plugin = loader_find(loader, kind, weir_str_of(type), error);
	if (!plugin)
		return -1;
	fprintf(out, "%ss/%s: %s\n", weir_kind_name(kind), plugin->type,
		plugin->about ? plugin->about : "");
	print_signals(plugin, out);
	fprintf(out, "Stability: %s.%s%s\n", stability(plugin),
		plugin->aliases && *plugin->aliases ? " Also called: " : "",
		plugin->aliases ? plugin->aliases : "");
	print_keys(plugin, out);
	print_metrics(plugin, out);
	return 0;
}
