/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match_apply.c: include and exclude blocks, asked (weir/kit/match.h).
 *
 * Holds nothing.  A block matches when all of its fields do, so each level
 * judges its own fields and hands down "cannot match any more".
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "match_private.h"

/* The cookie. */
enum {
	NOT_INCLUDED = 1 << 0,	/* include cannot match: skip all below */
	NOT_EXCLUDED = 1 << 1	/* exclude cannot match */
};

static bool matches(const struct texts *t, weir_str text)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->strict ? weir_str_eq(t->strict[i], text) :
		    weir_regex_match(t->regexps[i], text))
			return true;
	return !t->set;
}

/* --- Attributes ------------------------------------------------------------------ */

static void add_zeros(struct weir_text *text, int n)
{
	while (n-- > 0)
		weir_text_add(text, WEIR_STR("0"));
}

/* d.ddd times ten to the exponent, without exponent. */
static void add_decimal(struct weir_text *text, const char *digits, int n,
			int exponent)
{
	int front = exponent + 1 < n ? exponent + 1 : n;

	if (exponent < 0) {
		weir_text_addf(text, "0.");
		add_zeros(text, -exponent - 1);
		weir_text_addf(text, "%.*s", n, digits);
		return;
	}
	weir_text_addf(text, "%.*s", front, digits);
	add_zeros(text, exponent + 1 - n);
	if (front < n)
		weir_text_addf(text, ".%.*s", n - front, digits + front);
}

/* The fewest digits that read back the same, as Go's 'f' format has them. */
static void add_plain_double(struct weir_text *text, double real)
{
	char mantissa[40];
	const char *exponent;
	int n = 0;

	if (!isfinite(real)) {
		weir_text_addf(text, "%s", isnan(real) ? "NaN" :
			       real > 0 ? "+Inf" : "-Inf");
		return;
	}
	if (signbit(real))
		weir_text_addf(text, "-");
	real = fabs(real);
	do {
		snprintf(mantissa, sizeof(mantissa), "%.*e", n, real);
	} while (strtod(mantissa, NULL) != real && ++n < 17);
	if (n)		/* "d.ddd" to "dddd" */
		memmove(mantissa + 1, mantissa + 2, strlen(mantissa + 2) + 1);
	exponent = strchr(mantissa, 'e') + 1;
	add_decimal(text, mantissa, n + 1, (int)strtol(exponent, NULL, 10));
}

/* The text that a regexp looks at; false for types that never match. */
static bool value_text(const struct weir_value *value, struct weir_text *scratch,
		       weir_str *out)
{
	weir_text_clear(scratch);
	switch (value->type) {
	case WEIR_VALUE_STRING:
		*out = value->str;
		return true;
	case WEIR_VALUE_BOOL:
		*out = weir_str_of(value->boolean ? "true" : "false");
		return true;
	case WEIR_VALUE_INT:
		weir_text_addf(scratch, "%lld", (long long)value->integer);
		break;
	case WEIR_VALUE_DOUBLE:
		add_plain_double(scratch, value->real);
		break;
	default:
		return false;
	}
	*out = (weir_str){ scratch->ptr, scratch->len };
	return true;
}

static bool attribute_matches(const struct attribute *a,
			      struct weir_text *scratch,
			      const struct weir_value *value)
{
	weir_str text;

	if (a->any)
		return true;
	if (!a->regexp)
		return weir_value_eq(&a->value, value);
	return value_text(value, scratch, &text) &&
		weir_regex_match(a->regexp, text);
}

static bool attributes_match(const struct attributes *list,
			     struct weir_text *scratch, struct weir_element *e)
{
	for (size_t i = 0; i < list->n; i++) {
		struct weir_attr *found = weir_attr_find(e, list->v[i].key);

		if (!found || !attribute_matches(&list->v[i], scratch,
						 &found->value))
			return false;
	}
	return true;
}

/* --- Levels ------------------------------------------------------------------------ */

static bool service_matches(const struct block *b, struct weir_text *scratch,
			    struct weir_element *e)
{
	weir_str name = WEIR_STR("<nil-service-name>");
	struct weir_attr *attr;

	if (!b->services.set)
		return true;
	attr = weir_attr_find(e, WEIR_STR("service.name"));
	weir_text_clear(scratch);
	if (attr)
		name = weir_value_text(&attr->value, scratch);
	return matches(&b->services, name);
}

static bool scope_matches(const struct block *b, struct weir_element *e)
{
	for (size_t i = 0; i < b->n_libraries; i++)
		if (!matches(&b->libraries[i].name,
			     weir_text_get(e, WEIR_TEXT_NAME)) ||
		    !matches(&b->libraries[i].version,
			     weir_text_get(e, WEIR_TEXT_VERSION)))
			return false;
	return true;
}

/* Could the block still match below e? */
static bool level_matches(const struct block *b, struct weir_text *scratch,
			  struct weir_element *e)
{
	switch (weir_element_level(e)) {
	case WEIR_LEVEL_RESOURCE:
		return service_matches(b, scratch, e) &&
			attributes_match(&b->resources, scratch, e);
	case WEIR_LEVEL_SCOPE:
		return scope_matches(b, e);
	case WEIR_LEVEL_METRIC:
		return matches(&b->metric_names,
			       weir_text_get(e, WEIR_TEXT_NAME));
	default:
		return true;
	}
}

uintptr_t weir_match_enter(const struct weir_match *match,
			   struct weir_text *text, struct weir_element *e,
			   uintptr_t parent)
{
	if (match->include.on && !(parent & NOT_INCLUDED) &&
	    !level_matches(&match->include, text, e))
		parent |= NOT_INCLUDED;
	if (match->exclude.on && !(parent & NOT_EXCLUDED) &&
	    !level_matches(&match->exclude, text, e))
		parent |= NOT_EXCLUDED;
	return parent;
}

/* --- Records ------------------------------------------------------------------------- */

static bool span_matches(const struct block *b, const struct weir_span *span)
{
	return matches(&b->span_names, span->name) &&
		matches(&b->span_kinds,
			weir_str_of(weir_match_span_kind(span->kind)));
}

static bool severity_matches(const struct weir_match_severity *s,
			     uint32_t number)
{
	if (!s->enabled)
		return true;
	return number ? number >= s->min : s->match_undefined;
}

static bool log_matches(const struct block *b, struct weir_text *scratch,
			struct weir_element *e,
			const struct weir_log_record *log)
{
	struct weir_value body = { .type = WEIR_VALUE_EMPTY };

	if (b->log_bodies.set) {
		weir_body_get(e, &body);
		weir_text_clear(scratch);
		if (!matches(&b->log_bodies, weir_value_text(&body, scratch)))
			return false;
	}
	return matches(&b->log_severity_texts, log->severity_text) &&
		severity_matches(&b->severity, log->severity_number);
}

static bool record_matches(const struct block *b, struct weir_text *scratch,
			   struct weir_element *e)
{
	const struct weir_span *span = weir_element_span(e);
	const struct weir_log_record *log = weir_element_log(e);

	if (span && !span_matches(b, span))
		return false;
	if (log && !log_matches(b, scratch, e, log))
		return false;
	return attributes_match(&b->attributes, scratch, e);
}

bool weir_match_record(const struct weir_match *match, struct weir_text *text,
		       struct weir_element *e, uintptr_t parent)
{
	if (parent & NOT_INCLUDED)
		return false;
	if (match->include.on && !record_matches(&match->include, text, e))
		return false;
	return !match->exclude.on || parent & NOT_EXCLUDED ||
		!record_matches(&match->exclude, text, e);
}
