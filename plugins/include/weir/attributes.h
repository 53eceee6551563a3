/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attributes.h: processors that look at attributes and text.
 *
 * They do not walk.  Such a processor declares an interest when it is made:
 * which levels of a request, and what must be there.  Core looks for the union
 * of a run of neighbouring attribute processors in one walk (the first run
 * behind a receiver: in the validating walk itself) and decodes what was noted
 * into an editable element.  The stages of the run get it in pipeline order,
 * each seeing what the one before changed, and each repeating its own test.
 *
 *	resource --enter--> cookie
 *	  scope --enter(cookie)--> cookie
 *	    metric --enter(cookie)--> cookie          (metrics only)
 *	      record --visit(cookie)                  span, log record, data point
 *	        event, link, exemplar --visit(cookie) the record's own cookie
 *
 * Parents are entered once, before their first noted child or when they are
 * noted themselves; the cookie that enter returns (the verdict of include and
 * exclude, say) comes with every child.  A record is visited before its
 * events, links and exemplars, and its visit returns the cookie they get.
 * Nothing noted: no call, no copy, no second walk.  Name, kind, status and
 * body belong to the record's element.
 *
 * An element and all that it shows live until the callback returns; text given
 * to it must live as long (weir_scratch does).
 */
#ifndef WEIR_ATTRIBUTES_H
#define WEIR_ATTRIBUTES_H

#include <weir/base.h>
#include <weir/batch.h>
#include <weir/regex.h>
#include <weir/value.h>
#include <weir/views.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_element;
struct weir_interest;

enum weir_level {
	WEIR_LEVEL_RESOURCE, WEIR_LEVEL_SCOPE, WEIR_LEVEL_METRIC,
	WEIR_LEVEL_RECORD, WEIR_LEVEL_EVENT, WEIR_LEVEL_LINK,
	WEIR_LEVEL_EXEMPLAR, WEIR_LEVEL_COUNT
};

/* Where to look: a mask of levels, and of places in them. */
enum weir_where {
	WEIR_AT_RESOURCE = 1 << WEIR_LEVEL_RESOURCE,
	WEIR_AT_SCOPE = 1 << WEIR_LEVEL_SCOPE,
	WEIR_AT_METRIC = 1 << WEIR_LEVEL_METRIC,	/* Metric.metadata */
	WEIR_AT_RECORD = 1 << WEIR_LEVEL_RECORD,
	WEIR_AT_EVENT = 1 << WEIR_LEVEL_EVENT,
	WEIR_AT_LINK = 1 << WEIR_LEVEL_LINK,
	WEIR_AT_EXEMPLAR = 1 << WEIR_LEVEL_EXEMPLAR,
	WEIR_AT_BODY = 1 << 8,		/* a log record's body */
	WEIR_AT_NESTED = 1 << 9,	/* also inside lists and maps there */
	WEIR_AT_TEXT = 1 << 10,		/* also name, status message, ... there */
	WEIR_AT_ALL = 0x77f
};

/* --- Declaring (descriptor: .interest) ------------------------------------ */

/* An attribute of exactly that key (at BODY or NESTED: a map entry). */
WEIR_API void weir_interest_key(struct weir_interest *interest,
				uint32_t where, weir_str key);
/* A key in which the pattern occurs. */
WEIR_API void weir_interest_key_regex(struct weir_interest *interest,
	uint32_t where, const struct weir_regex *regex);
/* A key of which `scan` says that it may matter: asked once for each that is
 * new, so by the key alone.  arg: lives as long as the component. */
typedef bool (*weir_key_scan)(const void *arg, weir_str key);
WEIR_API void weir_interest_key_scan(struct weir_interest *interest,
	uint32_t where, weir_key_scan scan, const void *arg);
/* An integer value of at least that much.  Of a negative one, or one that is
 * written oddly, nobody asks how large it is. */
WEIR_API void weir_interest_integers(struct weir_interest *interest,
	uint32_t where, uint64_t least);
/* A value (its canonical string form, only strings unless any_type; at TEXT a
 * text field) in which the pattern occurs. */
WEIR_API void weir_interest_value_regex(struct weir_interest *interest,
	uint32_t where, const struct weir_regex *regex, bool any_type);
/* A value of which `scan` says that it may matter: strings and bytes as they
 * are, at TEXT text fields; with any_type also every value that is neither.
 * The walk asks it for each of them, so it answers fast and by the text alone.
 * arg: lives as long as the component. */
typedef bool (*weir_value_scan)(const void *arg, weir_str text);
WEIR_API void weir_interest_value_scan(struct weir_interest *interest,
	uint32_t where, weir_value_scan scan, const void *arg, bool any_type);
/* Every element of those levels, also with an empty or absent list. */
WEIR_API void weir_interest_always(struct weir_interest *interest,
				   uint32_t where);

/* --- Looking --------------------------------------------------------------- */

WEIR_API enum weir_signal weir_element_signal(const struct weir_element *e);
WEIR_API enum weir_level weir_element_level(const struct weir_element *e);
/* The batch: for its context, not its bytes. */
WEIR_API const struct weir_batch *weir_element_batch(
	const struct weir_element *e);

/* The flat view as it arrived, attributes included; text fields and body that
 * a stage changed are up to date in it, its attribute list is not: use
 * weir_attr_*.  NULL when the element is of another kind. */
WEIR_API const struct weir_span *weir_element_span(const struct weir_element *e);
WEIR_API const struct weir_log_record *weir_element_log(
	const struct weir_element *e);
WEIR_API const struct weir_point *weir_element_point(
	const struct weir_element *e);
WEIR_API const struct weir_metric_view *weir_element_metric(
	const struct weir_element *e);
WEIR_API const struct weir_scope *weir_element_scope(
	const struct weir_element *e);

/* --- Attributes -------------------------------------------------------------- */

struct weir_attr {		/* read only; change it through the calls */
	weir_str key;
	struct weir_value value;
};

/* In order, those a stage added at the end: pass NULL for the first; NULL
 * after the last.  Removing the current one is allowed. */
WEIR_API struct weir_attr *weir_attr_next(struct weir_element *e,
					  struct weir_attr *after);
/* The first of that key, NULL when there is none. */
WEIR_API struct weir_attr *weir_attr_find(struct weir_element *e, weir_str key);
/* Removes one; removes all of that key and returns how many. */
WEIR_API void weir_attr_remove(struct weir_element *e, struct weir_attr *attr);
WEIR_API size_t weir_attr_remove_key(struct weir_element *e, weir_str key);
/* Gives an attribute another value, in its place. */
WEIR_API void weir_attr_replace(struct weir_element *e, struct weir_attr *attr,
				const struct weir_value *value);
/* Appends (a key that is there already becomes a duplicate: find first). */
WEIR_API struct weir_attr *weir_attr_add(struct weir_element *e, weir_str key,
					 const struct weir_value *value);

/* --- Text fields and body ------------------------------------------------------ */

enum weir_text_field {
	WEIR_TEXT_NAME,		/* span, event, metric, scope; log: event_name */
	WEIR_TEXT_STATUS_MESSAGE,	/* span */
	WEIR_TEXT_TRACE_STATE,	/* span, link */
	WEIR_TEXT_SEVERITY,	/* log record: severity_text */
	WEIR_TEXT_DESCRIPTION,	/* metric */
	WEIR_TEXT_UNIT,		/* metric */
	WEIR_TEXT_VERSION,	/* scope */
	WEIR_TEXT_SCHEMA_URL,	/* resource, scope: of the wrapper */
	WEIR_TEXT_COUNT
};
/* "" when the field is empty, absent, or not of this kind of element. */
WEIR_API weir_str weir_text_get(const struct weir_element *e,
				enum weir_text_field field);
WEIR_API bool weir_text_applies(const struct weir_element *e,
				enum weir_text_field field);
WEIR_API void weir_text_set(struct weir_element *e,
			    enum weir_text_field field, weir_str text);
/* A log record's body: false when absent or not a log record. */
WEIR_API bool weir_body_get(const struct weir_element *e,
			    struct weir_value *body);
WEIR_API void weir_body_set(struct weir_element *e,
			    const struct weir_value *body);

/* Memory that lives until the element's changes are written. */
WEIR_API void *weir_scratch(struct weir_element *e, size_t size);
WEIR_API weir_str weir_scratch_str(struct weir_element *e, weir_str text);

/* --- Inside lists and maps -------------------------------------------------------- */

/* What to do with one entry or element. */
enum weir_rewrite {
	WEIR_KEEP,		/* as it is, bytes untouched */
	WEIR_DESCEND,		/* a list or map: ask about what is inside */
	WEIR_REMOVE,
	WEIR_REPLACE		/* with *value */
};
/* key: of the map entry, "" in a list; path: "a.b.[0].c" from the top. */
typedef enum weir_rewrite (*weir_rewriter)(void *arg, weir_str key,
					   weir_str path,
					   struct weir_value *value);
/* Asks about every entry of a LIST or MAP, depth first.  If anything changed,
 * *value becomes the new list or map (in scratch) and true is returned;
 * unknown fields in it survive. */
WEIR_API bool weir_value_rewrite(struct weir_element *e,
				 struct weir_value *value,
				 weir_rewriter rewriter, void *arg);

#ifdef __cplusplus
}
#endif
#endif
