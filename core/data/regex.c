/* SPDX-License-Identifier: Apache-2.0 */
/*
 * regex.c: the patterns of a configuration (weir/regex.h).
 *
 * Holds one compiled object a pattern for the whole process, counted, and the
 * engine's library once a pattern has needed it; that is never closed.  Words
 * and literals are matched here, without it.  The mutex guards set-up only:
 * a compiled pattern is constant.  Must never say no when it cannot tell.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <re2/shim.h>	/* the table that core and libweirre2.so share */
#include <weir/library.h>
#include <weir/regex.h>

#include "pattern.h"

struct weir_regex {
	struct weir_regex *next;
	uint32_t refs;
	struct pattern pattern;
	void *re;		/* PATTERN_ENGINE: RE2's object */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct weir_regex *shelf;		/* under lock */
static const struct weirre2 *engine;		/* written once, under lock */
static _Thread_local uint64_t untold;

/* --- The engine's library -------------------------------------------------------- */

/* Under lock. */
static int open_engine(struct weir_error *error)
{
	const struct weirre2 *found;
	struct weir_error why;

	if (engine)
		return 0;
	found = weir_library_open("libweirre2.so", WEIRRE2_SYMBOL, &why);
	if (!found)
		return weir_fail(error, NULL, "patterns need %s", why.text);
	if (found->version != WEIRRE2_VERSION)
		return weir_fail(error, NULL, "libweirre2.so is of another "
				 "weir");
	engine = found;
	return 0;
}

/* --- One object a pattern ----------------------------------------------------------- */

static void destroy(struct weir_regex *regex)
{
	if (regex->re)
		engine->release(regex->re);
	pattern_release(&regex->pattern);
	free(regex);
}

/* Under lock. */
static struct weir_regex *compile(weir_str text, struct weir_error *error)
{
	struct weir_regex *regex = xcalloc(1, sizeof(*regex));
	char why[400];

	if (pattern_parse(&regex->pattern, text, error))
		goto fail;
	if (regex->pattern.kind != PATTERN_ENGINE)
		return regex;
	if (open_engine(error))
		goto fail;
	regex->re = engine->compile(regex->pattern.engine.ptr,
				    regex->pattern.engine.len, why,
				    sizeof(why));
	if (regex->re)
		return regex;
	if (strchr(why, '`'))
		weir_fail(error, NULL, "error parsing regexp: %s", why);
	else
		weir_fail(error, NULL, "error parsing regexp: %s: `%.*s`", why,
			  WEIR_STR_FMT(text));
fail:
	destroy(regex);
	return NULL;
}

static struct weir_regex *find_on_shelf(weir_str text)
{
	struct weir_regex *regex = shelf;

	while (regex && !weir_str_eq(regex->pattern.text, text))
		regex = regex->next;
	return regex;
}

struct weir_regex *weir_regex_new(weir_str text, struct weir_error *error)
{
	struct weir_regex *regex;

	pthread_mutex_lock(&lock);
	regex = find_on_shelf(text);
	if (!regex) {
		regex = compile(text, error);
		if (regex) {
			regex->next = shelf;
			shelf = regex;
		}
	}
	if (regex)
		regex->refs++;
	pthread_mutex_unlock(&lock);
	return regex;
}

void weir_regex_free(struct weir_regex **regex)
{
	struct weir_regex **at = &shelf;

	if (!*regex)
		return;
	pthread_mutex_lock(&lock);
	if (--(*regex)->refs == 0) {
		while (*at != *regex)
			at = &(*at)->next;
		*at = (*regex)->next;
		destroy(*regex);
	}
	pthread_mutex_unlock(&lock);
	*regex = NULL;
}

/* --- Text that is no valid UTF-8 ------------------------------------------------------ */

/* Go reads each byte that begins no character as U+FFFD.  So does a copy of
 * the text in which it stands there; offsets are led back to the text. */
struct subject {
	weir_str text;		/* as given */
	weir_str seen;		/* what is searched: text, or the copy */
	char *copy;
	size_t at, at_seen;	/* the same place in both; only moves on */
};

static bool is_ascii(weir_str text)
{
	uint64_t any = 0, word;
	size_t i = 0;

	for (; text.len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, text.ptr + i, sizeof(word));
		any |= word;
	}
	for (; i < text.len; i++)
		any |= (uint8_t)text.ptr[i];
	return !(any & 0x8080808080808080u);
}

static bool mend(struct subject *s)
{
	char *out = s->copy = malloc(s->text.len * 3);
	size_t n;

	for (size_t i = 0; out && i < s->text.len; i += n) {
		bool valid = true;

		n = pattern_rune(s->text, i, &valid);
		if (valid)
			memcpy(out, s->text.ptr + i, n);
		else
			memcpy(out, "\xef\xbf\xbd", 3);
		out += valid ? n : 3;
	}
	s->seen = (weir_str){ s->copy, (size_t)(out - s->copy) };
	return out != NULL;
}

/* False when memory fails.  Release it in either case. */
static bool subject_init(struct subject *s, const struct weir_regex *regex,
			 weir_str text)
{
	if (!text.len)
		text.ptr = "";
	*s = (struct subject){ .text = text, .seen = text };
	if (regex->pattern.kind != PATTERN_ENGINE || is_ascii(text) ||
	    pattern_utf8(text))
		return true;
	return mend(s);
}

static void subject_release(struct subject *s)
{
	free(s->copy);
}

static size_t to_text(struct subject *s, size_t seen)
{
	if (!s->copy)
		return seen;
	if (seen < s->at_seen)
		s->at = s->at_seen = 0;
	while (s->at_seen < seen) {
		bool valid = true;
		size_t n = pattern_rune(s->text, s->at, &valid);

		s->at += n;
		s->at_seen += valid ? n : 3;
	}
	return s->at;
}

static size_t to_seen(struct subject *s, size_t offset)
{
	if (!s->copy)
		return offset;
	while (s->at < offset)
		to_text(s, s->at_seen + 1);
	return s->at_seen;
}

/* --- Matching ---------------------------------------------------------------------------- */

static bool contains(weir_str text, weir_str literal)
{
	return memmem(text.ptr, text.len, literal.ptr, literal.len) != NULL;
}

/* There is no group but 0. */
static int found_literal(struct weirre2_group *groups, size_t n, size_t start,
			 size_t len)
{
	for (size_t i = 0; i < n; i++)
		groups[i].start = groups[i].end = WEIRRE2_NONE;
	if (n) {
		groups[0].start = start;
		groups[0].end = start + len;
	}
	return 1;
}

static int search_literal(weir_str seen, size_t from, weir_str literal,
			  struct weirre2_group *groups, size_t n)
{
	const char *at = memmem(seen.ptr + from, seen.len - from, literal.ptr,
				literal.len);

	return at ? found_literal(groups, n, (size_t)(at - seen.ptr),
				  literal.len) : 0;
}

static int search_prefix(weir_str seen, size_t from, weir_str literal,
			 struct weirre2_group *groups, size_t n)
{
	if (from || seen.len < literal.len ||
	    memcmp(seen.ptr, literal.ptr, literal.len))
		return 0;
	return found_literal(groups, n, 0, literal.len);
}

static int search_line(const struct pattern *pattern, weir_str seen,
		       size_t from, struct weirre2_group *groups, size_t n)
{
	weir_str found;

	if (!pattern_find_line(pattern, seen, from, &found))
		return 0;
	return found_literal(groups, n, (size_t)(found.ptr - seen.ptr),
			     found.len);
}

/* As the engine's search: 1, 0, or -1 when it cannot tell. */
static int search(const struct weir_regex *regex, weir_str seen, size_t from,
		  struct weirre2_group *groups, size_t n)
{
	weir_str rest = { seen.ptr + from, seen.len - from };

	switch (regex->pattern.kind) {
	case PATTERN_WORDS:
		if (from || !pattern_has_word(&regex->pattern, seen))
			return 0;
		for (size_t i = 0; i < n; i++) {
			groups[i].start = 0;
			groups[i].end = seen.len;
		}
		return 1;
	case PATTERN_LITERAL:
		return search_literal(seen, from, regex->pattern.literal,
				      groups, n);
	case PATTERN_PREFIX:
		return search_prefix(seen, from, regex->pattern.literal,
				     groups, n);
	case PATTERN_LINE:
		return search_line(&regex->pattern, seen, from, groups, n);
	default:
		if (regex->pattern.literal.len &&
		    !contains(rest, regex->pattern.literal))
			return 0;
		return engine->search(regex->re, seen.ptr, seen.len, from,
				      groups, n);
	}
}

uint64_t weir_regex_untold(void)
{
	return untold;
}

bool weir_regex_match(const struct weir_regex *regex, weir_str text)
{
	struct subject s;
	int found = -1;

	if (subject_init(&s, regex, text))
		found = search(regex, s.seen, 0, NULL, 0);
	subject_release(&s);
	untold += found < 0;
	return found != 0;
}

static int find(const struct weir_regex *regex, struct subject *s, size_t from,
		weir_str *groups, size_t n)
{
	struct weirre2_group few[16], *at = few;
	int found = -1;

	if (n > sizeof(few) / sizeof(*few))
		at = malloc(n * sizeof(*at));
	if (at)
		found = search(regex, s->seen, to_seen(s, from), at, n);
	for (size_t i = 0; found == 1 && i < n; i++) {
		size_t start;

		if (at[i].start == WEIRRE2_NONE)
			continue;
		start = to_text(s, at[i].start);
		groups[i] = (weir_str){ s->text.ptr + start,
					to_text(s, at[i].end) - start };
	}
	if (at != few)
		free(at);
	return found;
}

bool weir_regex_find(const struct weir_regex *regex, weir_str text,
		     size_t from, weir_str *groups, size_t n)
{
	size_t have = regex->pattern.n_groups + 1;
	struct subject s;
	int found = -1;

	memset(groups, 0, n * sizeof(*groups));
	if (from > text.len)
		return false;
	if (subject_init(&s, regex, text))
		found = find(regex, &s, from, groups, n < have ? n : have);
	if (found < 0) {	/* cannot tell: all of it */
		groups[0] = (weir_str){ s.text.ptr + from, text.len - from };
		untold++;
	}
	subject_release(&s);
	return found != 0;
}

/* --- Replacing ----------------------------------------------------------------------------- */

/* Where Go looks next: behind the match, one character on at least. */
static size_t next_search(weir_str seen, size_t from, size_t end)
{
	bool valid = true;
	size_t width = from < seen.len ? pattern_rune(seen, from, &valid) : 1;

	return from + width > end ? from + width : end;
}

static weir_str cut(struct subject *s, size_t start, size_t end)
{
	size_t from = to_text(s, start);

	return (weir_str){ s->text.ptr + from, to_text(s, end) - from };
}

/* A search may look far behind the match that it finds (a|a.*b), and the next
 * one again.  What takes much longer than its length allows is not gone on
 * with; a few matches cost no look at the clock. */
#define SEARCHES 32
#define NS_AHEAD (50 * 1000000)
#define NS_BYTE 20

struct effort {
	uint64_t begun;
	size_t searches;
};

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static bool too_much(struct effort *effort, size_t len)
{
	if (++effort->searches % SEARCHES)
		return false;
	if (!effort->begun)
		effort->begun = cpu_ns();
	return cpu_ns() - effort->begun > NS_AHEAD + len * (uint64_t)NS_BYTE;
}

bool weir_regex_replace(const struct weir_regex *regex, weir_str text,
	struct weir_text *out,
	void (*put)(void *arg, weir_str match, struct weir_text *out),
	void *arg)
{
	struct weirre2_group got;
	struct effort effort = { 0, 0 };
	size_t from = 0, last = 0;	/* in what is seen */
	struct subject s;
	bool any = false;
	int found;

	if (!subject_init(&s, regex, text)) {
		untold++;
		put(arg, text, out);
		return true;
	}
	while (from <= s.seen.len) {
		found = too_much(&effort, s.seen.len) ? -1 :
			search(regex, s.seen, from, &got, 1);
		if (!found)
			break;
		if (found < 0) {
			got = (struct weirre2_group){ from, s.seen.len };
			untold++;
		}
		weir_text_add(out, cut(&s, last, got.start));
		if (got.end > last || !got.start)
			put(arg, cut(&s, got.start, got.end), out);
		any = true;
		last = got.end;
		from = next_search(s.seen, from, got.end);
	}
	if (any)
		weir_text_add(out, cut(&s, last, s.seen.len));
	subject_release(&s);
	return any;
}

/* --- What it is ------------------------------------------------------------------------------ */

size_t weir_regex_groups(const struct weir_regex *regex)
{
	return regex->pattern.n_groups;
}

weir_str weir_regex_group_name(const struct weir_regex *regex, size_t i)
{
	if (!i || i > regex->pattern.n_groups)
		return WEIR_STR("");
	return regex->pattern.names[i - 1];
}

weir_str weir_regex_pattern(const struct weir_regex *regex)
{
	return regex->pattern.text;
}

bool weir_regex_word(const struct weir_regex *regex, size_t i, weir_str *word)
{
	if (regex->pattern.kind != PATTERN_WORDS ||
	    i >= regex->pattern.n_words)
		return false;
	*word = regex->pattern.words[i];
	return true;
}
