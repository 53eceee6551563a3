/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print_config.c: bound structs back to text, by the rows that bound them.
 *
 * The inverse of bind.c; the service is shown from its tree.  Every key is
 * shown that has a value, whoever gave it; left out are empty ones that are
 * empty by default, keys without effect, optional blocks that are off by
 * default and are off, and keys that the Collector does not have while they
 * hold their default: so it can read what is printed here.  `$` is doubled
 * where it would start a reference.  Secrets, and what stands below a key
 * `headers`, are [REDACTED] unless asked for.
 */
#include "print_config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "config/bind.h"
#include "config/emit.h"

#define FLAVOURS (WEIR_BLOCK_DEFAULT | WEIR_BLOCK_ON | WEIR_BLOCK_NONE | \
		  WEIR_BLOCK_PRESENT)
#define REDACTED WEIR_STR("[REDACTED]")
#define MEMBER(target, row) ((const char *)(target) + (row)->offset)

struct printer {
	struct emit emit;
	bool unredacted;
	struct arena arena;	/* of defaults */
};

/* --- text ---------------------------------------------------------------- */

static void print_text(struct printer *p, weir_str text)
{
	struct buf buf = { 0 };
	bool live = text.len && (memmem(text.ptr, text.len, "${", 2) ||
				 memmem(text.ptr, text.len, "$$", 2));

	for (size_t i = 0; live && i < text.len; i++)
		buf_add(&buf, text.ptr[i] == '$' ? "$$" : &text.ptr[i],
			text.ptr[i] == '$' ? 2 : 1);
	emit_str(&p->emit, live ? (weir_str){ (char *)buf.ptr, buf.len }
				: text);
	buf_release(&buf);
}

static void print_secret(struct printer *p, weir_str text)
{
	print_text(p, p->unredacted || !text.len ? text : REDACTED);
}

/* Whole units from hours down, and the rest as a fraction of a second, or of
 * the largest unit that it has one of. */
void print_duration(weir_duration d, char *out, size_t size)
{
	static const struct {
		uint64_t ns;
		const char *unit;
	} small[] = { { 1000000, "ms" }, { 1000, "\xc2\xb5s" }, { 1, "ns" } };
	uint64_t ns = d.ns < 0 ? 0 - (uint64_t)d.ns : (uint64_t)d.ns;
	const char *sign = d.ns < 0 ? "-" : "", *unit = "s";
	uint64_t hours = ns / 3600000000000, minutes = ns / 60000000000 % 60;
	uint64_t base = 1000000000, whole;
	char fraction[16] = "";
	size_t len, i = 0;

	while (ns && ns < base && i < 3) {
		base = small[i].ns;
		unit = small[i++].unit;
	}
	whole = ns / base % (base == 1000000000 ? 60 : 1000);
	if (ns % base)
		snprintf(fraction, sizeof(fraction), ".%0*" PRIu64,
			 base == 1000000000 ? 9 : base == 1000000 ? 6 : 3,
			 ns % base);
	for (len = strlen(fraction); len && fraction[len - 1] == '0'; )
		fraction[--len] = 0;
	if (hours)
		snprintf(out, size, "%s%" PRIu64 "h%" PRIu64 "m%" PRIu64 "%ss",
			 sign, hours, minutes, whole, fraction);
	else if (minutes)
		snprintf(out, size, "%s%" PRIu64 "m%" PRIu64 "%ss", sign,
			 minutes, whole, fraction);
	else
		snprintf(out, size, "%s%" PRIu64 "%s%s", sign, whole, fraction,
			 unit);
}

/* --- any YAML ------------------------------------------------------------ */

/* What stands at and below a node. */
enum sort {
	VALUE,
	SERVICE,
	TEXT,		/* strings: what a reference brought is its raw text */
	SECRET
};

static void print_node(struct printer *p, const struct weir_node *node,
		       enum sort sort);

/* In a list of {name, value} the names of headers are no secret. */
static enum sort sort_of(enum sort parent, weir_str key)
{
	if (parent == SECRET && weir_str_eq(key, WEIR_STR("name")))
		return VALUE;
	if (weir_str_eq(key, WEIR_STR("headers")))
		return SECRET;
	if (parent == SERVICE && weir_str_eq(key, WEIR_STR("resource")))
		return TEXT;
	return parent;
}

static void print_map(struct printer *p, const struct weir_node *map,
		      enum sort sort)
{
	emit_map(&p->emit);
	for (size_t i = 0; i < map->n; i++) {
		emit_key(&p->emit, map->keys[i]->text);
		print_node(p, map->items[i], sort_of(sort, map->keys[i]->text));
	}
	emit_end(&p->emit);
}

static void print_node(struct printer *p, const struct weir_node *node,
		       enum sort sort)
{
	enum weir_node_kind kind = weir_node_kind(node);
	bool scalar = kind < WEIR_NODE_LIST && kind != WEIR_NODE_NULL;

	if (sort == SECRET && scalar) {
		print_secret(p, node->text);
		return;
	}
	if (sort == TEXT && scalar && node->expanded) {
		print_text(p, node->text);
		return;
	}
	switch (kind) {
	case WEIR_NODE_NULL:
		emit_null(&p->emit);
		break;
	case WEIR_NODE_BOOL:
		emit_bool(&p->emit, node->boolean);
		break;
	case WEIR_NODE_INT:
		if (node->big)
			emit_uint(&p->emit, (uint64_t)node->integer);
		else
			emit_int(&p->emit, node->integer);
		break;
	case WEIR_NODE_DOUBLE:
		emit_double(&p->emit, node->real);
		break;
	case WEIR_NODE_STR:
		print_text(p, node->text);
		break;
	case WEIR_NODE_LIST:
		emit_list(&p->emit);
		for (size_t i = 0; i < node->n; i++)
			print_node(p, node->items[i], sort);
		emit_end(&p->emit);
		break;
	case WEIR_NODE_MAP:
		print_map(p, node, sort);
		break;
	}
}

/* --- rows ---------------------------------------------------------------- */

static void print_rows(struct printer *p, const struct weir_field *fields,
		       const void *target, const void *standard);

/* The struct that elements of a list, or a component, begin with. */
static const void *standard_of(struct printer *p,
			       const struct weir_field *fields, size_t size)
{
	void *target = arena_alloc(&p->arena, size);
	struct weir_error ignored;

	/* A required key is missing, of course: defaults are set before. */
	(void)bind_fields(&p->arena, fields, target, NULL, "", &ignored);
	return target;
}

static void print_items(struct printer *p, const struct weir_field *row,
			const struct weir_list *list)
{
	const void *standard = list->len ? standard_of(p, row->sub, row->size)
					 : NULL;

	emit_list(&p->emit);
	for (size_t i = 0; i < list->len; i++) {
		emit_map(&p->emit);
		print_rows(p, row->sub,
			   (const char *)list->items + i * row->size, standard);
		emit_end(&p->emit);
	}
	emit_end(&p->emit);
}

static void print_pairs(struct printer *p, const struct weir_pairs *pairs)
{
	emit_map(&p->emit);
	for (size_t i = 0; i < pairs->len; i++) {
		emit_key(&p->emit, pairs->items[i].name);
		print_secret(p, pairs->items[i].value.text);
	}
	emit_end(&p->emit);
}

static void print_strs(struct printer *p, const struct weir_strs *strs)
{
	emit_list(&p->emit);
	for (size_t i = 0; i < strs->len; i++)
		print_text(p, strs->items[i]);
	emit_end(&p->emit);
}

static void print_block(struct printer *p, const struct weir_field *row,
			const void *owner, const void *standard)
{
	emit_map(&p->emit);
	if (row->flags & FLAVOURS &&
	    !*(const bool *)((const char *)owner + row->enabled_offset)) {
		emit_key(&p->emit, WEIR_STR("enabled"));
		emit_bool(&p->emit, false);
	} else {
		print_rows(p, row->sub, MEMBER(owner, row),
			   MEMBER(standard, row));
	}
	emit_end(&p->emit);
}

static void print_member(struct printer *p, const struct weir_field *row,
			 const void *owner, const void *standard)
{
	const void *member = MEMBER(owner, row);
	char text[64];

	switch ((enum weir_field_type)row->type) {
	case WEIR_TYPE_BOOL:
		emit_bool(&p->emit, *(const bool *)member);
		break;
	case WEIR_TYPE_INT:
		emit_int(&p->emit, *(const int64_t *)member);
		break;
	case WEIR_TYPE_UINT32:
		emit_uint(&p->emit, *(const uint32_t *)member);
		break;
	case WEIR_TYPE_UINT64:
		emit_uint(&p->emit, *(const uint64_t *)member);
		break;
	case WEIR_TYPE_SIZE:
		emit_uint(&p->emit, ((const weir_size *)member)->bytes);
		break;
	case WEIR_TYPE_DOUBLE:
		emit_double(&p->emit, *(const double *)member);
		break;
	case WEIR_TYPE_STR:
		print_text(p, *(const weir_str *)member);
		break;
	case WEIR_TYPE_SECRET:
		print_secret(p, ((const weir_secret *)member)->text);
		break;
	case WEIR_TYPE_DURATION:
		print_duration(*(const weir_duration *)member, text,
			       sizeof(text));
		emit_str(&p->emit, weir_str_of(text));
		break;
	case WEIR_TYPE_STRS:
		print_strs(p, member);
		break;
	case WEIR_TYPE_PAIRS:
		print_pairs(p, member);
		break;
	case WEIR_TYPE_NODE:
		print_node(p, *(const struct weir_node *const *)member, VALUE);
		break;
	case WEIR_TYPE_BLOCK:
		print_block(p, row, owner, standard);
		break;
	case WEIR_TYPE_LIST:
		print_items(p, row, member);
		break;
	}
}

/* The value as text; secrets shown, so that two can be told apart. */
static char *member_text(struct printer *p, const struct weir_field *row,
			 const void *owner, const void *standard)
{
	struct printer own = { .unredacted = true, .arena = p->arena };
	char *text = NULL;
	size_t len;

	own.emit.out = open_memstream(&text, &len);
	emit_list(&own.emit);
	print_member(&own, row, owner, standard);
	emit_end(&own.emit);
	fclose(own.emit.out);
	p->arena = own.arena;
	return text;
}

static bool is_default(struct printer *p, const struct weir_field *row,
		       const void *owner, const void *standard)
{
	char *a = member_text(p, row, owner, standard);
	char *b = member_text(p, row, standard, standard);
	bool same = !strcmp(a, b);

	free(a);
	free(b);
	return same;
}

static bool is_empty(const struct weir_field *row, const void *owner)
{
	const void *member = MEMBER(owner, row);

	switch ((enum weir_field_type)row->type) {
	case WEIR_TYPE_NODE:
		return !*(const struct weir_node *const *)member;
	case WEIR_TYPE_BLOCK:
		return row->flags & FLAVOURS && !(row->flags & WEIR_BLOCK_ON) &&
		       !*(const bool *)((const char *)owner +
					row->enabled_offset);
	default:
		return bind_holds_nothing(row, member);
	}
}

static bool is_included(const struct weir_field *row)
{
	return row->type == WEIR_TYPE_BLOCK && !*row->key;
}

/* The row that a key is bound by: the first that has it. */
static const struct weir_field *row_of(const struct weir_field *fields,
				       const char *key)
{
	for (; fields && fields->key; fields++) {
		const struct weir_field *row = fields;

		if (is_included(fields))
			row = row_of(fields->sub, key);
		else if (strcmp(fields->key, key))
			row = NULL;
		if (row)
			return row;
	}
	return NULL;
}

/* fields: of the block `all`, or of a table that is included in it. */
static void print_level(struct printer *p, const struct weir_field *fields,
			const void *target, const void *standard,
			const struct weir_field *all)
{
	for (; fields && fields->key; fields++) {
		if (is_included(fields)) {
			print_level(p, fields->sub, MEMBER(target, fields),
				    MEMBER(standard, fields), all);
			continue;
		}
		if (fields->flags & WEIR_IGNORED ||
		    row_of(all, fields->key) != fields)
			continue;
		if ((fields->flags & WEIR_OURS || is_empty(fields, target)) &&
		    is_default(p, fields, target, standard))
			continue;
		emit_key(&p->emit, weir_str_of(fields->key));
		print_member(p, fields, target, standard);
	}
}

static void print_rows(struct printer *p, const struct weir_field *fields,
		       const void *target, const void *standard)
{
	print_level(p, fields, target, standard, fields);
}

/* --- the whole ----------------------------------------------------------- */

/* What core added itself stands where its block does. */
static bool is_written(const struct plan_component *c)
{
	return c->key != c->node;
}

static void print_component(struct printer *p, const struct plan_component *c)
{
	const struct weir_plugin *plugin = c->plugin;

	emit_key(&p->emit, weir_str_of(c->id));
	emit_map(&p->emit);
	print_rows(p, plugin->fields, c->prototype,
		   standard_of(p, plugin->fields, plugin->size));
	emit_end(&p->emit);
}

static void print_section(struct printer *p, const struct plan *plan,
			  enum weir_kind kind)
{
	char name[32];
	size_t n = 0;

	for (size_t i = 0; i < plan->n_defined; i++)
		n += plan->components[i].kind == kind &&
		     is_written(&plan->components[i]);
	if (!n)
		return;
	snprintf(name, sizeof(name), "%ss", weir_kind_name(kind));
	emit_key(&p->emit, weir_str_of(name));
	emit_map(&p->emit);
	for (size_t i = 0; i < plan->n_defined; i++)
		if (plan->components[i].kind == kind &&
		    is_written(&plan->components[i]))
			print_component(p, &plan->components[i]);
	emit_end(&p->emit);
}

/* What service.telemetry is when nobody says so (collector.md 1.9). */
static const char telemetry[] =
	"telemetry:\n"
	"  logs: {level: info, encoding: console, output_paths: [stderr]}\n"
	"  metrics: {level: normal}\n";
static const char readers[] =
	"telemetry::metrics::readers:\n"
	"  - pull: {exporter: {prometheus: {host: localhost, port: 8888}}}\n";

static struct weir_node *parse_standard(struct printer *p, const char *text)
{
	struct weir_error ignored;
	struct weir_node *node = tree_parse_raw(&p->arena, "standard",
						weir_str_of(text), &ignored);

	return node && !tree_nest(&p->arena, node, &ignored) ? node : NULL;
}

/* Its lists and maps as they are written, over what they are by default.  The
 * old key `address` stands for readers. */
static void print_service(struct printer *p, const struct weir_node *service)
{
	const struct weir_node *given = weir_node_get(
		weir_node_get(service, WEIR_STR("telemetry")),
		WEIR_STR("metrics"));
	struct weir_node copy = *service;
	struct weir_node *layers[3];
	struct weir_error ignored;
	size_t n = 0;

	layers[n++] = parse_standard(p, telemetry);
	if (!weir_node_get(given, WEIR_STR("address")))
		layers[n++] = parse_standard(p, readers);
	layers[n++] = &copy;
	print_node(p, tree_join(&p->arena, layers, n, false, &ignored),
		   SERVICE);
}

void print_config(const struct plan *plan, const struct print_options *options,
		  FILE *out)
{
	static const enum weir_kind order[] = {
		WEIR_EXTENSION, WEIR_RECEIVER, WEIR_PROCESSOR, WEIR_EXPORTER,
		WEIR_CONNECTOR
	};
	struct printer p = { .emit = { .out = out, .json = options->json },
			     .unredacted = options->unredacted };
	const struct weir_node *service = weir_node_get(plan->tree,
							WEIR_STR("service"));

	emit_map(&p.emit);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		print_section(&p, plan, order[i]);
	if (weir_node_kind(service) == WEIR_NODE_MAP) {
		emit_key(&p.emit, WEIR_STR("service"));
		print_service(&p, service);
	}
	emit_end(&p.emit);
	arena_release(&p.arena);
}
