/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit.c: YAML in block style, or indented JSON.
 *
 * A container is written when its first entry comes, so that an empty one is
 * `{}` or `[]`.  Text is plain where no YAML reader can mistake it for
 * anything else, and in double quotes with JSON's escapes where one could.
 */
#include "emit.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "tree.h"
#include "base/utf8.h"

/* --- where a value stands ------------------------------------------------ */

static struct emit_level *level(struct emit *e)
{
	return &e->levels[e->depth];
}

static void new_line(const struct emit *e, unsigned depth)
{
	fprintf(e->out, "\n%*s", (int)(2 * (depth - 1)), "");
}

/* In front of each entry of a map or a list. */
static void begin_entry(struct emit *e)
{
	struct emit_level *l = level(e);

	if (e->json && l->n)
		fputc(',', e->out);
	if (e->json)
		fprintf(e->out, "\n%*s", (int)(2 * e->depth), "");
	else if (l->n || !l->inlined)
		new_line(e, e->depth);
	l->n++;
}

/* In front of each value; scalar: it stays on the line. */
static void begin_value(struct emit *e, bool scalar)
{
	if (e->depth && level(e)->list) {
		begin_entry(e);
		if (!e->json)
			fputs("- ", e->out);
	} else if (e->keyed && (e->json || scalar)) {
		fputc(' ', e->out);
	}
	if (scalar)
		e->keyed = false;
}

static void begin_container(struct emit *e, bool list)
{
	bool inlined;

	begin_value(e, false);
	inlined = !e->keyed;
	e->keyed = false;
	assert(e->depth < EMIT_MAX_DEPTH);
	e->depth++;
	*level(e) = (struct emit_level){ .list = list, .inlined = inlined };
	if (e->json)
		fputc(list ? '[' : '{', e->out);
}

void emit_map(struct emit *e)
{
	begin_container(e, false);
}

void emit_list(struct emit *e)
{
	begin_container(e, true);
}

void emit_end(struct emit *e)
{
	struct emit_level l = *level(e);

	e->depth--;
	if (e->json) {
		if (l.n)
			fprintf(e->out, "\n%*s", (int)(2 * e->depth), "");
		fputc(l.list ? ']' : '}', e->out);
	} else if (!l.n) {
		fprintf(e->out, "%s%s", l.inlined ? "" : " ",
			l.list ? "[]" : "{}");
	}
	if (!e->depth)
		fputc('\n', e->out);
}

/* --- text ---------------------------------------------------------------- */

/* Words that YAML 1.1 takes for a bool. */
static bool is_old_bool(weir_str text)
{
	static const char *const words[] = { "y", "n", "yes", "no", "on",
					     "off" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (text.len == strlen(words[i]) &&
		    !strncasecmp(text.ptr, words[i], text.len))
			return true;
	return false;
}

static bool is_plain(weir_str text)
{
	struct weir_node node = { .text = text };

	if (!text.len || text.len > 200 || is_old_bool(text))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool alnum = (c >= '0' && c <= '9') ||
			     ((c | 32) >= 'a' && (c | 32) <= 'z');

		if (!alnum && !strchr(i ? "_/.:-" : "_/", c))
			return false;
	}
	if (text.ptr[text.len - 1] == ':')
		return false;
	/* "12:30" is a number of base sixty in YAML 1.1. */
	if (text.ptr[0] >= '0' && text.ptr[0] <= '9' &&
	    memchr(text.ptr, ':', text.len))
		return false;
	tree_resolve(&node);
	return node.kind == WEIR_NODE_STR && !node.timestamp;
}

/* Needs a \u escape: what YAML does not call printable. */
static bool is_odd(uint32_t rune)
{
	return rune < 0x20 || (rune >= 0x7f && rune < 0xa0) ||
	       rune == 0x2028 || rune == 0x2029 || rune == 0xfeff ||
	       rune == 0xfffe || rune == 0xffff;
}

static void put_rune(FILE *out, uint32_t rune, weir_str bytes)
{
	if (rune == '"' || rune == '\\')
		fprintf(out, "\\%c", (char)rune);
	else if (rune == '\n')
		fputs("\\n", out);
	else if (rune == '\t')
		fputs("\\t", out);
	else if (is_odd(rune))
		fprintf(out, "\\u%04" PRIx32, rune);
	else
		fwrite(bytes.ptr, 1, bytes.len, out);
}

/* Of n good bytes. */
static uint32_t rune_of(const uint8_t *p, size_t n)
{
	uint32_t rune = n == 1 ? *p : *p & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		rune = rune << 6 | (p[i] & 0x3f);
	return rune;
}

static void put_quoted(FILE *out, weir_str text)
{
	const uint8_t *p = (const uint8_t *)text.ptr;
	const uint8_t *end = text.len ? p + text.len : p;

	fputc('"', out);
	while (p < end) {
		size_t bad = 0, n = utf8_character(p, end, &bad);

		if (n)
			put_rune(out, rune_of(p, n),
				 (weir_str){ (const char *)p, n });
		else
			fputs("\\ufffd", out);
		p += n ? n : bad;
	}
	fputc('"', out);
}

static void put_text(struct emit *e, weir_str text)
{
	if (!e->json && is_plain(text))
		fwrite(text.ptr, 1, text.len, e->out);
	else
		put_quoted(e->out, text);
}

void emit_key(struct emit *e, weir_str key)
{
	begin_entry(e);
	put_text(e, key);
	fputc(':', e->out);
	e->keyed = true;
}

void emit_str(struct emit *e, weir_str text)
{
	begin_value(e, true);
	put_text(e, text);
}

/* --- the others ---------------------------------------------------------- */

void emit_bool(struct emit *e, bool value)
{
	begin_value(e, true);
	fputs(value ? "true" : "false", e->out);
}

void emit_int(struct emit *e, int64_t value)
{
	begin_value(e, true);
	fprintf(e->out, "%" PRId64, value);
}

void emit_uint(struct emit *e, uint64_t value)
{
	begin_value(e, true);
	fprintf(e->out, "%" PRIu64, value);
}

/* The shortest form that reads back the same, and as no integer.  JSON has no
 * infinity: there it is text. */
void emit_double(struct emit *e, double value)
{
	const char *quote = e->json ? "\"" : "";
	char text[40];
	int precision = 15;

	begin_value(e, true);
	if (!isfinite(value)) {
		fprintf(e->out, "%s%s%s", quote, isnan(value) ? ".nan"
			: value < 0 ? "-.inf" : ".inf", quote);
		return;
	}
	do
		snprintf(text, sizeof(text), "%.*g", precision, value);
	while (strtod(text, NULL) != value && ++precision <= 17);
	fprintf(e->out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

void emit_null(struct emit *e)
{
	begin_value(e, true);
	fputs("null", e->out);
}
