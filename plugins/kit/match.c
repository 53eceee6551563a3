/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.c: include and exclude blocks, checked and compiled (weir/kit/match.h).
 *
 * Holds nothing but the rows.  The sentences are the Collector's, and so is
 * the order in which a block's mistakes are found.
 */
#include <stdio.h>
#include <stdlib.h>

#include <weir/kit/node_value.h>

#include "match_private.h"

/* --- Rows ---------------------------------------------------------------------- */

static const struct weir_field attribute_rows[] = {
	WEIR_FIELD(struct weir_match_attribute, key, NULL,
		   "Attribute that must be there."),
	WEIR_FIELD(struct weir_match_attribute, value, NULL,
		   "Value that it must have; any when absent."),
	WEIR_END
};

static const struct weir_field library_rows[] = {
	WEIR_FIELD(struct weir_match_library, name, NULL,
		   "Name of the instrumentation scope."),
	WEIR_FIELD(struct weir_match_library, version, NULL,
		   "Its version; any when absent."),
	WEIR_END
};

static const struct weir_field severity_rows[] = {
	WEIR_FIELD(struct weir_match_severity, min, NULL,
		   "Lowest severity number that matches, 1 to 24."),
	WEIR_FIELD(struct weir_match_severity, match_undefined, "false",
		   "Do records without a severity number match?"),
	WEIR_END
};

static const struct weir_field regexp_rows[] = {
	WEIR_FIELD(struct weir_match_regexp, cacheenabled, "false",
		   "Accepted, without effect."),
	WEIR_FIELD(struct weir_match_regexp, cachemaxnumentries, "0",
		   "Accepted, without effect."),
	WEIR_END
};

const struct weir_field weir_match_rows[] = {
	WEIR_FIELD(struct weir_match_config, match_type, NULL,
		   "How texts are compared: strict or regexp."),
	WEIR_BLOCK(struct weir_match_config, regexp, regexp_rows,
		   "The Collector's cache of results; without effect here."),
	WEIR_FIELD(struct weir_match_config, services, NULL,
		   "service.name of the resource (traces)."),
	WEIR_FIELD(struct weir_match_config, span_names, NULL,
		   "Names of spans (traces)."),
	WEIR_FIELD(struct weir_match_config, span_kinds, NULL,
		   "Kinds of spans, SPAN_KIND_SERVER and so on (traces)."),
	WEIR_FIELD(struct weir_match_config, log_bodies, NULL,
		   "Bodies of log records (logs)."),
	WEIR_FIELD(struct weir_match_config, log_severity_texts, NULL,
		   "Severity texts (logs)."),
	WEIR_OPTIONAL(struct weir_match_config, log_severity_number,
		      severity_rows, WEIR_BLOCK_NONE,
		      "Lowest severity number (logs)."),
	WEIR_FIELD(struct weir_match_config, metric_names, NULL,
		   "Names of metrics (metrics)."),
	WEIR_LIST(struct weir_match_config, attributes,
		  struct weir_match_attribute, attribute_rows,
		  "Attributes of the record, all of which must match."),
	WEIR_LIST(struct weir_match_config, resources,
		  struct weir_match_attribute, attribute_rows,
		  "Attributes of the resource, all of which must match."),
	WEIR_LIST(struct weir_match_config, libraries,
		  struct weir_match_library, library_rows,
		  "Instrumentation scopes, all of which must match."),
	WEIR_END
};

/* --- What belongs to which signal -------------------------------------------------- */

const char *weir_match_span_kind(uint32_t kind)
{
	static const char *const names[] = {
		"SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
		"SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER",
		"SPAN_KIND_CONSUMER",
	};

	return kind < sizeof(names) / sizeof(*names) ? names[kind] : "";
}

static bool is_strict(const struct weir_match_config *c)
{
	return weir_str_eq(c->match_type, WEIR_STR("strict"));
}

static bool is_regexp(const struct weir_match_config *c)
{
	return weir_str_eq(c->match_type, WEIR_STR("regexp"));
}

static int check_span_kinds(const struct weir_match_config *c,
			    const char *block, struct weir_error *error)
{
	for (size_t i = 0; i < c->span_kinds.len; i++) {
		uint32_t kind = 1;	/* strict: not UNSPECIFIED */

		while (kind <= 5 && !weir_str_eq(c->span_kinds.items[i],
				weir_str_of(weir_match_span_kind(kind))))
			kind++;
		if (kind > 5)
			return weir_fail(error, block, "span_kinds string must "
				"match one of the standard span kinds when "
				"match_type=strict: [     SPAN_KIND_CLIENT "
				"SPAN_KIND_CONSUMER SPAN_KIND_INTERNAL "
				"SPAN_KIND_PRODUCER SPAN_KIND_SERVER]");
	}
	return 0;
}

static int check_traces(const struct weir_match_config *c, const char *block,
			struct weir_error *error)
{
	const char *foreign = c->log_bodies.len ? "log_bodies" :
		c->log_severity_texts.len ? "log_severity_texts" :
		c->log_severity_number.enabled ? "log_severity_number" :
		c->metric_names.len ? "metric_names" : NULL;

	if (foreign)
		return weir_fail(error, block, "%s should not be specified for "
				 "trace spans", foreign);
	if (!c->services.len && !c->span_names.len && !c->attributes.len &&
	    !c->libraries.len && !c->resources.len && !c->span_kinds.len)
		return weir_fail(error, block, "at least one of \"attributes\", "
			"\"libraries\",  or \"resources\" field must be "
			"specified");
	return is_strict(c) ? check_span_kinds(c, block, error) : 0;
}

static int check_logs(const struct weir_match_config *c, const char *block,
		      struct weir_error *error)
{
	if (c->span_names.len || c->services.len || c->span_kinds.len ||
	    c->metric_names.len)
		return weir_fail(error, block, "services, span_names, "
			"span_kinds and metric_names are not valid for log "
			"records");
	if (!c->attributes.len && !c->libraries.len && !c->resources.len &&
	    !c->log_bodies.len && !c->log_severity_texts.len &&
	    !c->log_severity_number.enabled)
		return weir_fail(error, block, "at least one of \"attributes\", "
			"\"libraries\", \"span_kinds\", \"resources\", "
			"\"log_bodies\", \"log_severity_texts\" or "
			"\"log_severity_number\" field must be specified");
	return 0;
}

static int check_metrics(const struct weir_match_config *c, const char *block,
			 struct weir_error *error)
{
	if (c->log_bodies.len || c->log_severity_texts.len ||
	    c->span_names.len || c->services.len || c->span_kinds.len ||
	    c->attributes.len || c->libraries.len ||
	    c->log_severity_number.enabled)
		return weir_fail(error, block, "\"span_names\", \"span_kinds\", "
			"\"log_bodies\", \"log_severity_texts\", "
			"\"log_severity_number\", \"services\", "
			"\"attributes\" and \"libraries\" are not valid for "
			"metrics");
	if (!c->metric_names.len && !c->resources.len)
		return weir_fail(error, block, "at least one of "
			"\"metric_names\" or \"resources\" field must be "
			"specified");
	return 0;
}

/* --- Texts ------------------------------------------------------------------------ */

/* What is being compiled, for its errors. */
struct at {
	const struct weir_match_config *c;
	const char *block;		/* "include", "exclude" */
	struct weir_error *error;
};

static void *alloc(size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size);

	if (!memory)
		abort();
	return memory;
}

static int refuse(const struct at *at, const char *front, const char *text)
{
	char copy[512];		/* text may be that of at->error */

	snprintf(copy, sizeof(copy), "%s", text);
	return weir_fail(at->error, at->block, "%s%s", front, copy);
}

static int unknown_type(const struct at *at, const char *front)
{
	char text[200];

	snprintf(text, sizeof(text), "unrecognized match_type: '%.*s', valid "
		 "types are: [regexp strict]", WEIR_STR_FMT(at->c->match_type));
	return refuse(at, front, text);
}

static struct weir_regex *pattern(const struct at *at, const char *front,
				  weir_str text)
{
	struct weir_regex *regex = weir_regex_new(text, at->error);

	if (!regex)
		refuse(at, front, at->error->text);
	return regex;
}

/* items outlive the result. */
static int compile_texts(struct texts *t, const struct at *at,
			 const char *front, const weir_str *items, size_t n)
{
	if (!n)
		return 0;
	t->set = true;
	if (is_strict(at->c)) {
		t->n = n;
		t->strict = items;
		return 0;
	}
	if (!is_regexp(at->c))
		return unknown_type(at, front);
	t->regexps = alloc(n, sizeof(*t->regexps));
	for (; t->n < n; t->n++) {
		t->regexps[t->n] = pattern(at, front, items[t->n]);
		if (!t->regexps[t->n])
			return -1;
	}
	return 0;
}

static void release_texts(struct texts *t)
{
	for (size_t i = 0; t->regexps && i < t->n; i++)
		weir_regex_free(&t->regexps[i]);
	free(t->regexps);
}

/* --- Attributes and libraries --------------------------------------------------------- */

static const char *type_name(enum weir_value_type type)
{
	static const char *const names[] = {
		"Empty", "Str", "Bool", "Int", "Double", "Slice", "Map",
		"Bytes",
	};

	return names[type];
}

static int compile_value(struct attribute *a, const struct at *at,
			 const char *front, const struct weir_node *node)
{
	char text[300];

	a->value = weir_value_of_node(node, &a->memory);
	if (is_strict(at->c))
		return 0;
	if (!is_regexp(at->c))
		return unknown_type(at, front);
	if (a->value.type != WEIR_VALUE_STRING) {
		snprintf(text, sizeof(text), "match_type=regexp for \"%.*s\" "
			 "only supports Str, but found %s",
			 WEIR_STR_FMT(a->key), type_name(a->value.type));
		return refuse(at, front, text);
	}
	a->regexp = pattern(at, front, a->value.str);
	return a->regexp ? 0 : -1;
}

static int compile_attributes(struct attributes *list, const struct at *at,
			      const char *front, struct weir_list configured)
{
	const struct weir_match_attribute *from = configured.items;

	list->v = alloc(configured.len, sizeof(*list->v));
	for (size_t i = 0; i < configured.len; i++) {
		struct attribute *a = &list->v[list->n++];

		if (!from[i].key.len)
			return refuse(at, front, "can't have empty key in the "
				      "list of attributes");
		a->key = from[i].key;
		a->any = weir_node_kind(from[i].value) == WEIR_NODE_NULL;
		if (!a->any && compile_value(a, at, front, from[i].value))
			return -1;
	}
	return 0;
}

static void release_attributes(struct attributes *list)
{
	for (size_t i = 0; i < list->n; i++) {
		weir_regex_free(&list->v[i].regexp);
		free(list->v[i].memory);
	}
	free(list->v);
}

static int compile_libraries(struct block *b, const struct at *at)
{
	const struct weir_match_library *from = at->c->libraries.items;
	size_t n = at->c->libraries.len;

	b->libraries = alloc(n, sizeof(*b->libraries));
	for (size_t i = 0; i < n; i++) {
		struct library *l = &b->libraries[b->n_libraries++];

		l->words[0] = from[i].name;
		if (compile_texts(&l->name, at, "error creating library name "
				  "filters: ", &l->words[0], 1))
			return -1;
		if (weir_node_kind(from[i].version) == WEIR_NODE_NULL)
			continue;
		l->words[1] = weir_node_text(from[i].version);
		if (compile_texts(&l->version, at, "error creating library "
				  "version filters: ", &l->words[1], 1))
			return -1;
	}
	return 0;
}

/* --- Blocks ------------------------------------------------------------------------------ */

#define TEXTS(b, at, member, what)					\
	compile_texts(&(b)->member, at, "error creating " what " filters: ", \
		      (at)->c->member.items, (at)->c->member.len)

/* What traces and logs share. */
static int compile_properties(struct block *b, const struct at *at)
{
	if (compile_libraries(b, at) ||
	    compile_attributes(&b->attributes, at,
			       "error creating attribute filters: ",
			       at->c->attributes))
		return -1;
	return compile_attributes(&b->resources, at,
				  "error creating resource filters: ",
				  at->c->resources);
}

static int compile_traces(struct block *b, const struct at *at)
{
	if (check_traces(at->c, at->block, at->error) ||
	    compile_properties(b, at) ||
	    TEXTS(b, at, services, "service name") ||
	    TEXTS(b, at, span_names, "span name"))
		return -1;
	return TEXTS(b, at, span_kinds, "span kind");
}

static int compile_logs(struct block *b, const struct at *at)
{
	b->severity = at->c->log_severity_number;
	if (check_logs(at->c, at->block, at->error) ||
	    compile_properties(b, at) ||
	    TEXTS(b, at, log_bodies, "log record body"))
		return -1;
	return TEXTS(b, at, log_severity_texts, "log record severity text");
}

/* A block without metric_names, and the Collector's third match_type with
 * nothing to evaluate, are as if absent. */
static int compile_metrics(struct block *b, const struct at *at)
{
	if (check_metrics(at->c, at->block, at->error))
		return -1;
	b->on = at->c->metric_names.len > 0 &&
		!weir_str_eq(at->c->match_type, WEIR_STR("expr"));
	if (!b->on)
		return 0;
	return compile_texts(&b->metric_names, at, "",
			     at->c->metric_names.items,
			     at->c->metric_names.len);
}

static int compile(struct block *b, const struct at *at,
		   enum weir_signal signal)
{
	b->on = at->c->enabled;
	if (!b->on)
		return 0;
	switch (signal) {
	case WEIR_SIGNAL_TRACES: return compile_traces(b, at);
	case WEIR_SIGNAL_LOGS: return compile_logs(b, at);
	default: return compile_metrics(b, at);
	}
}

static void release(struct block *b)
{
	release_texts(&b->services);
	release_texts(&b->span_names);
	release_texts(&b->span_kinds);
	release_texts(&b->log_bodies);
	release_texts(&b->log_severity_texts);
	release_texts(&b->metric_names);
	release_attributes(&b->attributes);
	release_attributes(&b->resources);
	for (size_t i = 0; i < b->n_libraries; i++) {
		release_texts(&b->libraries[i].name);
		release_texts(&b->libraries[i].version);
	}
	free(b->libraries);
}

struct weir_match *weir_match_new(const struct weir_match_config *include,
				  const struct weir_match_config *exclude,
				  enum weir_signal signal,
				  struct weir_error *error)
{
	struct weir_match *match = alloc(1, sizeof(*match));
	struct at in = { include, "include", error };
	struct at out = { exclude, "exclude", error };

	if (compile(&match->include, &in, signal) ||
	    compile(&match->exclude, &out, signal))
		weir_match_free(&match);
	return match;
}

void weir_match_free(struct weir_match **match)
{
	if (!*match)
		return;
	release(&(*match)->include);
	release(&(*match)->exclude);
	free(*match);
	*match = NULL;
}
