/* SPDX-License-Identifier: Apache-2.0 */
/*
 * summary.c: what was done to an element, told in attributes of its own.
 *
 * A category in which nothing happened is not told.  A summary that is there
 * already (from a redaction before this one) is continued: its keys are joined,
 * its count added.  Keys are sorted, and listed as often as they occur, up to
 * TOLD_MAX bytes.
 */
#include <stdlib.h>

#include "summary.h"

static const struct {
	const char *keys, *count;
} names[2][DONE_KINDS] = {
	{ { "redaction.redacted.keys", "redaction.redacted.count" },
	  { "redaction.masked.keys", "redaction.masked.count" },
	  { "redaction.allowed.keys", "redaction.allowed.count" },
	  { NULL, "redaction.ignored.count" } },
	{ { "redaction.body.redacted.keys", "redaction.body.redacted.count" },
	  { "redaction.body.masked.keys", "redaction.body.masked.count" },
	  { "redaction.body.allowed.keys", "redaction.body.allowed.count" },
	  { NULL, "redaction.body.ignored.count" } },
};

void tally_clear(struct tally *tally)
{
	memset(tally->count, 0, sizeof(tally->count));
	tally->n = 0;
	tally->told_bytes = 0;
}

/* Each key takes a comma, too. */
bool tally_tells(const struct tally *tally, enum summary_level level,
		 size_t len)
{
	return level == SUMMARY_DEBUG &&
		len < TOLD_MAX - tally->told_bytes;
}

static void remember(struct tally *tally, enum done done, weir_str key)
{
	tally->told_bytes += key.len + 1;
	if (tally->n == tally->cap) {
		tally->cap = tally->cap ? tally->cap * 2 : 16;
		tally->v = realloc(tally->v, tally->cap * sizeof(*tally->v));
		if (!tally->v)
			abort();
	}
	tally->v[tally->n++] = (struct told){ done, key };
}

void tally_add(struct tally *tally, enum summary_level level, enum done done,
	       weir_str key)
{
	tally->count[done]++;
	if (done != DONE_IGNORED && tally_tells(tally, level, key.len))
		remember(tally, done, key);
}

void tally_release(struct tally *tally)
{
	free(tally->v);
	*tally = (struct tally){ 0 };
}

/* --- Writing -------------------------------------------------------------------- */

static void put(struct weir_element *e, const char *name,
		const struct weir_value *value)
{
	struct weir_attr *attr = weir_attr_find(e, weir_str_of(name));

	if (attr)
		weir_attr_replace(e, attr, value);
	else
		weir_attr_add(e, weir_str_of(name), value);
}

static int by_kind_and_key(const void *a, const void *b)
{
	const struct told *x = a, *y = b;
	size_t n = x->key.len < y->key.len ? x->key.len : y->key.len;
	int order = x->done != y->done ? (x->done > y->done ? 1 : -1) :
		n ? memcmp(x->key.ptr, y->key.ptr, n) : 0;

	return order ? order : (x->key.len > y->key.len) -
		(x->key.len < y->key.len);
}

/* The keys of a summary that is there already, comma by comma. */
static void join_earlier(struct tally *tally, enum done done,
			 struct weir_element *e, const char *name)
{
	struct weir_attr *attr = weir_attr_find(e, weir_str_of(name));
	weir_str rest;

	if (!attr || attr->value.type != WEIR_VALUE_STRING ||
	    !attr->value.str.len)
		return;
	rest = attr->value.str;
	for (;;) {
		const char *comma = rest.len ?
			memchr(rest.ptr, ',', rest.len) : NULL;
		size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;

		if (tally_tells(tally, SUMMARY_DEBUG, len))
			remember(tally, done, (weir_str){ rest.ptr, len });
		if (!comma)
			return;
		rest = (weir_str){ comma + 1, rest.len - len - 1 };
	}
}

static void write_keys(const struct tally *tally, enum done done,
		       struct weir_text *text, struct weir_element *e,
		       const char *name)
{
	struct weir_value value = { .type = WEIR_VALUE_STRING };
	bool first = true;

	weir_text_clear(text);
	for (size_t i = 0; i < tally->n; i++) {
		if (tally->v[i].done != done)
			continue;
		if (!first)
			weir_text_add(text, WEIR_STR(","));
		weir_text_add(text, tally->v[i].key);
		first = false;
	}
	value.str = weir_scratch_str(e, (weir_str){ text->ptr, text->len });
	put(e, name, &value);
}

static void write_count(size_t count, struct weir_element *e, const char *name)
{
	struct weir_attr *attr = weir_attr_find(e, weir_str_of(name));
	struct weir_value value = { .type = WEIR_VALUE_INT };
	uint64_t sum = count;

	if (attr && attr->value.type == WEIR_VALUE_INT)
		sum += (uint64_t)attr->value.integer;
	value.integer = (int64_t)sum;
	put(e, name, &value);
}

void summary_write(struct tally *tally, enum summary_level level, bool body,
		   struct weir_text *text, struct weir_element *e)
{
	if (level == SUMMARY_SILENT)
		return;
	for (enum done done = 0; level == SUMMARY_DEBUG && done < DONE_IGNORED;
	     done++)
		if (tally->count[done])
			join_earlier(tally, done, e, names[body][done].keys);
	if (tally->n)
		qsort(tally->v, tally->n, sizeof(*tally->v), by_kind_and_key);
	for (enum done done = 0; done < DONE_KINDS; done++) {
		if (!tally->count[done])
			continue;
		if (level == SUMMARY_DEBUG && names[body][done].keys)
			write_keys(tally, done, text, e,
				   names[body][done].keys);
		write_count(tally->count[done], e, names[body][done].count);
	}
}
