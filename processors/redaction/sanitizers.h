/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sanitizers.h: which text is a URL or a query, as the configuration has it.
 *
 * struct sanitizers is compiled once and constant.
 */
#ifndef REDACTION_SANITIZERS_H
#define REDACTION_SANITIZERS_H

#include <weir/attributes.h>
#include <weir/config.h>

#include "rules.h"

/* In the order in which they are asked; from DB_MONGO on queries are JSON. */
enum db_kind { DB_SQL, DB_REDIS, DB_VALKEY, DB_MEMCACHED, DB_MONGO,
	       DB_OPENSEARCH, DB_ES, DB_KINDS };

/* Configuration. */
struct sanitizer_config {
	bool enabled;
	struct weir_strs attributes;
};

struct url_sanitizer_config {
	bool enabled;
	struct weir_strs attributes;
	bool sanitize_span_name;
};

struct db_sanitizer_config {
	struct sanitizer_config sql, redis, valkey, memcached, mongo,
		opensearch, es;
	bool sanitize_span_name;
};

extern const struct weir_field url_sanitizer_rows[];
extern const struct weir_field db_sanitizer_rows[];

/* Compiled. */
struct sanitizers {
	bool url, url_names;
	bool db_names;			/* and at least one is on */
	bool db;			/* at least one is */
	bool db_attributes;		/* at least one has attributes */
	struct words url_keys;
	struct {
		bool on;
		struct words keys;
	} kind[DB_KINDS];
};

void sanitizers_init(struct sanitizers *s,
		     const struct url_sanitizer_config *url,
		     const struct db_sanitizer_config *db);
void sanitizers_release(struct sanitizers *s);

/* The database that an element's attributes name. */
struct db_system {
	bool named;
	enum db_kind kind;		/* DB_KINDS: one that nobody knows */
	bool mysql;			/* or MariaDB: its own dialect */
};
struct db_system db_system_of(struct weir_element *e);

/* Each gives *text another value where it applies: one in the work's memory,
 * that lives until the next call.  json: it is to stay JSON, so only queries in
 * JSON are looked for. */
void sanitize_attribute(const struct sanitizers *s, struct work *work,
			const struct db_system *system, bool logs, bool json,
			weir_str key, weir_str *text);
void sanitize_body(const struct sanitizers *s, struct work *work, bool json,
		   weir_str *text);
/* Sets the name of a span, behind its attributes. */
void sanitize_span_name(const struct sanitizers *s, struct work *work,
			struct weir_element *e);

#endif
