/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_schema.c: `weir schema`: a JSON Schema (2020-12) of the configuration.
 *
 * Types, defaults, choices and sentences come from the rows that a
 * configuration is bound by.  It says what an editor can see: keys, types, the
 * shape of ids and durations.  What it refuses, weir refuses; not the other
 * way round.  Wherever a value may stand, a ${reference} may, and null keeps
 * the default; a key with `::` in it is a path, and not looked into.
 *
 * It is printed as it is walked: no document is built, no library needed.
 */
#include "cli.h"

#include <stdlib.h>

#include "base/log_fields.h"
#include "config/plan_parts.h"
#include "js.h"

#define REFERENCE "\\$\\{"

/* Where in the configuration: rows of one key have their meaning by it. */
enum area { COMPONENT, SERVICE, PIPELINE, TELEMETRY };

/* --- types --------------------------------------------------------------- */

#define NUMBER "{\"type\": [\"number\", \"null\", \"string\"], " \
	       "\"pattern\": \"\\\\$\\\\{\""
#define FRACTION "([0-9]+(\\\\.[0-9]*)?|\\\\.[0-9]+)"

/* What rows refer to, by bind_type_name.  Numbers may have a fraction: it is
 * cut where an integer is wanted. */
static const struct {
	const char *name, *json;
} types[] = {
	{ "bool", "{\"type\": [\"boolean\", \"null\", \"string\"], "
	  "\"pattern\": \"\\\\$\\\\{\"}" },
	{ "int", NUMBER "}" },
	{ "uint32", NUMBER ", \"minimum\": 0}" },
	{ "uint64", NUMBER ", \"minimum\": 0}" },
	{ "float", NUMBER "}" },
	{ "string", "{\"type\": [\"string\", \"null\"]}" },
	{ "secret string", "{\"type\": [\"string\", \"null\"]}" },
	{ "duration", "{\"type\": [\"string\", \"number\", \"null\"], "
	  "\"pattern\": \"^[+-]?(0|(" FRACTION "(ns|us|\xc2\xb5s|\xce\xbcs|ms|"
	  "s|m|h))+)$|\\\\$\\\\{\"}" },
	{ "size", "{\"type\": [\"string\", \"number\", \"null\"], "
	  "\"minimum\": 0, \"pattern\": \"^" FRACTION " *([kKMGT]?B|"
	  "[KMGT]iB)?$|\\\\$\\\\{\"}" },
	{ "list of strings", "{\"type\": [\"array\", \"string\", \"null\"], "
	  "\"items\": {\"type\": [\"string\", \"null\"]}}" },
	{ "map of strings", "{\"type\": [\"object\", \"array\", \"string\", "
	  "\"null\"], \"pattern\": \"\\\\$\\\\{\", \"additionalProperties\": "
	  "{\"type\": [\"string\", \"null\"]}, \"items\": {\"type\": "
	  "\"object\", \"properties\": {\"name\": {\"type\": \"string\"}, "
	  "\"value\": {\"type\": [\"string\", \"null\"]}}, "
	  "\"additionalProperties\": false}}" },
};

static void put_types(struct js *p)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		js_raw(p, types[i].name, types[i].json);
}

/* --- rows ---------------------------------------------------------------- */

typedef void print_fn(struct js *p, const struct weir_field *row);

/* What prints a row that is read by other means than by its type; NULL. */
static print_fn *find_special(enum area area, const struct weir_field *row);
static void put_block(struct js *p, const struct weir_field *rows,
		      bool has_enabled);

/* The default of a row as JSON, in the type that one would write. */
static void put_default(struct js *p, const struct weir_field *row)
{
	bool text = row->type == WEIR_TYPE_STR || row->type == WEIR_TYPE_SECRET;
	struct weir_error ignored;
	struct weir_node *node;
	struct buf buf = { 0 };

	if (!row->preset || row->flags & WEIR_IGNORED)
		return;
	if (text) {
		js_put(p, "default", row->preset);
		return;
	}
	node = tree_parse_raw(&p->arena, "preset", weir_str_of(row->preset),
			      &ignored);
	if (!node)
		return;
	log_json_value(&buf, node);
	buf_add(&buf, "", 1);
	js_raw(p, "default", (const char *)buf.ptr);
	buf_release(&buf);
}

static void put_choices(struct js *p, const struct weir_field *row)
{
	const char *list = row->choices;
	weir_str word;

	js_begin(p, "anyOf", "[");
	js_begin(p, NULL, "{");
	js_begin(p, "enum", "[");
	while (word_next(&list, &word))
		js_put(p, NULL, arena_str(&p->arena, word).ptr);
	/* An empty text is none of them, and allowed where it is the default. */
	if (!row->preset || !*row->preset)
		js_put(p, NULL, "");
	js_raw(p, NULL, "null");
	js_end(p, "]");
	js_end(p, "}");
	js_raw(p, NULL, "{\"$ref\": \"#/$defs/reference\"}");
	js_end(p, "]");
}

static void put_list(struct js *p, const struct weir_field *row)
{
	js_raw(p, "type", "[\"array\", \"null\", \"string\"]");
	js_put(p, "pattern", REFERENCE);
	js_begin(p, "items", "{");
	put_block(p, row->sub, false);
	js_end(p, "}");
}

static void put_row(struct js *p, const struct weir_field *row)
{
	print_fn *special = find_special(p->area, row);

	js_begin(p, row->key, "{");
	if (row->help && *row->help)
		js_put(p, "description", row->help);
	if (row->flags & WEIR_IGNORED)
		;		/* whatever */
	else if (special)
		special(p, row);
	else if (row->type == WEIR_TYPE_BLOCK)
		put_block(p, row->sub, row->flags & (WEIR_BLOCK_DEFAULT |
						     WEIR_BLOCK_ON |
						     WEIR_BLOCK_NONE));
	else if (row->type == WEIR_TYPE_LIST)
		put_list(p, row);
	else if (row->type == WEIR_TYPE_STR && row->choices)
		put_choices(p, row);
	else if (row->type != WEIR_TYPE_NODE)
		js_put(p, "$ref", arena_printf(&p->arena, "#/$defs/%s",
					       bind_type_name(row)));
	if (row->type != WEIR_TYPE_BLOCK)
		put_default(p, row);
	js_end(p, "}");
}

/* Is there a row of the same key behind?  Its default wins. */
static bool is_replaced(const struct weir_field *rows, const char *key,
			const struct weir_field *than, bool *seen)
{
	for (; rows && rows->key; rows++) {
		if (rows->type == WEIR_TYPE_BLOCK && !*rows->key &&
		    !(rows->flags & WEIR_IGNORED)) {
			if (is_replaced(rows->sub, key, than, seen))
				return true;
		} else if (*seen && !strcmp(rows->key, key)) {
			return true;
		}
		*seen |= rows == than;
	}
	return false;
}

/* all: the rows of the whole level, of which these are some. */
static void put_rows(struct js *p, const struct weir_field *rows,
		     const struct weir_field *all)
{
	for (; rows && rows->key; rows++) {
		bool seen = false;

		if (rows->type == WEIR_TYPE_BLOCK && !*rows->key &&
		    !(rows->flags & WEIR_IGNORED))
			put_rows(p, rows->sub, all);
		else if (!is_replaced(all, rows->key, rows, &seen))
			put_row(p, rows);
	}
}

/* The members of a schema for a map with these keys. */
static void put_block(struct js *p, const struct weir_field *rows,
		      bool has_enabled)
{
	js_raw(p, "type", "[\"object\", \"null\", \"string\"]");
	js_put(p, "pattern", REFERENCE);
	js_begin(p, "properties", "{");
	if (has_enabled)
		js_raw(p, "enabled", "{\"description\": \"Is the block on?\", "
				     "\"type\": [\"boolean\", \"string\"], "
				     "\"pattern\": \"\\\\$\\\\{\"}");
	put_rows(p, rows, rows);
	js_end(p, "}");
	js_raw(p, "patternProperties", "{\"::\": {}}");
	js_raw(p, "additionalProperties", "false");
}

/* --- service ------------------------------------------------------------- */

static void print_ids(struct js *p, const struct weir_field *row)
{
	bool needed = strcmp(row->key, "processors") &&
		      strcmp(row->key, "extensions");

	js_raw(p, "type", needed ? "[\"array\", \"string\"]"
				 : "[\"array\", \"null\", \"string\"]");
	js_put(p, "pattern", REFERENCE);
	js_raw(p, "items", "{\"type\": \"string\"}");
	if (needed)
		js_raw(p, "minItems", "1");
}

static void print_pipelines(struct js *p, const struct weir_field *row)
{
	(void)row;
	js_raw(p, "type", "[\"object\", \"string\"]");
	js_put(p, "pattern", REFERENCE);
	js_raw(p, "minProperties", "1");
	js_begin(p, "patternProperties", "{");
	js_begin(p, "^\\s*(traces|metrics|logs)\\s*(/\\s*[^\\s$+<=>^`|~]+\\s*)?$",
		 "{");
	p->area = PIPELINE;
	put_block(p, plan_pipeline_rows, false);
	p->area = SERVICE;
	js_raw(p, "required", "[\"receivers\", \"exporters\"]");
	js_end(p, "}");
	js_raw(p, "::", "{}");
	js_end(p, "}");
	js_raw(p, "additionalProperties", "false");
}

static void print_telemetry(struct js *p, const struct weir_field *row)
{
	(void)row;
	p->area = TELEMETRY;
	put_block(p, plan_telemetry_rows, false);
	p->area = SERVICE;
}

static void print_workers(struct js *p, const struct weir_field *row)
{
	(void)row;
	js_raw(p, "type", "[\"integer\", \"string\", \"null\"]");
	js_raw(p, "minimum", "1");
	js_put(p, "pattern", "^auto$|" REFERENCE);
}

static void print_level(struct js *p, const struct weir_field *row)
{
	(void)row;
	js_raw(p, "type", "[\"string\", \"integer\", \"null\"]");
}

static void print_map(struct js *p, const struct weir_field *row)
{
	(void)row;
	js_raw(p, "type", "[\"object\", \"string\", \"null\"]");
	js_put(p, "pattern", REFERENCE);
}

/* The reader's block is the one of the extension that serves it. */
static void print_page(struct js *p, const struct weir_field *row)
{
	(void)row;
	js_put(p, "$ref", "#/$defs/extensions.telemetry");
}

static void print_push(struct js *p, const struct weir_field *row)
{
	(void)row;
	js_put(p, "$ref", "#/$defs/extensions.telemetry_push");
}

static const struct {
	enum area area;
	const char *key;
	print_fn *print;
} specials[] = {
	{ SERVICE, "extensions", print_ids },
	{ SERVICE, "pipelines", print_pipelines },
	{ SERVICE, "telemetry", print_telemetry },
	{ SERVICE, "workers", print_workers },
	{ PIPELINE, "receivers", print_ids },
	{ PIPELINE, "processors", print_ids },
	{ PIPELINE, "exporters", print_ids },
	{ TELEMETRY, "level", print_level },
	{ TELEMETRY, "resource", print_map },
	{ TELEMETRY, "initial_fields", print_map },
	{ TELEMETRY, "prometheus", print_page },
	{ TELEMETRY, "periodic", print_push },
};

static print_fn *find_special(enum area area, const struct weir_field *row)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++)
		if (specials[i].area == area && row->type == WEIR_TYPE_NODE &&
		    !strcmp(specials[i].key, row->key))
			return specials[i].print;
	return NULL;
}

/* --- components ---------------------------------------------------------- */

static const enum weir_kind kinds[] = { WEIR_RECEIVER, WEIR_PROCESSOR,
					WEIR_EXPORTER, WEIR_CONNECTOR,
					WEIR_EXTENSION };
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Keys that are this type's ids. */
static void put_type(struct js *p, const struct weir_plugin *plugin,
		     weir_str type)
{
	bool alias = !weir_str_eq(type, weir_str_of(plugin->type));

	js_begin(p, arena_printf(&p->arena, "^\\s*%.*s\\s*"
				 "(/\\s*[^\\s$+<=>^`|~]+\\s*)?$",
				 WEIR_STR_FMT(type)), "{");
	js_put(p, "$ref", arena_printf(&p->arena, "#/$defs/%ss.%s",
				       weir_kind_name((enum weir_kind)
							      plugin->kind),
				       plugin->type));
	if (alias)
		js_raw(p, "deprecated", "true");
	js_end(p, "}");
}

/* The i-th component of a kind that can be loaded, the first of a type. */
static const struct weir_plugin *next_plugin(struct loader *loader,
					     enum weir_kind kind, size_t *i)
{
	size_t n;
	const struct plugin_file *files = loader_list(loader, &n);

	for (; *i < n; ++*i) {
		const struct plugin_file *file = &files[*i];
		const struct weir_plugin *plugin;
		struct weir_error error;

		if (file->kind != kind ||
		    (*i && file[-1].kind == kind &&
		     !strcmp(file->type, file[-1].type)))
			continue;
		plugin = loader_find(loader, kind, weir_str_of(file->type),
				     &error);
		++*i;
		if (plugin)
			return plugin;
		fprintf(stderr, "Error: %s\n", error.text);
	}
	return NULL;
}

static void put_section(struct js *p, struct loader *loader,
			enum weir_kind kind)
{
	bool needed = kind == WEIR_RECEIVER || kind == WEIR_EXPORTER;
	const struct weir_plugin *plugin;

	js_begin(p, arena_printf(&p->arena, "%ss", weir_kind_name(kind)), "{");
	js_raw(p, "type", needed ? "[\"object\", \"string\"]"
				 : "[\"object\", \"null\", \"string\"]");
	js_put(p, "pattern", REFERENCE);
	if (needed)
		js_raw(p, "minProperties", "1");
	js_begin(p, "patternProperties", "{");
	for (size_t i = 0; (plugin = next_plugin(loader, kind, &i));) {
		const char *aliases = plugin->aliases;
		weir_str word;

		put_type(p, plugin, weir_str_of(plugin->type));
		while (word_next(&aliases, &word))
			put_type(p, plugin, word);
	}
	js_raw(p, "::", "{}");
	js_end(p, "}");
	js_raw(p, "additionalProperties", "false");
	js_end(p, "}");
}

static void put_component(struct js *p, const struct weir_plugin *plugin)
{
	js_begin(p, arena_printf(&p->arena, "%ss.%s",
				 weir_kind_name((enum weir_kind)plugin->kind),
				 plugin->type), "{");
	if (plugin->about)
		js_put(p, "description", plugin->about);
	put_block(p, plugin->fields, false);
	js_end(p, "}");
}

/* --- all of it ----------------------------------------------------------- */

static void put_sections(struct js *p, struct loader *loader)
{
	js_begin(p, "properties", "{");
	for (size_t i = 0; i < N_KINDS; i++)
		put_section(p, loader, kinds[i]);
	js_begin(p, "service", "{");
	p->area = SERVICE;
	put_block(p, plan_service_rows, false);
	js_raw(p, "required", "[\"pipelines\"]");
	p->area = COMPONENT;
	js_end(p, "}");
	js_end(p, "}");
}

int describe_schema(struct loader *loader, FILE *out)
{
	struct js p = { .out = out };
	const struct weir_plugin *plugin;

	fputs("{", out);
	p.depth = 1;
	js_put(&p, "$schema", "https://json-schema.org/draft/2020-12/schema");
	js_put(&p, "title", "weir " WEIR_VERSION);
	js_raw(&p, "type", "\"object\"");
	put_sections(&p, loader);
	js_raw(&p, "patternProperties", "{\"::\": {}}");
	js_raw(&p, "additionalProperties", "false");
	js_begin(&p, "$defs", "{");
	js_raw(&p, "reference", "{\"type\": \"string\", \"pattern\": "
				"\"\\\\$\\\\{\"}");
	put_types(&p);
	for (size_t k = 0; k < N_KINDS; k++)
		for (size_t i = 0; (plugin = next_plugin(loader, kinds[k],
							 &i));)
			put_component(&p, plugin);
	js_end(&p, "}");
	js_end(&p, "}");
	fputs("\n", out);
	arena_release(&p.arena);
	return 0;
}
