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

static void patterns_release(struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->n; i++)
		weir_regex_free(&patterns->v[i]);
	free(patterns->v);
}

void rules_release(struct rules *rules)
{
	free(rules->allowed.v);
	free(rules->ignored.v);
	patterns_release(&rules->ignored_patterns);
	patterns_release(&rules->blocked_values);
	patterns_release(&rules->blocked_keys);
	patterns_release(&rules->allowed_values);
	*rules = (struct rules){ 0 };
}

/* --- Keys ------------------------------------------------------------------------- */

static enum verdict judge(const struct rules *rules, weir_str key)
{
	if (words_have(&rules->ignored, key) ||
	    patterns_match(&rules->ignored_patterns, key))
		return KEY_IGNORED;
	if (!rules->allow_all_keys && !words_have(&rules->allowed, key))
		return KEY_REMOVED;
	return patterns_match(&rules->blocked_keys, key) ? KEY_BLOCKED :
		KEY_PLAIN;
}

/* One slot a hash, the newest key wins: strangers choose the keys, so the size
 * is fixed and a flood of new ones only costs the patterns. */
#define CACHE_SLOTS 256
struct key_cache {
	struct slot {
		uint8_t used, verdict, len;
		char key[61];
	} slots[CACHE_SLOTS];
};

static uint32_t hash(weir_str key)
{
	uint32_t h = 2166136261u;	/* FNV-1a */

	for (size_t i = 0; i < key.len; i++)
		h = (h ^ (uint8_t)key.ptr[i]) * 16777619u;
	return h ^ h >> 16;
}

enum verdict rules_key(const struct rules *rules, struct work *work,
		       weir_str key)
{
	struct slot *slot;

	if (key.len > sizeof(slot->key))
		return judge(rules, key);
	if (!work->cache)
		work->cache = alloc(1, sizeof(*work->cache));
	slot = &work->cache->slots[hash(key) % CACHE_SLOTS];
	if (slot->used && slot->len == key.len &&
	    (!key.len || !memcmp(slot->key, key.ptr, key.len)))
		return slot->verdict;
	slot->used = 1;
	slot->len = (uint8_t)key.len;
	if (key.len)
		memcpy(slot->key, key.ptr, key.len);
	slot->verdict = (uint8_t)judge(rules, key);
	return slot->verdict;
}

/* --- Texts -------------------------------------------------------------------------- */

bool rules_allow(const struct rules *rules, weir_str text)
{
	return patterns_match(&rules->allowed_values, text);
}

struct mask {
	const struct rules *rules;
	struct work *work;
};

/* What stands in the place of a match. */
static void put_mask(void *arg, weir_str match, struct weir_text *out)
{
	struct mask *mask = arg;
	struct work *work = mask->work;
	struct weir_error error;

	if (mask->rules->hashed && !work->digest)
		work->digest = weir_digest_new(mask->rules->digest,
					       mask->rules->hmac_key, &error);
	if (work->digest)
		weir_digest_hex(work->digest, match, out);
	else
		weir_text_add(out, WEIR_STR("****"));
}

/* Each pattern sees what those before it left. */
bool rules_mask(const struct rules *rules, struct work *work, weir_str text,
		weir_str *out)
{
	struct mask mask = { rules, work };
	struct weir_text *to = &work->text[0];

	*out = text;
	for (size_t i = 0; i < rules->blocked_values.n; i++) {
		weir_text_clear(to);
		if (!weir_regex_replace(rules->blocked_values.v[i], *out, to,
					put_mask, &mask))
			continue;
		*out = (weir_str){ to->ptr, to->len };
		to = to == &work->text[0] ? &work->text[1] : &work->text[0];
	}
	return !weir_str_eq(*out, text);
}

/* As the pattern .* does: no line end is part of a match, every line is one. */
void rules_mask_whole(const struct rules *rules, struct work *work,
		      weir_str text, weir_str *out)
{
	struct mask mask = { rules, work };
	struct weir_text *to = &work->text[0];

	weir_text_clear(to);
	for (;;) {
		const char *end = text.len ?
			memchr(text.ptr, '\n', text.len) : NULL;
		size_t len = end ? (size_t)(end - text.ptr) : text.len;

		put_mask(&mask, (weir_str){ text.ptr, len }, to);
		if (!end)
			break;
		weir_text_add(to, WEIR_STR("\n"));
		text.ptr += len + 1;
		text.len -= len + 1;
	}
	*out = (weir_str){ to->ptr, to->len };
}

void work_release(struct work *work)
{
	free(work->cache);
	weir_digest_free(&work->digest);
	weir_text_release(&work->form);
	for (size_t i = 0; i < sizeof(work->text) / sizeof(*work->text); i++)
		weir_text_release(&work->text[i]);
	*work = (struct work){ 0 };
}
