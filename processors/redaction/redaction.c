/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redaction: remove, mask or hash what must not leave the machine.
 *
 * Keys that are not on a list are removed, values of blocked keys and parts of
 * values that match a pattern are masked, on resources, scopes, records, span
 * events and log bodies; with `levels: all` in every string and bytes field but
 * ids and keys.  Holds nothing between batches.  Fails closed.
 */
#include <ctype.h>
#include <stdio.h>

#include <weir/plugin.h>

#include "cut.h"
#include "redact.h"

struct structured_config {
	bool enabled;
	struct weir_strs keys;
};

struct redaction {
	struct weir_component base;
	/* config */
	bool allow_all_keys, redact_all_types;
	struct weir_strs allowed_keys, ignored_keys, ignored_key_patterns,
		blocked_key_patterns, blocked_values, allowed_values;
	weir_str hash_function, summary, levels, blocked_key_action;
	weir_secret hmac_key;
	struct url_sanitizer_config url_sanitizer;
	struct db_sanitizer_config db_sanitizer;
	struct structured_config structured_strings;
	struct weir_list content;	/* struct content_config */
	struct weir_strs detectors, safe_keys;

	struct patterns structured_keys;	/* the prototype's, shared */
	struct rules rules;		/* the prototype's, shared */
	struct sanitizers sanitizers;	/* likewise */
	struct redactor redactor;	/* the instance's */
};

/* --- Rows ------------------------------------------------------------------------ */

static const struct weir_field structured_rows[] = {
	WEIR_FIELD(struct structured_config, enabled, "false",
		   "Redact inside of JSON in strings."),
	WEIR_FIELD(struct structured_config, keys, NULL,
		   "Patterns of the attributes that are looked into; without "
		   "any, all are. body is a log record's."),
	WEIR_END
};

static const struct weir_field fields[] = {
	WEIR_FIELD(struct redaction, allow_all_keys, "false",
		   "Keep every key; else only those of allowed_keys."),
	WEIR_FIELD(struct redaction, allowed_keys, NULL,
		   "Keys that are kept; without any, everything is removed."),
	WEIR_FIELD(struct redaction, ignored_keys, NULL,
		   "Keys that no rule touches."),
	WEIR_FIELD(struct redaction, ignored_key_patterns, NULL,
		   "Patterns of keys that no rule touches."),
	WEIR_FIELD(struct redaction, blocked_key_patterns, NULL,
		   "Patterns of keys whose value is masked whole."),
	WEIR_FIELD(struct redaction, blocked_values, NULL,
		   "Patterns; every matching part of a value is masked."),
	WEIR_FIELD(struct redaction, allowed_values, NULL,
		   "Patterns; a matching value is left alone."),
	WEIR_FIELD(struct redaction, redact_all_types, "false",
		   "Look at the string form of values that are no strings."),
	WEIR_FIELD(struct redaction, hash_function, NULL,
		   "Put a digest in place of stars: md5, sha1, sha3, "
		   "hmac-sha256 or hmac-sha512."),
	WEIR_FIELD(struct redaction, hmac_key, NULL,
		   "Key of the two HMACs, at least 32 or 64 bytes."),
	WEIR_FIELD(struct redaction, summary, NULL,
		   "Tell what was done in attributes: debug (keys and counts), "
		   "info (counts), else silent."),
	WEIR_BLOCK(struct redaction, url_sanitizer, url_sanitizer_rows,
		   "Collapses ids in URLs."),
	WEIR_BLOCK(struct redaction, db_sanitizer, db_sanitizer_rows,
		   "Takes literals out of database queries."),
	WEIR_FIELD(struct redaction, levels, "collector",
		   "Where to look: as the Collector, or in every string and "
		   "bytes field but ids and keys.",
		   .flags = WEIR_OURS, .choices = "collector all"),
	WEIR_FIELD(struct redaction, blocked_key_action, "mask",
		   "What happens to a blocked key: its value is masked, or it "
		   "is removed.",
		   .flags = WEIR_OURS, .choices = "mask delete"),
	WEIR_BLOCK(struct redaction, structured_strings, structured_rows,
		   "JSON in strings: its keys and values are asked for like "
		   "those of maps; what cannot be read is removed.",
		   .flags = WEIR_OURS),
	WEIR_FIELD(struct redaction, detectors, NULL,
		   "What is masked by its shape: email, payment_card, iban, "
		   "jwt, private_key, credentials, cloud_key, llm_key.",
		   .flags = WEIR_OURS),
	WEIR_LIST(struct redaction, content, struct content_config,
		  content_rows,
		  "Prompts and completions: what leaves of them.",
		  .flags = WEIR_OURS),
	WEIR_FIELD(struct redaction, safe_keys, NULL,
		   "Patterns of keys that only a rule for exactly this key "
		   "touches; instead of the counts of tokens, which are safe "
		   "as soon as a key of ours is used.",
		   .flags = WEIR_OURS),
	WEIR_END
};

/* --- Metrics ---------------------------------------------------------------------- */

static const struct weir_metric_def metrics[] = {
	WEIR_METRIC_SERIES(COUNTER, "weir_redaction_removed", WEIR_SHOW_BASIC,
			   "{value}", "Values that were removed because a rule "
			   "could not be evaluated."),
	WEIR_METRIC_END
};

static int start(struct weir_component *c, struct weir_error *error)
{
	static const struct {
		const char *rule, *reason;
	} why[REMOVED_KINDS] = {
		[STRUCTURED_BROKEN] = { "structured_strings", "broken" },
		[STRUCTURED_DEEP] = { "structured_strings", "too_deep" },
		[STRUCTURED_LARGE] = { "structured_strings", "too_large" },
		[STRUCTURED_NO_DIGEST] = { "content", "no_digest" },
		[REMOVED_LOST + LOST_SLOW] = { "blocked_values", "too_slow" },
		[REMOVED_LOST + LOST_VALUES] = { "blocked_values",
						 "too_large" },
		[REMOVED_LOST + LOST_DETECTED] = { "detectors", "too_large" },
		[REMOVED_LOST + LOST_KEYS] = { "blocked_key_patterns",
					       "too_large" },
	};
	struct redaction *self = WEIR_SELF(c, struct redaction);

	(void)error;
	work_init(&self->redactor.work);
	for (unsigned i = STRUCTURED_BROKEN; i < REMOVED_KINDS; i++) {
		struct weir_label labels[] = {
			{ WEIR_STR("rule"), weir_str_of(why[i].rule) },
			{ WEIR_STR("reason"), weir_str_of(why[i].reason) },
		};

		weir_metric_series(c, &metrics[0], labels, 2,
				   &self->redactor.removed[i]);
	}
	return 0;
}

/* --- Validation --------------------------------------------------------------------- */

static int check_hmac(const struct redaction *self, const char *name,
		      size_t least, struct weir_error *error)
{
	size_t len = self->hmac_key.text.len;

	if (!len)
		return weir_fail(error, "hmac_key", "hmac_key must not be empty "
				 "when hash_function is \"%s\"", name);
	if (len < least)
		return weir_fail(error, "hmac_key", "hmac_key must be at least "
				 "%zu bytes long for \"%s\", got %zu bytes",
				 least, name, len);
	return 0;
}

static const struct {
	const char *name;
	enum weir_digest_kind kind;
	size_t least;		/* bytes of hmac_key */
} functions[] = {
	{ "md5", WEIR_DIGEST_MD5, 0 },
	{ "sha1", WEIR_DIGEST_SHA1, 0 },
	{ "sha3", WEIR_DIGEST_SHA3_256, 0 },
	{ "hmac-sha256", WEIR_DIGEST_HMAC_SHA256, 32 },
	{ "hmac-sha512", WEIR_DIGEST_HMAC_SHA512, 64 },
};

/* Opens libcrypto now, so that nothing is missing under traffic. */
static int try_digest(enum weir_digest_kind kind, weir_str key,
		      struct weir_error *error)
{
	struct weir_digest *digest = weir_digest_new(kind, key, error);

	if (!digest)
		return -1;
	weir_digest_free(&digest);
	return 0;
}

static int check_hash(struct redaction *self, struct weir_error *error)
{
	char name[64];
	size_t n = sizeof(functions) / sizeof(*functions), i = 0;

	if (!self->hash_function.len)
		return 0;
	snprintf(name, sizeof(name), "%.*s",
		 WEIR_STR_FMT(self->hash_function));
	for (char *c = name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	while (i < n && strcmp(name, functions[i].name))
		i++;
	if (i == n)
		return weir_fail(error, "hash_function", "unknown HashFunction "
			"%s, allowed functions are sha1, sha3, md5, "
			"hmac-sha256 and hmac-sha512", name);
	if (functions[i].least &&
	    check_hmac(self, name, functions[i].least, error))
		return -1;
	self->rules.hashed = true;
	self->rules.digest = functions[i].kind;
	self->rules.hmac_key = self->hmac_key.text;
	return try_digest(self->rules.digest, self->rules.hmac_key, error);
}

static int compile(struct patterns *patterns, struct weir_strs list,
		   const char *key, const char *what, struct weir_error *error)
{
	char path[64], text[512];

	if (!patterns_init(patterns, list, error))
		return 0;
	snprintf(path, sizeof(path), "%s[%zu]", key, patterns->n);
	snprintf(text, sizeof(text), "%s", error->text);
	return weir_fail(error, path, "error creating a redaction processor: "
			 "failed to process %s: error compiling regex in list: "
			 "%s", what, text);
}

/* In the order in which the Collector compiles them. */
static int compile_all(struct redaction *self, struct weir_error *error)
{
	struct rules *rules = &self->rules;

	if (compile(&rules->ignored_patterns, self->ignored_key_patterns,
		    "ignored_key_patterns", "ignore keys list", error) ||
	    compile(&rules->blocked_values, self->blocked_values,
		    "blocked_values", "block list", error) ||
	    compile(&rules->blocked_keys, self->blocked_key_patterns,
		    "blocked_key_patterns", "block keys list", error))
		return -1;
	prefilter_init(&rules->blocked_near, rules->blocked_values.v,
		       rules->blocked_values.n);
	return compile(&rules->allowed_values, self->allowed_values,
		       "allowed_values", "allow list", error);
}

static int compile_ours(struct redaction *self, struct weir_error *error)
{
	struct rules *rules = &self->rules;
	bool used = self->structured_strings.enabled || self->content.len ||
		self->detectors.len ||
		!weir_str_eq(self->levels, WEIR_STR("collector")) ||
		!weir_str_eq(self->blocked_key_action, WEIR_STR("mask"));

	rules->guards_counts = used && !self->safe_keys.len;
	if (compile(&rules->safe, self->safe_keys, "safe_keys",
		    "safe keys list", error) ||
	    compile(&self->structured_keys, self->structured_strings.keys,
		    "structured_strings.keys", "structured keys list",
		    error) ||
	    detectors_init(&rules->detectors, self->detectors, error) ||
	    contents_init(&rules->contents, self->content, error))
		return -1;
	return rules->contents.hashes && !rules->hashed ?
		try_digest(WEIR_DIGEST_SHA256, WEIR_STR(""), error) : 0;
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	/* Attributes of our own that an allow-list lets pass: these only, as
	 * in the Collector. */
	static const char *const own[] = {
		"redaction.redacted.keys", "redaction.redacted.count",
		"redaction.masked.keys", "redaction.masked.count",
		"redaction.ignored.count", NULL,
	};
	struct redaction *self = WEIR_SELF(c, struct redaction);

	self->rules.allow_all_keys = self->allow_all_keys;
	self->rules.all_types = self->redact_all_types;
	if (check_hash(self, error) || compile_all(self, error) ||
	    compile_ours(self, error))
		return -1;
	words_init(&self->rules.allowed, self->allowed_keys, own);
	words_init(&self->rules.ignored, self->ignored_keys, NULL);
	sanitizers_init(&self->sanitizers, &self->url_sanitizer,
			&self->db_sanitizer);
	self->redactor.summary =
		weir_str_eq(self->summary, WEIR_STR("debug")) ? SUMMARY_DEBUG :
		weir_str_eq(self->summary, WEIR_STR("info")) ? SUMMARY_INFO :
		SUMMARY_SILENT;
	self->redactor.all_levels = weir_str_eq(self->levels, WEIR_STR("all"));
	self->redactor.delete_blocked = weir_str_eq(self->blocked_key_action,
						    WEIR_STR("delete"));
	self->redactor.structured = self->structured_strings.enabled;
	return 0;
}

/* --- Interest ------------------------------------------------------------------------ */

/* What one place needs: keys and values differ in where they are. */
struct wanted {
	const struct redaction *self;
	struct weir_interest *interest;
	uint32_t keys, values;
	bool any_type;
};

static void want_key_patterns(const struct wanted *w,
			      const struct patterns *patterns)
{
	for (size_t i = 0; i < patterns->n; i++) {
		weir_str word;
		size_t n = 0;

		while (weir_regex_word(patterns->v[i], n, &word)) {
			weir_interest_key(w->interest, w->keys, word);
			n++;
		}
		if (!n)
			weir_interest_key_regex(w->interest, w->keys,
						patterns->v[i]);
	}
}

/* May a rule for values change or count this text? */
static bool suspects(const void *arg, weir_str text)
{
	const struct redaction *self = arg;
	const struct rules *rules = &self->rules;

	if (self->redactor.structured && holds_json(text))
		return true;
	if (rules->detectors.on && detect_any(&rules->detectors, text))
		return true;
	return prefilter_match(&rules->blocked_near, text) ||
		(self->redactor.summary != SUMMARY_SILENT &&
		 patterns_match(&rules->allowed_values, text));
}

static bool speaks(const void *arg, weir_str key)
{
	const struct redaction *self = arg;

	return rules_speak(&self->rules, key);
}

#define CARD_INTEGER UINT64_C(1000000000000)	/* 13 digits */

/* What detectors know by more than a text. */
static void want_detected(const struct wanted *w)
{
	uint32_t on = w->self->rules.detectors.on;

	if (on & (1u << DETECT_CREDENTIALS | 1u << DETECT_CLOUD_KEY))
		weir_interest_key_scan(w->interest, w->keys, speaks, w->self);
	if (w->self->redactor.all_levels && on & 1u << DETECT_PAYMENT_CARD)
		weir_interest_integers(w->interest, w->values, CARD_INTEGER);
}

static void want_values(const struct wanted *w)
{
	const struct rules *rules = &w->self->rules;

	if (w->self->redactor.structured || rules->detectors.on ||
	    rules->blocked_values.n ||
	    (w->self->redactor.summary != SUMMARY_SILENT &&
	     rules->allowed_values.n))
		weir_interest_value_scan(w->interest, w->values, suspects,
					 w->self, w->any_type);
}

static void want_contents(const struct wanted *w)
{
	const struct contents *contents = &w->self->rules.contents;

	for (size_t i = 0; i < contents->n; i++) {
		const struct content_rule *rule = &contents->v[i];

		if (rule->action == CONTENT_KEEP)
			continue;
		if (rule->pattern)
			weir_interest_key_regex(w->interest, w->keys,
						rule->pattern);
		else
			weir_interest_key(w->interest, w->keys, rule->key);
	}
}

static void want_words(const struct wanted *w, const struct words *words)
{
	for (size_t i = 0; i < words->n; i++)
		weir_interest_key(w->interest, w->keys, words->v[i]);
}

static void want_sanitizers(const struct wanted *w, enum weir_signal signal)
{
	const struct sanitizers *s = &w->self->sanitizers;

	want_words(w, &s->url_keys);
	for (unsigned kind = 0; kind < DB_KINDS; kind++)
		want_words(w, &s->kind[kind].keys);
	if ((signal == WEIR_SIGNAL_TRACES && (s->url_names || s->db_names)) ||
	    (signal == WEIR_SIGNAL_LOGS && (s->url || s->db)))
		weir_interest_always(w->interest, WEIR_AT_RECORD);
}

/* What is ignored or allowed is only counted. */
static void want_place(const struct wanted *w)
{
	const struct rules *rules = &w->self->rules;

	want_key_patterns(w, &rules->blocked_keys);
	want_values(w);
	want_detected(w);
	want_contents(w);
	if (w->self->redactor.summary == SUMMARY_SILENT)
		return;
	want_words(w, &rules->ignored);
	want_key_patterns(w, &rules->ignored_patterns);
}

/* A value that is no string counts as the empty text: a pattern that matches
 * it concerns everything. */
static bool wants_all(const struct redaction *self)
{
	const struct rules *rules = &self->rules;

	return !rules->allow_all_keys ||
		patterns_match(&rules->blocked_values, WEIR_STR("")) ||
		(self->redactor.summary != SUMMARY_SILENT &&
		 patterns_match(&rules->allowed_values, WEIR_STR("")));
}

static void interest(struct weir_component *c, enum weir_signal signal,
		     struct weir_interest *interest)
{
	const struct redaction *self = WEIR_SELF(c, struct redaction);
	bool all = self->redactor.all_levels;
	uint32_t levels = WEIR_AT_RESOURCE | WEIR_AT_SCOPE | WEIR_AT_RECORD |
		WEIR_AT_EVENT;
	struct wanted attributes, body;

	if (all)
		levels |= WEIR_AT_METRIC | WEIR_AT_LINK | WEIR_AT_EXEMPLAR;
	if (wants_all(self)) {
		weir_interest_always(interest, levels);
		return;
	}
	attributes = (struct wanted){
		self, interest, levels | (all ? WEIR_AT_NESTED : 0),
		levels | (all ? WEIR_AT_NESTED | WEIR_AT_TEXT : 0),
		self->rules.all_types };
	want_place(&attributes);
	want_sanitizers(&attributes, signal);
	body = (struct wanted){ self, interest, WEIR_AT_BODY | WEIR_AT_NESTED,
				WEIR_AT_BODY | WEIR_AT_NESTED, true };
	if (signal == WEIR_SIGNAL_LOGS)
		want_place(&body);
	if (signal == WEIR_SIGNAL_LOGS &&
	    contents_find(&self->rules.contents, WEIR_STR("body")))
		weir_interest_always(interest, WEIR_AT_BODY);
}

/* --- Stages ---------------------------------------------------------------------------- */

static struct redactor *redactor(struct weir_component *c)
{
	struct redaction *self = WEIR_SELF(c, struct redaction);

	self->redactor.rules = &self->rules;
	self->redactor.sanitizers = &self->sanitizers;
	self->redactor.structured_keys = &self->structured_keys;
	return &self->redactor;
}

static uintptr_t enter(struct weir_component *c, struct weir_element *e,
		       uintptr_t parent)
{
	struct redactor *r = redactor(c);

	if (r->all_levels || weir_element_level(e) != WEIR_LEVEL_METRIC)
		redact_element(r, e);
	return parent;
}

static uintptr_t visit(struct weir_component *c, struct weir_element *e,
		       uintptr_t parent)
{
	struct redactor *r = redactor(c);
	enum weir_level level = weir_element_level(e);

	if (r->all_levels || level == WEIR_LEVEL_RECORD ||
	    level == WEIR_LEVEL_EVENT)
		redact_element(r, e);
	if (weir_element_log(e))
		redact_body(r, e);
	if (weir_element_span(e))
		redact_name(r, e);
	return parent;
}

static void destroy(struct weir_component *c)
{
	struct redaction *self = WEIR_SELF(c, struct redaction);

	redactor_release(&self->redactor);
	if (c->node)	/* the prototype's */
		return;
	rules_release(&self->rules);
	patterns_release(&self->structured_keys);
	sanitizers_release(&self->sanitizers);
}

WEIR_PLUGIN(WEIR_PROCESSOR, "redaction", "",
	.about = "Removes, masks or hashes what must not leave the machine.",
	.signals = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_BETA,
	.size = sizeof(struct redaction),
	.fields = fields,
	.metrics = metrics,
	.counts_items = true,
	.validate = validate,
	.start = start,
	.interest = interest,
	.enter = enter,
	.visit = visit,
	.destroy = destroy,
);
