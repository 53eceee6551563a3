/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.c: commands of Redis, Valkey and memcached without the values in
 * them.
 *
 * Holds nothing but the table of which argument is a value.  A command that is
 * not in it keeps its arguments: keys are what a trace is read for.
 */
#include <strings.h>

#include "sanitize.h"

/* --- White space ------------------------------------------------------------------ */

static const char *const blanks[] = {
	"\t", "\n", "\v", "\f", "\r", " ", "\xc2\x85", "\xc2\xa0",
	"\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82",
	"\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86",
	"\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a",
	"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
	"\xe3\x80\x80",
};

/* Bytes of white space in front, or at the end. */
static size_t blank(weir_str text, bool at_end)
{
	for (size_t i = 0; i < sizeof(blanks) / sizeof(*blanks); i++) {
		size_t n = strlen(blanks[i]);

		if (n <= text.len &&
		    !memcmp(at_end ? text.ptr + text.len - n : text.ptr,
			    blanks[i], n))
			return n;
	}
	return 0;
}

weir_str trimmed(weir_str text)
{
	size_t n;

	while ((n = blank(text, false))) {
		text.ptr += n;
		text.len -= n;
	}
	while ((n = blank(text, true)))
		text.len -= n;
	return text;
}

/* --- Redis -------------------------------------------------------------------------- */

enum rule {		/* argument 0 is the first behind the command */
	NTH,		/* argument n is a value */
	FROM,		/* all from n on, told as one */
	EVERY,		/* of groups of n, behind `front` arguments, the last */
	CONFIG,		/* CONFIG SET parameter value */
	BITFIELD,	/* ... SET type offset value ... */
	ZADD		/* key [NX|XX|CH|INCR] score member ... */
};

static const struct command {
	const char *name;
	enum rule rule;
	size_t n, front;
} commands[] = {
	{ "AUTH", FROM, 0, 0 },
	{ "APPEND", NTH, 1, 0 }, { "GETSET", NTH, 1, 0 },
	{ "LPUSHX", NTH, 1, 0 }, { "RPUSHX", NTH, 1, 0 },
	{ "GEORADIUSBYMEMBER", NTH, 1, 0 }, { "SET", NTH, 1, 0 },
	{ "SETNX", NTH, 1, 0 }, { "SISMEMBER", NTH, 1, 0 },
	{ "ZRANK", NTH, 1, 0 }, { "ZREVRANK", NTH, 1, 0 },
	{ "ZSCORE", NTH, 1, 0 },
	{ "HSETNX", NTH, 2, 0 }, { "LREM", NTH, 2, 0 }, { "LSET", NTH, 2, 0 },
	{ "SETBIT", NTH, 2, 0 }, { "SETEX", NTH, 2, 0 },
	{ "PSETEX", NTH, 2, 0 }, { "SETRANGE", NTH, 2, 0 },
	{ "ZINCRBY", NTH, 2, 0 }, { "SMOVE", NTH, 2, 0 },
	{ "RESTORE", NTH, 2, 0 },
	{ "LINSERT", NTH, 3, 0 },
	{ "GEOHASH", FROM, 1, 0 }, { "GEOPOS", FROM, 1, 0 },
	{ "GEODIST", FROM, 1, 0 }, { "LPUSH", FROM, 1, 0 },
	{ "RPUSH", FROM, 1, 0 }, { "SREM", FROM, 1, 0 },
	{ "ZREM", FROM, 1, 0 }, { "SADD", FROM, 1, 0 },
	{ "GEOADD", EVERY, 3, 1 },
	{ "HSET", EVERY, 2, 1 }, { "HMSET", EVERY, 2, 1 },
	{ "MSET", EVERY, 2, 0 }, { "MSETNX", EVERY, 2, 0 },
	{ "CONFIG", CONFIG, 0, 0 },
	{ "BITFIELD", BITFIELD, 0, 0 },
	{ "ZADD", ZADD, 0, 0 },
};

static bool is(weir_str text, const char *word)
{
	return text.len == strlen(word) &&
		!strncasecmp(text.ptr, word, text.len);
}

static const struct command *command_of(weir_str name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (is(name, commands[i].name))
			return &commands[i];
	return NULL;
}

struct line {			/* one command with its arguments */
	const struct command *command;
	size_t i;		/* of the next argument */
	size_t mark;		/* CONFIG, BITFIELD: where SET was, plus one;
				 * ZADD: the first score, plus one */
	bool over;		/* the rest is told already */
};

static bool zadd_option(weir_str arg)
{
	return weir_str_eq(arg, WEIR_STR("NX")) ||
		weir_str_eq(arg, WEIR_STR("XX")) ||
		weir_str_eq(arg, WEIR_STR("CH")) ||
		weir_str_eq(arg, WEIR_STR("INCR"));
}

static bool zadd_value(struct line *line, weir_str arg)
{
	if (!line->mark) {
		if (line->i && !zadd_option(arg))
			line->mark = line->i + 1;
		return false;
	}
	return (line->i - line->mark) % 2 == 0;
}

/* The value of one SET only, the first that has one. */
static bool bitfield_value(struct line *line, weir_str arg)
{
	if (line->over)
		return false;
	if (is(arg, "SET"))
		line->mark = line->i;
	line->over = line->mark && line->i - line->mark == 3;
	return line->over;
}

static bool config_value(struct line *line, weir_str arg)
{
	if (!line->i && is(arg, "SET"))
		line->mark = 1;
	return line->mark && line->i == 2;
}

static bool is_value(struct line *line, weir_str arg)
{
	const struct command *c = line->command;

	switch (c->rule) {
	case NTH: return line->i == c->n;
	case FROM: return line->i >= c->n;
	case EVERY: return line->i >= c->front &&
			(line->i - c->front) % c->n == c->n - 1;
	case CONFIG: return config_value(line, arg);
	case BITFIELD: return bitfield_value(line, arg);
	default: return zadd_value(line, arg);
	}
}

static void add_argument(struct line *line, weir_str arg,
			 struct weir_text *out)
{
	bool value = line->command && is_value(line, arg);

	if (line->command && line->command->rule == FROM && line->over)
		return;
	weir_text_add(out, WEIR_STR(" "));
	weir_text_add(out, value ? WEIR_STR("?") : arg);
	if (value && line->command->rule == FROM)
		line->over = true;
	line->i++;
}

/* Up to a blank or line end outside of quotes. */
static weir_str take_argument(const char **p, const char *end)
{
	const char *from = *p;
	bool quoted = false, escaped = false;

	for (; *p < end; (*p)++) {
		char c = **p;

		if (!quoted && (c == ' ' || c == '\n'))
			break;
		if (c == '"' && !escaped)
			quoted = !quoted;
		escaped = c == '\\' && !escaped;
	}
	return (weir_str){ from, (size_t)(*p - from) };
}

static void skip_blanks(const char **p, const char *end)
{
	while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r'))
		(*p)++;
}

/* A command, up to its line's end or the text's. */
static void add_line(const char **p, const char *end, struct weir_text *out)
{
	struct line line = { 0 };
	const char *from = *p;
	weir_str name;

	while (*p < end && **p != ' ' && **p != '\n')
		(*p)++;
	name = (weir_str){ from, (size_t)(*p - from) };
	line.command = command_of(name);
	weir_text_add(out, name);
	while (*p < end && **p == ' ') {
		skip_blanks(p, end);
		if (*p < end && **p != '\n')
			add_argument(&line, take_argument(p, end), out);
	}
}

void sanitize_redis(weir_str text, struct weir_text *out)
{
	weir_str all = trimmed(text);
	const char *p = all.ptr, *end = all.len ? p + all.len : p;

	while (p < end) {
		add_line(&p, end, out);
		while (p < end && (*p == '\n' || *p == ' '))
			p++;
		if (p < end)
			weir_text_add(out, WEIR_STR("\n"));
	}
}

/* --- memcached ------------------------------------------------------------------------ */

/* What is stored comes behind the first line. */
void sanitize_memcached(weir_str text, struct weir_text *out)
{
	const char *end = text.len ? memmem(text.ptr, text.len, "\r\n", 2) :
		NULL;

	if (end)
		text.len = (size_t)(end - text.ptr);
	weir_text_add(out, trimmed(text));
}
