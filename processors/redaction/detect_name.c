/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_name.c: what stands behind a name that says it is secret.
 *
 * `password=x`, `"api_key": "x"`, `--token x`, `<secret>x</secret>`, the same
 * with the quotes escaped or percent-encoded; `Bearer x`, `Basic x`, and the
 * password in a URL.  The value alone is the hit.  Prose about passwords has
 * the names, too: there a value must look like none of its words.
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
	DIRECTORY = 1 << 7	/* not when it is a path */
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
	} name[14];
} families[] = {
	[NAMED_PASSWORD] = { 0, { WORD("password", PASSWORD) } },
	[NAMED_PASSWD] = { 0, { WORD("passwd", PASSWORD) } },
	[NAMED_PASSPHRASE] = { 0, { WORD("passphrase", PASSWORD) } },
	[NAMED_PWD] = { 3, { WORD("pwd", PASSWORD | DIRECTORY) } },
	[NAMED_SECRET] = { 0, { WORD("secret", 0) } },
	[NAMED_TOKEN] = { 0, { WORD("token", TOKEN) } },
	[NAMED_KEY] = { 3, {
		WORD("secret_access_key", OF_CLOUD),
		WORD("shared_access_key", OF_CLOUD),
		WORD("account_key", OF_CLOUD), WORD("api_key", 0),
		WORD("access_key", 0), WORD("secret_key", 0),
		WORD("private_key", 0), WORD("auth_key", 0),
		WORD("shared_key", 0), WORD("master_key", 0),
		WORD("signing_key", 0), WORD("encryption_key", 0),
		WORD("subscription_key", 0),
	} },
	[NAMED_KEY_ID] = { 0, { WORD("private_key_id", OF_CLOUD) } },
	[NAMED_AUTHORIZATION] = { 0, { WORD("authorization", SCHEME) } },
	[NAMED_AUTH] = { 3, { WORD("auth", BASE64_USER) } },
	[NAMED_SIGNATURE] = { 0, { WORD("signature", OF_CLOUD | TIGHT) } },
	[NAMED_SIG] = { 3, { WORD("sig", OF_CLOUD | TIGHT) } },
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
	size_t left;

	end -= f->known;
	if (named == NAMED_KEY) {	/* their last words are the same */
		end -= end && is_word_separator(byte_at(l, end - 1));
		if (!end || !is_letter(byte_at(l, end - 1)))
			return NULL;
	}
	for (const struct name *n = f->name; n->word; n++) {
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

	if (has_at(l, at, "%3D") || has_at(l, at, "%3d") ||
	    has_at(l, at, "%3A") || has_at(l, at, "%3a"))
		return at + 3;
	if (at >= l->len)
		return 0;
	c = byte_at(l, at);
	next = at + 1 < l->len ? byte_at(l, at + 1) : 0;
	if (c != '=' && c != ':')
		return 0;
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
		return skip_blanks(l, behind);
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

/* PWD=/home/me, password=password */
static bool says_nothing(const struct look *l, const struct name *n,
			 const struct value *v)
{
	if (n->kind & DIRECTORY)
		return byte_at(l, v->at) == '/' || byte_at(l, v->at) == '~';
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

static bool is_secret(const struct look *l, const struct name *n,
		      const struct value *v, size_t word)
{
	struct looks k;

	if (is_stand_in(l, v->at, v->end, v->quoted) ||
	    says_nothing(l, n, v) || is_prose(l, n, v))
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

/* "Bearer x": x is what is secret, up to the end of the line for schemes with
 * parameters. */
static void skip_scheme(const struct look *l, struct value *v)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t behind = v->at + strlen(schemes[i]);

		if (!has_word_at(l, v->at, schemes[i]) || behind >= l->len ||
		    (byte_at(l, behind) != ' ' && !has_at(l, behind, "%20")))
			continue;
		v->at = byte_at(l, behind) == ' ' ? skip_blanks(l, behind) :
			behind + 3;
		v->loose = false;
		if (v->quoted)
			return;
		v->end = bare_end(l, v->at, VALUE_JUDGED);
		/* parameters, with quotes and commas in them */
		if (i > 1 && v->end > v->at &&
		    !is_stand_in(l, v->at, v->end, false))
			while (v->end < l->len && byte_at(l, v->end) != '\n' &&
			       byte_at(l, v->end) != '\r')
				v->end++;
		return;
	}
}

static bool hit_value(const struct look *l, enum detector what,
		      struct value *v, struct detected *hit)
{
	if (v->at < l->from)
		v->at = l->from;
	return v->end > v->at && found(hit, what, v->at, v->end);
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

bool probe_name(const struct look *l, const struct trigger *t, size_t last,
		struct detected *hit)
{
	size_t word, end = last - 3 - t->back + t->len, at;
	const struct name *n;
	struct value v = { 0 };
	enum detector what;

	if (end > l->len || joined_behind(l, end, ALNUM | UNDERSCORE))
		return false;
	at = value_begin(l, end, &v);
	n = at ? name_before(l, end, t->body, &word) : NULL;
	what = n ? owner(l, n) : DETECTORS;
	if (what == DETECTORS ||
	    ((n->kind & BASE64_USER) && joined_before(l, word, ALNUM)))
		return false;
	read_value(l, at, &v);
	if (n->kind & SCHEME)
		skip_scheme(l, &v);
	if (v.end <= v.at || !is_secret(l, n, &v, word))
		return false;
	if (!v.quoted && v.end - v.at == VALUE_JUDGED)
		v.end = bare_end(l, v.end, SIZE_MAX);
	return hit_value(l, what, &v, hit);
}

/* RFC 6750 2.1 */
static bool bearer(const struct look *l, size_t at, struct detected *hit)
{
	size_t end = stop_at(l, at, l->len, NO_BEARER);
	struct looks k;

	while (end < l->len && byte_at(l, end) == '=')
		end++;
	while (end > at && byte_at(l, end - 1) == '.')
		end--;
	k = looks_of(l, at, end);
	return k.len >= 8 && no_word(&k) && k.lower + k.upper + k.digits >= 8 &&
		found(hit, DETECT_CREDENTIALS, at, end);
}

/* RFC 7617 2 */
static bool basic(const struct look *l, size_t at, struct detected *hit)
{
	size_t end = stop_at(l, at, l->len, NO_BASE64);

	while (end < l->len && byte_at(l, end) == '=')
		end++;
	return base64_user(l->text + at, end - at) &&
		found(hit, DETECT_CREDENTIALS, at, end);
}

bool probe_scheme(const struct look *l, const struct trigger *t, size_t last,
		  struct detected *hit)
{
	size_t begin = last - 3 - t->back, at = begin + t->len;

	if (!has_word_at(l, begin, t->prefix) ||
	    joined_before(l, begin, ALNUM | UNDERSCORE))
		return false;
	if (has_at(l, at, "%20"))
		at += 3;
	else if (has_at(l, at, " "))
		at = skip_blanks(l, at);
	else
		return false;
	return t->prefix[1] == 'e' ? bearer(l, at, hit) : basic(l, at, hit);
}

/* --- URLs ------------------------------------------------------------------------ */

static bool ends_userinfo(char c)
{
	return is_of(c, USER_END);
}

/* scheme://user:password@host (RFC 3986 3.2.1): the password.  One with an `@`
 * in it reaches up to the last `@` of the authority.  Going back ends at the
 * `@` before, so that no byte is read twice. */
bool probe_url(const struct look *l, const struct trigger *t, size_t last,
	       struct detected *hit)
{
	size_t at = last - 1, begin = at, colon, end = at;

	(void)t;
	if (!is_alnum(byte_at(l, last)) && byte_at(l, last) != '[')
		return false;
	while (begin && !ends_userinfo(byte_at(l, begin - 1)) &&
	       byte_at(l, begin - 1) != '@')
		begin--;
	if (begin < 3 || !has_at(l, begin - 3, "://"))
		return false;
	for (colon = begin; colon < at && byte_at(l, colon) != ':'; colon++)
		;
	if (colon == at)
		return false;
	for (size_t i = at; i < l->len && !ends_userinfo(byte_at(l, i)) &&
	     byte_at(l, i) != ',' && byte_at(l, i) != '\''; i++)
		if (byte_at(l, i) == '@' && i + 1 < l->len &&
		    (is_alnum(byte_at(l, i + 1)) || byte_at(l, i + 1) == '['))
			end = i;
	if (colon + 1 == end || is_stand_in(l, colon + 1, end, false))
		return false;
	return hit_value(l, DETECT_CREDENTIALS,
			 &(struct value){ .at = colon + 1, .end = end }, hit);
}
