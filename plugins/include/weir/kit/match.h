/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match.h: the include and exclude blocks that choose what a processor acts on.
 *
 * Compiled per signal, because which fields may be given depends on it.  Each
 * level of a request is judged when it is entered, and the verdict so far
 * travels down as the cookie:
 *
 *	enter: return weir_match_enter(match, state, e, parent);
 *	visit: if (weir_match_record(match, state, e, parent)) act(e);
 *
 * First include, then exclude: skipped is what include does not match and what
 * exclude does.
 */
#ifndef WEIR_KIT_MATCH_H
#define WEIR_KIT_MATCH_H

#include <weir/attributes.h>
#include <weir/config.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_match_attribute {
	weir_str key;
	const struct weir_node *value;		/* absent: any */
};
struct weir_match_library {
	weir_str name;
	const struct weir_node *version;	/* absent: any */
};
struct weir_match_regexp {
	bool cacheenabled;
	int64_t cachemaxnumentries;
};
struct weir_match_severity {
	bool enabled;
	int64_t min;
	bool match_undefined;
};

/* A block as configured; `enabled` says whether it was given. */
struct weir_match_config {
	bool enabled;
	weir_str match_type;
	struct weir_match_regexp regexp;	/* accepted, without effect */
	struct weir_strs services, span_names, span_kinds, log_bodies,
		log_severity_texts, metric_names;
	struct weir_match_severity log_severity_number;
	struct weir_list attributes, resources;	/* weir_match_attribute */
	struct weir_list libraries;		/* weir_match_library */
};
WEIR_API extern const struct weir_field weir_match_rows[];

struct weir_match;

/* Either block may be off; both outlive the result.  NULL and the Collector's
 * sentence, whose path begins with "include" or "exclude". */
WEIR_API struct weir_match *weir_match_new(
	const struct weir_match_config *include,
	const struct weir_match_config *exclude, enum weir_signal signal,
	struct weir_error *error);
WEIR_API void weir_match_free(struct weir_match **match);

/* At a resource, scope or metric: the verdict of the levels down to this one.
 * text: scratch, overwritten. */
WEIR_API uintptr_t weir_match_enter(const struct weir_match *match,
				    struct weir_text *text,
				    struct weir_element *e, uintptr_t parent);
/* At a record: is it to be acted on? */
WEIR_API bool weir_match_record(const struct weir_match *match,
				struct weir_text *text, struct weir_element *e,
				uintptr_t parent);

#ifdef __cplusplus
}
#endif
#endif
