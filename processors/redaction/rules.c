/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules.c: what the configuration says about a key and about a text.
 *
 * Holds nothing of its own.  Fails closed: a digest that cannot be made leaves
 * stars, an engine that cannot tell counts as a match.
 */
#include <stdlib.h>

#include "rules.h"

/* --- Words and patterns --------------------------------------------------------- */

static int by_bytes(const void *a, const void *b)
{
	const weir_str *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int order = n ? memcmp(x->ptr, y->ptr, n) : 0;

	return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void *alloc(size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size);

	if (!memory)
		abort();
	return memory;
}

void words_init(struct words *words, struct weir_strs list,
		const char *const *more)
{
	size_t n_more = 0;

	while (more && more[n_more])
		n_more++;
	words->v = alloc(list.len + n_more, sizeof(*words->v));
	for (size_t i = 0; i < list.len; i++)
		words->v[words->n++] = list.items[i];
	for (size_t i = 0; i < n_more; i++)
		words->v[words->n++] = weir_str_of(more[i]);
	qsort(words->v, words->n, sizeof(*words->v), by_bytes);
}

bool words_have(const struct words *words, weir_str word)
{
	return words->n && bsearch(&word, words->v, words->n,
				   sizeof(*words->v), by_bytes);
}

int patterns_init(struct patterns *patterns, struct weir_strs list,
		  struct weir_error *error)
{
	patterns->v = alloc(list.len, sizeof(*patterns->v));
	for (; patterns->n < list.len; patterns->n++) {
		struct weir_regex *regex =
			weir_regex_new(list.items[patterns->n], error);

		if (!regex)
			return -1;
		patterns->v[patterns->n] = regex;
	}
	return 0;
}

bool patterns_match(const struct patterns *patterns, weir_str text)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (weir_regex_match(patterns->v[i], text))
			return true;
	return false;
}

bool patterns_permit(const struct patterns *patterns, weir_str text)
{
	for (size_t i = 0; i < patterns->n; i++) {
		uint64_t untold = weir_regex_untold();

		if (weir_regex_match(patterns->v[i], text) &&
		    weir_regex_untold() == untold)
			return true;
	}
	return false;
}

void patterns_release(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->n; i++)
		weir_regex_free(&patterns->v[i]);
	free(patterns->v);
	*patterns = (struct patterns){ 0 };
}

void rules_release(struct rules *rules)
{
	free(rules->allowed.v);
	free(rules->ignored.v);
	patterns_release(&rules->ignored_patterns);
	prefilter_release(&rules->blocked_near);
	patterns_release(&rules->blocked_values);
	patterns_release(&rules->blocked_keys);
	patterns_release(&rules->allowed_values);
	patterns_release(&rules->safe);
	contents_release(&rules->contents);
	*rules = (struct rules){ 0 };
}

/* --- Keys ------------------------------------------------------------------------- */

/* A pattern that is nothing but words names its keys exactly. */
static bool blocked_exactly(const struct rules *rules, weir_str key)
{
	const struct patterns *p = &rules->blocked_keys;
	weir_str word;

	for (size_t i = 0; i < p->n; i++)
		if (weir_regex_word(p->v[i], 0, &word) &&
		    weir_regex_match(p->v[i], key))
			return true;
	return false;
}

/* Counts of tokens, as OpenTelemetry and those before it call them; by hand,
 * so that they load no pattern engine. */
static bool counts_tokens(weir_str key)
{
	static const char end[] = "_tokens", part[] = "token_count";
	size_t n = sizeof(end) - 1;

	return key.len && (memmem(key.ptr, key.len, part, sizeof(part) - 1) ||
			   (key.len >= n &&
			    !memcmp(key.ptr + key.len - n, end, n)));
}

static bool safe_by_default(weir_str key)
{
	static const char front[] = "gen_ai.usage.";

	return weir_str_eq(key, WEIR_STR("gen_ai.token.type")) ||
		(key.len > sizeof(front) - 1 &&
		 !memcmp(key.ptr, front, sizeof(front) - 1));
}

static struct ruling judge(const struct rules *rules, weir_str key)
{
	bool guards = rules->guards_counts;
	enum verdict verdict = KEY_PLAIN, of_number;

	if (words_have(&rules->ignored, key) ||
	    patterns_permit(&rules->ignored_patterns, key))
		return (struct ruling){ .verdict = KEY_IGNORED,
					.of_number = KEY_IGNORED };
	if (!rules->allow_all_keys && !words_have(&rules->allowed, key))
		verdict = KEY_REMOVED;
	else if (patterns_match(&rules->blocked_keys, key))
		verdict = KEY_BLOCKED;
	of_number = verdict;
	if (!blocked_exactly(rules, key)) {
		if (patterns_permit(&rules->safe, key) ||
		    (guards && safe_by_default(key)))
			verdict = of_number = KEY_SAFE;
		else if (guards && counts_tokens(key))
			of_number = KEY_SAFE;
	}
	return (struct ruling){
		.verdict = (uint8_t)verdict, .of_number = (uint8_t)of_number,
		.content = (uint16_t)contents_find(&rules->contents, key) };
}

/* Two slots a hash, of which the older key gives way: strangers choose the keys,
 * so the size is fixed and a flood of new ones only costs the patterns. */
#define CACHE_SLOTS 512
#define KEY_CACHED 56
struct key_cache {
	struct slot {
		struct ruling ruling;
		uint8_t used, len;
		char key[KEY_CACHED];
	} slots[CACHE_SLOTS];
};

/* Eight bytes a step. */
static uint32_t hash(weir_str key)
{
	uint64_t h = key.len, word;
	size_t i = 0;

	for (; key.len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, key.ptr + i, sizeof(word));
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	for (word = 0; i < key.len; i++)
		word = word << 8 | (uint8_t)key.ptr[i];
	h = (h ^ word) * 0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 40);
}

static bool is_of_key(const struct slot *slot, weir_str key)
{
	return slot->used && slot->len == key.len &&
		(!key.len || !memcmp(slot->key, key.ptr, key.len));
}

static void fill_slot(struct slot *slot, const struct rules *rules,
		      weir_str key)
{
	slot->used = 1;
	slot->len = (uint8_t)key.len;
	if (key.len)
		memcpy(slot->key, key.ptr, key.len);
	slot->ruling = judge(rules, key);
	slot->ruling.clean = !prefilter_match(&rules->blocked_near, key) &&
		!detect_any(&rules->detectors, key);
	slot->ruling.mute = !detect_name(&rules->detectors, key);
}

struct ruling rules_key(const struct rules *rules, struct work *work,
			weir_str key)
{
	struct slot *slot;

	if (key.len > KEY_CACHED)
		return judge(rules, key);
	if (!work->cache)
		work->cache = alloc(1, sizeof(*work->cache));
	slot = &work->cache->slots[hash(key) % (CACHE_SLOTS / 2) * 2];
	if (is_of_key(&slot[0], key))
		return slot[0].ruling;
	if (is_of_key(&slot[1], key))
		return slot[1].ruling;
	if (slot[0].used)
		slot[1] = slot[0];
	fill_slot(&slot[0], rules, key);
	return slot[0].ruling;
}

bool rules_speak(const struct rules *rules, weir_str key)
{
	return detect_name(&rules->detectors, key) &&
		judge(rules, key).verdict != KEY_SAFE;
}

const struct content_rule *rules_content(const struct rules *rules,
					 struct ruling ruling, bool number)
{
	const struct content_rule *rule;

	if (!ruling.content)
		return NULL;
	rule = &rules->contents.v[ruling.content - 1];
	if (rule->pattern && ruling_of(ruling, number) == KEY_SAFE)
		return NULL;
	return rule;
}

/* --- Texts -------------------------------------------------------------------------- */

bool rules_allow(const struct rules *rules, weir_str text)
{
	return patterns_permit(&rules->allowed_values, text);
}

bool rules_digest(const struct rules *rules, struct work *work, weir_str text,
		  struct weir_text *out)
{
	struct weir_error error;
	size_t before = out->len;

	if (!work->content_digest)
		work->content_digest = weir_digest_new(rules->hashed ?
			rules->digest : WEIR_DIGEST_SHA256, rules->hmac_key,
			&error);
	if (work->content_digest)
		weir_digest_hex(work->content_digest, text, out);
	return out->len > before;
}

/* --- Memory ------------------------------------------------------------------------- */

#define TEXTS 8

static void texts_of(struct work *work, struct weir_text *texts[TEXTS])
{
	struct weir_text *all[TEXTS] = { &work->text[0], &work->text[1],
		&work->places, &work->text[2], &work->text[3], &work->form,
		&work->named, &work->cut };

	memcpy(texts, all, sizeof(all));
}

void work_init(struct work *work)
{
	struct weir_text *texts[TEXTS];

	texts_of(work, texts);
	for (unsigned i = 0; i < TEXTS; i++) {
		texts[i]->charged = true;
		texts[i]->forced = i > 2;	/* nobody looks at refused */
	}
}

#define KEPT_MAX (64u << 10)

void text_trim(struct weir_text *text)
{
	if (text->cap > KEPT_MAX)
		weir_text_release(text);
}

void work_trim(struct work *work)
{
	struct weir_text *texts[TEXTS];

	texts_of(work, texts);
	for (unsigned i = 0; i < TEXTS; i++)
		text_trim(texts[i]);
}

void work_release(struct work *work)
{
	struct weir_text *texts[TEXTS];

	free(work->cache);
	weir_digest_free(&work->digest);
	weir_digest_free(&work->content_digest);
	texts_of(work, texts);
	for (unsigned i = 0; i < TEXTS; i++)
		weir_text_release(texts[i]);
	*work = (struct work){ 0 };
}
