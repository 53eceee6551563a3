/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sanitizers.c: which text is a URL or a query, as the configuration has it.
 *
 * Holds nothing between texts but the work's memory.  Attributes are chosen by
 * key, and queries by the database that stands beside them; every text of a
 * log body is tried; names of spans by their kind.
 */
#include <stdlib.h>
#include <strings.h>

#include "sanitize.h"
#include "sanitizers.h"

/* --- Configuration -------------------------------------------------------------- */

const struct weir_field url_sanitizer_rows[] = {
	WEIR_FIELD(struct url_sanitizer_config, enabled, "false",
		   "Puts a star in the place of ids."),
	WEIR_FIELD(struct url_sanitizer_config, attributes, NULL,
		   "Attributes that hold URLs."),
	WEIR_FIELD(struct url_sanitizer_config, sanitize_span_name, "true",
		   "Also names of HTTP spans."),
	WEIR_END
};

static const struct weir_field one_db_rows[] = {
	WEIR_FIELD(struct sanitizer_config, enabled, "false",
		   "Puts a question mark in the place of values."),
	WEIR_FIELD(struct sanitizer_config, attributes, NULL,
		   "Attributes that hold queries; without effect for "
		   "opensearch and es, as in the Collector."),
	WEIR_END
};

const struct weir_field db_sanitizer_rows[] = {
	WEIR_BLOCK(struct db_sanitizer_config, sql, one_db_rows, "SQL."),
	WEIR_BLOCK(struct db_sanitizer_config, redis, one_db_rows, "Redis."),
	WEIR_BLOCK(struct db_sanitizer_config, valkey, one_db_rows, "Valkey."),
	WEIR_BLOCK(struct db_sanitizer_config, memcached, one_db_rows,
		   "memcached."),
	WEIR_BLOCK(struct db_sanitizer_config, mongo, one_db_rows, "MongoDB."),
	WEIR_BLOCK(struct db_sanitizer_config, opensearch, one_db_rows,
		   "OpenSearch."),
	WEIR_BLOCK(struct db_sanitizer_config, es, one_db_rows,
		   "Elasticsearch."),
	WEIR_FIELD(struct db_sanitizer_config, sanitize_span_name, "true",
		   "Also names of database spans."),
	WEIR_END
};

/* opensearch and es touch no attributes. */
static void init_kind(struct sanitizers *s, enum db_kind kind,
		      const struct sanitizer_config *config)
{
	bool keys = config->enabled && kind < DB_OPENSEARCH;

	s->kind[kind].on = config->enabled;
	s->db |= config->enabled;
	s->db_attributes |= keys && config->attributes.len;
	words_init(&s->kind[kind].keys,
		   keys ? config->attributes : (struct weir_strs){ 0 }, NULL);
}

void sanitizers_init(struct sanitizers *s,
		     const struct url_sanitizer_config *url,
		     const struct db_sanitizer_config *db)
{
	s->url = url->enabled;
	s->url_names = url->enabled && url->sanitize_span_name;
	words_init(&s->url_keys, url->enabled ? url->attributes :
		   (struct weir_strs){ 0 }, NULL);
	init_kind(s, DB_SQL, &db->sql);
	init_kind(s, DB_REDIS, &db->redis);
	init_kind(s, DB_VALKEY, &db->valkey);
	init_kind(s, DB_MEMCACHED, &db->memcached);
	init_kind(s, DB_MONGO, &db->mongo);
	init_kind(s, DB_OPENSEARCH, &db->opensearch);
	init_kind(s, DB_ES, &db->es);
	s->db_names = s->db && db->sanitize_span_name;
}

void sanitizers_release(struct sanitizers *s)
{
	free(s->url_keys.v);
	for (unsigned i = 0; i < DB_KINDS; i++)
		free(s->kind[i].keys.v);
	*s = (struct sanitizers){ 0 };
}

/* --- The database ------------------------------------------------------------------ */

/* Values of db.system.name and db.system. */
static const struct {
	const char *name;
	enum db_kind kind;
	bool mysql;
} systems[] = {
	{ "other_sql", DB_SQL, false },
	{ "mysql", DB_SQL, true },
	{ "postgresql", DB_SQL, false },
	{ "mariadb", DB_SQL, true },
	{ "sqlite", DB_SQL, false },
	{ "redis", DB_REDIS, false },
	{ "valkey", DB_VALKEY, false },
	{ "memcached", DB_MEMCACHED, false },
	{ "mongodb", DB_MONGO, false },
	{ "opensearch", DB_OPENSEARCH, false },
	{ "elasticsearch", DB_ES, false },
};

static weir_str string_at(struct weir_element *e, const char *key)
{
	struct weir_attr *attr = weir_attr_find(e, weir_str_of(key));

	return attr && attr->value.type == WEIR_VALUE_STRING ?
		attr->value.str : WEIR_STR("");
}

struct db_system db_system_of(struct weir_element *e)
{
	weir_str name = string_at(e, "db.system.name");
	struct db_system system = { .kind = DB_KINDS };

	if (!name.len)
		name = string_at(e, "db.system");
	system.named = name.len > 0;
	for (size_t i = 0; i < sizeof(systems) / sizeof(*systems); i++) {
		if (name.len != strlen(systems[i].name) ||
		    strncasecmp(name.ptr, systems[i].name, name.len))
			continue;
		system.kind = systems[i].kind;
		system.mysql = systems[i].mysql;
	}
	return system;
}

/* --- Texts --------------------------------------------------------------------------- */

/* Memory in which *text is not. */
static struct weir_text *other(struct work *work, weir_str text)
{
	struct weir_text *to = &work->text[2];

	if (to->ptr && text.ptr >= to->ptr && text.ptr < to->ptr + to->cap)
		to = &work->text[3];
	weir_text_clear(to);
	return to;
}

static void set(weir_str *text, const struct weir_text *made)
{
	*text = made->len ? (weir_str){ made->ptr, made->len } : WEIR_STR("");
}

static void url(struct work *work, weir_str *text)
{
	struct weir_text *to = other(work, *text);

	sanitize_url(*text, to);
	set(text, to);
}

static void query(struct work *work, enum db_kind kind, bool mysql,
		  weir_str *text)
{
	struct weir_text *to = other(work, *text);

	switch (kind) {
	case DB_SQL:
		sanitize_sql(*text, mysql, to);
		break;
	case DB_REDIS:
	case DB_VALKEY:
		sanitize_redis(*text, to);
		break;
	case DB_MEMCACHED:
		sanitize_memcached(*text, to);
		break;
	default:
		if (!sanitize_json(*text, to))
			return;
	}
	set(text, to);
}

/* Without a database beside it a log's attribute goes through all. */
static void query_attribute(const struct sanitizers *s, struct work *work,
			    const struct db_system *system, bool logs,
			    bool json, weir_str key, weir_str *text)
{
	if (!system->named && !logs)
		return;
	for (enum db_kind kind = json ? DB_MONGO : 0; kind < DB_KINDS; kind++)
		if ((!system->named || system->kind == kind) &&
		    words_have(&s->kind[kind].keys, key))
			query(work, kind, system->mysql, text);
}

void sanitize_attribute(const struct sanitizers *s, struct work *work,
			const struct db_system *system, bool logs, bool json,
			weir_str key, weir_str *text)
{
	if (!json && words_have(&s->url_keys, key))
		url(work, text);
	if (s->db_attributes)
		query_attribute(s, work, system, logs, json, key, text);
}

void sanitize_body(const struct sanitizers *s, struct work *work, bool json,
		   weir_str *text)
{
	if (s->url && !json)
		url(work, text);
	for (enum db_kind kind = json ? DB_MONGO : 0; kind < DB_KINDS; kind++)
		if (s->kind[kind].on)
			query(work, kind, false, text);
}

/* --- Names of spans --------------------------------------------------------------------- */

enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3 };

static bool has_http_attribute(struct weir_element *e)
{
	static const char *const keys[] = {
		"http.route", "http.request.method",
		"http.request.method_original", "http.response.status_code",
		"url.full", "http.scheme", "http.target", "http.method",
		"http.url",
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (weir_attr_find(e, weir_str_of(keys[i])))
			return true;
	return false;
}

/* Nothing left but stars and slashes. */
static bool only_stars(weir_str name)
{
	bool star = false;

	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] != '*' && name.ptr[i] != '/')
			return false;
		star |= name.ptr[i] == '*';
	}
	return star;
}

static bool url_name(struct work *work, struct weir_element *e, uint32_t kind,
		     weir_str *name)
{
	weir_str made = *name;

	if ((kind != KIND_SERVER && kind != KIND_CLIENT) || !name->len ||
	    (!memchr(name->ptr, '/', name->len) && !has_http_attribute(e)))
		return false;
	url(work, &made);
	if (weir_str_eq(made, *name) || only_stars(made))
		return false;
	*name = made;
	return true;
}

static bool query_name(const struct sanitizers *s, struct work *work,
		       struct weir_element *e, uint32_t kind, weir_str *name)
{
	struct db_system system = db_system_of(e);

	if (kind != KIND_SERVER && kind != KIND_CLIENT && kind != KIND_INTERNAL)
		return false;
	if (system.kind == DB_KINDS || !s->kind[system.kind].on)
		return false;
	query(work, system.kind, system.mysql, name);
	return true;
}

void sanitize_span_name(const struct sanitizers *s, struct work *work,
			struct weir_element *e)
{
	weir_str before = weir_text_get(e, WEIR_TEXT_NAME), name = before;
	uint32_t kind = weir_element_span(e)->kind;

	if (!(s->url_names && url_name(work, e, kind, &name)) &&
	    !(s->db_names && query_name(s, work, e, kind, &name)))
		return;
	if (!name.len || weir_str_eq(name, WEIR_STR("...")) ||
	    weir_str_eq(name, before))
		return;
	weir_text_set(e, WEIR_TEXT_NAME, weir_scratch_str(e, name));
}
