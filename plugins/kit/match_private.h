/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match_private.h: compiled blocks, between match.c that makes them and
 * match_apply.c that asks them.
 */
#ifndef KIT_MATCH_PRIVATE_H
#define KIT_MATCH_PRIVATE_H

#include <weir/kit/match.h>

/* Texts, one of which must be equal (strict) or occur (regexp).  Not set:
 * matches everything. */
struct texts {
	bool set;
	size_t n;
	const weir_str *strict;		/* the configuration's, or NULL */
	struct weir_regex **regexps;
};

struct attribute {
	weir_str key;
	bool any;			/* it is enough that it is there */
	struct weir_value value;	/* strict */
	void *memory;
	struct weir_regex *regexp;
};
struct attributes {
	size_t n;
	struct attribute *v;
};

struct library {
	struct texts name, version;
	weir_str words[2];		/* what strict texts point to */
};

struct block {
	bool on;
	struct texts services, span_names, span_kinds, log_bodies,
		log_severity_texts, metric_names;
	struct weir_match_severity severity;
	struct attributes attributes, resources;
	struct library *libraries;
	size_t n_libraries;
};

struct weir_match {
	struct block include, exclude;
};

/* SpanKind as the Collector spells it; "" for numbers without a name. */
const char *weir_match_span_kind(uint32_t kind);

#endif
