/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_name.c: what stands behind a name that says it is secret.
 *
 * `password=x`, `"api_key": "x"`, `--token x`, `<secret>x</secret>`, the same
 * with the quotes escaped or percent-encoded; headers by their names.  The value
 * alone is the hit.  Prose about passwords has the names, too: there a value
 * must look like none of its words.
 */
#include "detect_value.h"

/* --- Names ----------------------------------------------------------------------- */

enum kind {
	PASSWORD = 1 << 0,
	TOKEN = 1 << 1,
	OF_CLOUD = 1 << 2,		/* known to belong to a cloud */
	SCHEME = 1 << 3,	/* "scheme value" may follow */
	PART = 1 << 4,		/* not by itself: something_key */
	BASE64_USER = 1 << 5,	/* only user:password in base64 */
	TIGHT = 1 << 6,		/* only name=value, long */
	DIRECTORY = 1 << 7,	/* not when it is a path */
	COUNTED = 1 << 8,	/* no number: how many have passed */
	WHOLE = 1 << 9,		/* not the end of another word: bypass= */
	COOKIES = 1 << 10	/* up to the end of the line, if one is long */
};

/* Ends of names, in small letters, by what triggers them; '_' also stands for
 * '-', ' ' and nothing.  The first that fits is it. */
#define WORD(word, kind) { word, sizeof(word) - 1, kind }
static const struct family {
	size_t known;		/* letters at the end that the trigger saw */
	struct name {
		const char *word;
		size_t len;
		uint32_t kind;
	} name[2];
} families[] = {
	[NAMED_PASSWORD] = { 0, { WORD("password", PASSWORD) } },
	[NAMED_PASSWD] = { 0, { WORD("passwd", PASSWORD) } },
	[NAMED_PASSPHRASE] = { 0, { WORD("passphrase", PASSWORD) } },
	[NAMED_PWD] = { 3, { WORD("pwd", PASSWORD | DIRECTORY) } },
	[NAMED_SECRET] = { 0, { WORD("secret", 0) } },
	[NAMED_TOKEN] = { 0, { WORD("token", TOKEN) } },
	[NAMED_KEY] = { 3, { { NULL, 0, 0 } } },	/* keys[] */
	[NAMED_KEY_ID] = { 0, { WORD("private_key_id", OF_CLOUD) } },
	[NAMED_AUTHORIZATION] = { 0, { WORD("authorization", SCHEME) } },
	[NAMED_AUTH] = { 3, { WORD("auth", BASE64_USER) } },
	[NAMED_SIGNATURE] = { 0, { WORD("signature", OF_CLOUD | TIGHT) } },
	[NAMED_SIG] = { 3, { WORD("sig", OF_CLOUD | TIGHT) } },
	[NAMED_PASS] = { 0, { WORD("pass", COUNTED | WHOLE) } },
	[NAMED_CREDENTIALS] = { 0, { WORD("credential", DIRECTORY) } },
	[NAMED_COOKIE] = { 0, { WORD("cookie", COOKIES | WHOLE) } },
};

/* Keys of whom or what, by the last letter before `_key`. */
#define KEY_OF(of, kind) WORD(of "_key", kind)
static const struct name keys[26][8] = {
	['a' - 'a'] = { KEY_OF("nvidia", 0) },
	['b' - 'a'] = { KEY_OF("github", 0), KEY_OF("gitlab", 0),
			KEY_OF("wandb", 0) },
	['c' - 'a'] = { KEY_OF("anthropic", 0) },
	['d' - 'a'] = { KEY_OF("shared", 0), KEY_OF("sendgrid", 0) },
	['e' - 'a'] = { KEY_OF("private", 0), KEY_OF("azure", 0),
			KEY_OF("google", 0), KEY_OF("stripe", 0),
			KEY_OF("pinecone", 0), KEY_OF("replicate", 0),
			KEY_OF("huggingface", 0), { NULL, 0, 0 } },
	['f' - 'a'] = { KEY_OF("hf", 0) },
	['g' - 'a'] = { KEY_OF("signing", 0), KEY_OF("datadog", 0) },
	['h' - 'a'] = { KEY_OF("auth", 0), KEY_OF("langsmith", 0) },
	['i' - 'a'] = { KEY_OF("api", 0), KEY_OF("openai", 0),
			KEY_OF("gemini", 0), KEY_OF("xai", 0) },
	['k' - 'a'] = { KEY_OF("slack", 0), KEY_OF("deepseek", 0) },
	['l' - 'a'] = { KEY_OF("mistral", 0) },
	['m' - 'a'] = { KEY_OF("llm", 0) },
	['n' - 'a'] = { KEY_OF("encryption", 0), KEY_OF("subscription", 0) },
	['o' - 'a'] = { KEY_OF("twilio", 0) },
	['q' - 'a'] = { KEY_OF("groq", 0) },
	['r' - 'a'] = { KEY_OF("master", 0), KEY_OF("openrouter", 0),
			KEY_OF("together", 0) },
	['s' - 'a'] = { KEY_OF("secret_access", OF_CLOUD),
			KEY_OF("shared_access", OF_CLOUD), KEY_OF("access", 0),
			KEY_OF("aws", 0), KEY_OF("cerebras", 0),
			KEY_OF("fireworks", 0) },
	['t' - 'a'] = { KEY_OF("account", OF_CLOUD), KEY_OF("secret", 0) },
	['y' - 'a'] = { KEY_OF("perplexity", 0), KEY_OF("tavily", 0) },
};

static bool is_word_separator(char c)
{
	return c == '_' || c == '-' || c == ' ';
}

/* Where the first `len` letters of a word begin that end before `end`; SIZE_MAX:
 * they do not. */
static size_t word_begin(const struct look *l, size_t end, const char *word,
			 size_t len)
{
	size_t at = end;

	for (size_t i = len; i--;) {
		char c = at ? byte_at(l, at - 1) : 0;

		if (word[i] == '_') {
			at -= is_word_separator(c);
			continue;
		}
		if ((is_upper(c) ? c | 0x20 : c) != word[i])
			return SIZE_MAX;
		at--;
	}
	return at;
}

static const struct name *name_before(const struct look *l, size_t end,
				      enum named named, size_t *begin)
{
	const struct family *f = &families[named];
	const struct name *n = f->name;
	size_t left;

	end -= f->known;
	if (named == NAMED_KEY) {	/* their last words are the same */
		end -= end && is_word_separator(byte_at(l, end - 1));
		if (!end || !is_letter(byte_at(l, end - 1)))
			return NULL;
		n = keys[(byte_at(l, end - 1) | 0x20) - 'a'];
	}
	for (; n->word; n++) {
		left = n->len - f->known - (named == NAMED_KEY);
		*begin = word_begin(l, end, n->word, left);
		if (*begin != SIZE_MAX)
			return n;
	}
	return NULL;
}

/* The whole identifier: my_password. */
static size_t identifier_begin(const struct look *l, size_t at)
{
	size_t least = at > 64 ? at - 64 : 0;

	while (at > least && is_of(byte_at(l, at - 1), BASE64URL | DOT))
		at--;
	return at;
}

/* Is the name only the end of an identifier? */
static bool joined_name(const struct look *l, size_t word)
{
	return word && is_of(byte_at(l, word - 1), BASE64URL | DOT);
}

/* Behind `=`, `:`, `=>`, `:=`, or their percent-encoded forms; 0: none, or a
 * comparison. */
static size_t skip_separator(const struct look *l, size_t at)
{
	char c, next;

	if (at >= l->len)
		return 0;
	c = byte_at(l, at);
	if (c == '%' && (has_at(l, at, "%3D") || has_at(l, at, "%3d") ||
			 has_at(l, at, "%3A") || has_at(l, at, "%3a")))
		return at + 3;
	if (c != '=' && c != ':')
		return 0;
	next = at + 1 < l->len ? byte_at(l, at + 1) : 0;
	if (next == ':' || (c == '=' && (next == '=' || next == '~')) ||
	    has_at(l, at, "://"))
		return 0;
	return at + 1 + ((c == '=' && next == '>') || (c == ':' && next == '='));
}

/* Where the value of the name that ends before `end` begins, and how; 0: it has
 * none.  --name needs no sign, <name> ends with </name>. */
static size_t value_begin(const struct look *l, size_t end, struct value *v)
{
	size_t quote = skip_quote(l, end), separator = skip_blanks(l, quote);
	size_t behind = skip_separator(l, separator), begin;

	if (behind) {
		v->loose = separator != quote ||
			(behind < l->len && is_blank(byte_at(l, behind)));
		if (byte_at(l, separator) == '%')
			v->stop = AN_ENCODED_END;
		return skip_space(l, behind, &v->lines);
	}
	if (separator == end && (end >= l->len || byte_at(l, end) != '>'))
		return 0;
	begin = identifier_begin(l, end);
	v->element = end < l->len && byte_at(l, end) == '>' && begin &&
		byte_at(l, begin - 1) == '<';
	if (v->element)
		return end + 1;
	return separator != end && has_at(l, begin, "--") ? separator : 0;
}

/* A number that counts or numbers tokens. */
static bool is_count(const struct looks *k)
{
	return k->digits && !k->lower && !k->upper && k->len <= 9;
}

/* name(..., name[..., name.name(...: a call and no password. */
static bool is_call(const struct look *l, const struct value *v)
{
	size_t end = run_end(l, v->at, ALNUM | UNDERSCORE | DOT, 64);

	return end > v->at && end < v->end &&
		(byte_at(l, end) == '(' || byte_at(l, end) == '[');
}

/* What the fetch() of browsers is told about credentials. */
static bool is_fetch_mode(const struct look *l, const struct value *v)
{
	static const char *const modes[] = { "include", "omit", "same-origin" };

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (v->end - v->at == strlen(modes[i]) &&
		    has_word_at(l, v->at, modes[i]))
			return true;
	return false;
}

/* PWD=/home/me, password=password */
static bool says_nothing(const struct look *l, const struct name *n,
			 const struct value *v)
{
	if (n->kind & DIRECTORY)
		return byte_at(l, v->at) == '/' || byte_at(l, v->at) == '~' ||
			is_fetch_mode(l, v);
	return v->end - v->at == n->len &&
		has_word_at(l, v->at, n->word);
}

/* What a model reads and writes is called a token, too: `"token": "the"`. */
static bool is_plain_token(const struct value *v, const struct looks *k)
{
	return is_count(k) || k->len < 6 ||
		(!no_word(k) && (v->quoted || v->loose || k->len < 8));
}

#define TRAILING 64	/* bytes behind a word of prose */

/* What is bare and has blanks before it may be prose. */
static bool is_prose(const struct look *l, const struct name *n,
		     const struct value *v)
{
	struct value w = *v;
	struct looks k;

	if (v->quoted || !v->loose)
		return false;
	while (w.end > w.at && w.end + TRAILING > v->end &&
	       strchr(".!?:", byte_at(l, w.end - 1)))
		w.end--;
	if (w.end == w.at || is_stop_word(l, w.at, w.end) || is_call(l, &w))
		return true;
	k = looks_of(l, w.at, w.end);
	if (no_word(&k) || (k.marks && k.len > 4))
		return false;
	/* a word: a password if it is the last one */
	return !(n->kind & PASSWORD) ||
		(v->end < l->len && byte_at(l, v->end) == ' ');
}

#define ALONE 6		/* bytes of what stands alone on the next line */

/* What is on the next line may be something else: another name, or what is said
 * next. */
static bool is_next_line(const struct look *l, const struct value *v)
{
	struct looks k;
	bool lines = false;

	if (!v->lines)
		return false;
	if (v->quoted) {
		size_t behind = skip_blanks(l, skip_quote(l, v->end));

		/* 't and the next quote far behind it */
		return v->end == l->len ||
			stop_at(l, v->at, v->end, A_LINE_END) < v->end ||
			(behind < l->len && byte_at(l, behind) == ':');
	}
	k = looks_of(l, v->at, v->end);
	return k.len < ALONE || !no_word(&k) || is_named(l, v->at, ',') ||
		(v->end < l->len && v->end - v->at < VALUE_JUDGED &&
		 !(skip_space(l, v->end, &lines) > v->end && lines));
}

/* 12, 3/4, 99.5% */
static bool is_number(const struct look *l, const struct value *v)
{
	return v->end - v->at <= 9 &&
		run_end(l, v->at, DIGITS | DOT | BASE64 | MARK, 9) == v->end &&
		is_digit(byte_at(l, v->at));
}

static bool is_secret(const struct look *l, const struct name *n,
		      const struct value *v, size_t word)
{
	struct looks k;

	if (is_stand_in(l, v->at, v->end, v->quoted) ||
	    says_nothing(l, n, v) || is_prose(l, n, v) || is_next_line(l, v))
		return false;
	if (n->kind & COUNTED && is_number(l, v))
		return false;
	if (n->kind & BASE64_USER)
		return base64_user(l->text + v->at, v->end - v->at);
	if (!(n->kind & (TIGHT | TOKEN)))
		return true;
	k = looks_of(l, v->at, v->end);
	if (n->kind & TIGHT)
		return !v->loose && k.len >= 16;
	if (n->kind & TOKEN)
		return !is_count(&k) && (!is_plain_token(v, &k) ||
					 joined_name(l, word));
	return true;
}

/* --- Schemes --------------------------------------------------------------------- */

/* RFC 7235, RFC 6750, and what is used. */
static const char *const schemes[] = {
	"bearer", "basic", "digest", "token", "apikey", "api-key", "negotiate",
	"ntlm", "aws4-hmac-sha256", "hawk", "hmac", "oauth", "key",
	"sharedkey", "sharedkeylite", "dpop", "goog4-rsa-sha256",
};

static size_t line_end(const struct look *l, size_t at)
{
	while (at < l->len && byte_at(l, at) != '\n' && byte_at(l, at) != '\r')
		at++;
	return at;
}

/* A word and what is none: all of the line. */
static void skip_unknown_scheme(const struct look *l, struct value *v)
{
	size_t behind = skip_blanks(l, v->end), end;
	struct looks k;

	if (v->quoted || behind == v->end ||
	    run_end(l, v->at, UPPER | LOWER | DASH, 32) != v->end)
		return;
	end = bare_end(l, behind, VALUE_JUDGED, v->stop);
	k = looks_of(l, behind, end);
	if (k.len < 6 || !no_word(&k))
		return;
	v->end = line_end(l, end);
	v->loose = false;
}

/* "Bearer x": x is what is secret, up to the end of the line for schemes with
 * parameters. */
static void skip_scheme(const struct look *l, struct value *v)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t behind = v->at + strlen(schemes[i]);

		if (!has_word_at(l, v->at, schemes[i]) || behind >= l->len ||
		    skip_blanks(l, behind) == behind)
			continue;
		v->at = skip_blanks(l, behind);
		v->loose = false;
		if (v->quoted)
			return;
		v->end = bare_end(l, v->at, VALUE_JUDGED, v->stop);
		/* parameters, with quotes and commas in them */
		if (i > 1 && v->end > v->at &&
		    !is_stand_in(l, v->at, v->end, false))
			v->end = line_end(l, v->end);
		return;
	}
	skip_unknown_scheme(l, v);
}

/* Whose hit is it?  DETECTORS: nobody's that is on. */
static enum detector owner(const struct look *l, const struct name *n)
{
	if ((n->kind & OF_CLOUD) && (l->on & BIT(DETECT_CLOUD_KEY)))
		return DETECT_CLOUD_KEY;
	if ((n->kind & TIGHT) || !(l->on & BIT(DETECT_CREDENTIALS)))
		return DETECTORS;
	return DETECT_CREDENTIALS;
}

/* API_KEY_2, password1, credentials: where the name ends. */
static size_t name_end(const struct look *l, const struct trigger *t,
		       size_t end)
{
	size_t at, behind;

	if (t->body == NAMED_CREDENTIALS && end < l->len)
		end += (byte_at(l, end) | 0x20) == 's';
	if (end >= l->len ||
	    !is_of(byte_at(l, end), DIGITS | UNDERSCORE | DASH))
		return end;
	at = end + !is_digit(l->text[end]);
	behind = run_end(l, at, DIGITS, 3);
	return behind > at ? behind : end;
}

/* Is the word part of another one?  dbPass is not. */
static bool part_of_word(const struct look *l, const struct name *n,
			 size_t word)
{
	if (!(n->kind & (BASE64_USER | WHOLE)) ||
	    !joined_before(l, word, ALNUM))
		return false;
	return !(n->kind & WHOLE && is_upper(byte_at(l, word)) &&
		 is_of(byte_at(l, word - 1), LOWER | DIGITS));
}

/* ?name=, &name= */
static void see_query(const struct look *l, size_t word, struct value *v)
{
	size_t begin = identifier_begin(l, word);

	if (begin && v->stop == A_VALUE_END &&
	    (byte_at(l, begin - 1) == '?' || byte_at(l, begin - 1) == '&'))
		v->stop = A_QUERY_END;
}

/* Is the first cookie a session's, by its name? */
static bool has_session(const struct look *l, const struct value *v)
{
	static const char *const ends[] = {
		"sid", "session", "sessionid", "token", "auth",
	};
	size_t end = run_end(l, v->at, BASE64URL | DOT, 32), begin;

	if (end == v->at || v->end - end < 6 || byte_at(l, end) != '=')
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		begin = word_begin(l, end, ends[i], strlen(ends[i]));
		if (begin != SIZE_MAX && begin >= v->at)
			return true;
	}
	return false;
}

#define COOKIES_JUDGED 1024

static bool has_cookies(const struct look *l, struct value *v)
{
	size_t most = v->quoted ? v->end : l->len, judged;

	if (most - v->at > COOKIES_JUDGED)
		most = v->at + COOKIES_JUDGED;
	judged = v->quoted ? most : stop_at(l, v->at, most, A_LINE_END);
	if (!v->quoted)
		v->end = judged;
	if (!has_session(l, v) && !has_block(l, v->at, judged))
		return false;
	if (!v->quoted)
		v->end = stop_at(l, judged, l->len, A_LINE_END);
	return true;
}

/* Where a name ends whose window ends at `last`, numbers included; 0: there is
 * only the beginning of another word.  *end: the same without numbers. */
static size_t behind_name(const struct look *l, const struct trigger *t,
			  size_t last, size_t *end)
{
	size_t behind;

	*end = last - 3 - t->back + t->len;
	if (*end > l->len)
		return 0;
	behind = name_end(l, t, *end);
	return joined_behind(l, behind, ALNUM | UNDERSCORE) ? 0 : behind;
}

/* The name that ends there, if it is one of a secret that somebody wants. */
static const struct name *wanted_name(const struct look *l, enum named named,
				      size_t end, size_t *word,
				      enum detector *what)
{
	const struct name *n = name_before(l, end, named, word);

	*what = n ? owner(l, n) : DETECTORS;
	return *what == DETECTORS || part_of_word(l, n, *word) ? NULL : n;
}

bool names_value(const struct look *l, const struct trigger *t, size_t last,
		 size_t value)
{
	struct value v = { .stop = A_VALUE_END };
	size_t end, word, behind = behind_name(l, t, last, &end);
	enum detector what;

	return behind && value_begin(l, behind, &v) == value &&
		wanted_name(l, t->body, end, &word, &what);
}

bool probe_name(const struct look *l, const struct trigger *t, size_t last,
		struct detected *hit)
{
	size_t word, end, at, behind = behind_name(l, t, last, &end);
	const struct name *n;
	struct value v = { .stop = A_VALUE_END };
	enum detector what;

	if (!behind)
		return false;
	at = value_begin(l, behind, &v);
	if (!at)
		return probe_spoken(l, t, behind, hit);
	n = wanted_name(l, t->body, end, &word, &what);
	if (!n)
		return false;
	see_query(l, word, &v);
	read_value(l, at, &v);
	if (n->kind & COOKIES)
		return has_cookies(l, &v) && hit_value(l, what, &v, hit);
	if (n->kind & SCHEME)
		skip_scheme(l, &v);
	if (v.end <= v.at || !is_secret(l, n, &v, word))
		return false;
	if (!v.quoted && v.end - v.at == VALUE_JUDGED)
		v.end = bare_end(l, v.end, SIZE_MAX, v.stop);
	return hit_value(l, what, &v, hit);
}
