/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_key.c: keys of clouds and LLM providers, and the triggers of all.
 */
#include "detect_parts.h"

/* --- What a key's body must be --------------------------------------------------- */

#define JUDGED 64	/* bytes that decide; what follows belongs to it */

/* No word looks so: a digit, or small and large letters. */
static bool is_mixed(const struct look *l, size_t at, size_t end)
{
	return stop_at(l, at, end, A_DIGIT) < end ||
		(stop_at(l, at, end, AN_UPPER) < end &&
		 stop_at(l, at, end, A_LOWER) < end);
}

/* So many letters and digits in a row that are no word: BLOCK with a digit, or
 * twice as many.  `at` is where such a run begins. */
#define BLOCK 16

bool has_block(const struct look *l, size_t at, size_t end)
{
	struct detect_walk *w = l->walk;

	if (at >= w->no_block && at < w->no_block_end)
		at = w->no_block_end;
	else
		w->no_block = w->no_block_end = at;
	while (at < end) {
		size_t stop = stop_at(l, at, end, NO_ALNUM);
		bool digit = stop_at(l, at, stop, A_DIGIT) < stop;

		if (stop - at >= (digit ? BLOCK : 2 * BLOCK))
			return true;
		if (stop == end)	/* there may be more of it */
			break;
		w->no_block_end = at = stop + 1;
	}
	return false;
}

/* Behind the body that begins at `at`; 0: none. */
static size_t body_end(const struct look *l, const struct trigger *t, size_t at)
{
	size_t most = t->most ? t->most : JUDGED;
	size_t end = stop_at(l, at, at + most, t->body);

	if (end - at < t->least || !is_mixed(l, at, end))
		return 0;
	if (!t->most)
		end = stop_at(l, end, l->len, t->body);
	while (end > at && byte_at(l, end - 1) == '.')
		end--;
	if (end - at < t->least || joined_behind(l, end, ALNUM))
		return 0;
	return end;
}

static enum detector which(const struct look *l, const struct trigger *t)
{
	return l->on & t->on & BIT(DETECT_CLOUD_KEY) ? DETECT_CLOUD_KEY :
		DETECT_LLM_KEY;
}

/* The prefix, with nothing before it that makes another word of it. */
static bool begins(const struct look *l, const struct trigger *t, size_t begin)
{
	return begin >= l->from && has_bytes_at(l, begin, t->prefix, t->len) &&
		!joined_before(l, begin, ALNUM);
}

bool probe_key(const struct look *l, const struct trigger *t, size_t last,
	       struct detected *hit)
{
	size_t begin = last - 3 - t->back, end;

	if (last < 3u + t->back || !begins(l, t, begin))
		return false;
	end = body_end(l, t, begin + t->len);
	return end && found(hit, which(l, t), begin, end);
}

/* sk-..., sk-proj-..., sk-ant-...: words may follow, and then much that is
 * none. */
bool probe_key_openai(const struct look *l, const struct trigger *t,
		      size_t last, struct detected *hit)
{
	static const char *const kinds[] = {
		"ant-", "proj-", "svcacct-", "admin-", "or-v1-", "None-", "lf-",
	};
	size_t begin = last - 3, body = begin + 3, end, judged;
	bool known = false;

	if (!begins(l, t, begin))
		return false;
	end = body_end(l, t, body);
	if (!end)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		known |= has_at(l, body, kinds[i]);
	judged = end - body > JUDGED ? body + JUDGED : end;
	return (known || has_block(l, body, judged)) &&
		found(hit, DETECT_LLM_KEY, begin, end);
}

/* --- AWS ------------------------------------------------------------------------- */

#define AWS_ID 20
#define AWS_SECRET 40
#define AWS_NEAR 128	/* bytes between an id and its secret */

static bool aws_id_at(const struct look *l, size_t at)
{
	static const char *const kinds[] = { "AKIA", "ASIA", "ABIA", "ACCA" };
	bool known = false;

	if (l->len < AWS_ID || at > l->len - AWS_ID)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		known |= has_at(l, at, kinds[i]);
	return known && !joined_before(l, at, ALNUM) &&
		run_end(l, at, UPPER | DIGITS, AWS_ID) == at + AWS_ID &&
		!joined_behind(l, at + AWS_ID, ALNUM);
}

/* Forty of base64, small and large letters among them. */
static bool aws_secret_in(const struct look *l, size_t at, size_t limit,
			  struct detected *hit)
{
	while (at < limit) {
		size_t end = stop_at(l, at, at + AWS_SECRET + AWS_NEAR,
				     NO_AWS);

		if (end - at == AWS_SECRET &&
		    stop_at(l, at, end, AN_UPPER) < end &&
		    stop_at(l, at, end, A_LOWER) < end)
			return found(hit, DETECT_CLOUD_KEY, at, end);
		at = end + 1;
	}
	return false;
}

bool aws_secret_behind(const struct look *l, struct detected *hit)
{
	size_t limit = l->len - l->from > AWS_NEAR ? l->from + AWS_NEAR :
		l->len;

	if (l->from < AWS_ID || !aws_id_at(l, l->from - AWS_ID))
		return false;
	return aws_secret_in(l, l->from, limit, hit);
}

/* The secret may also stand before the id. */
bool probe_key_aws(const struct look *l, const struct trigger *t, size_t last,
		   struct detected *hit)
{
	size_t at = last - 3, from = at > AWS_NEAR ? at - AWS_NEAR : 0;

	(void)t;
	if (at < l->from || !aws_id_at(l, at))
		return false;
	if (from < l->from)
		from = l->from;
	while (from < at && joined_before(l, from, ALNUM | BASE64))
		from++;
	if (aws_secret_in(l, from, at, hit))
		return true;
	return found(hit, DETECT_CLOUD_KEY, at, at + AWS_ID);
}

/* --- Triggers -------------------------------------------------------------------- */

#define EMAIL BIT(DETECT_EMAIL)
#define CREDENTIALS BIT(DETECT_CREDENTIALS)
#define CLOUD BIT(DETECT_CLOUD_KEY)
#define LLM BIT(DETECT_LLM_KEY)
#define NAMES (CREDENTIALS | CLOUD)

/* A key by its prefix: window, bucket, where the window is in the prefix. */
#define KEY(window, bucket, back, on, prefix, body, least, most)	\
	{ window, bucket, 0, back, on, probe_key, prefix,		\
	  sizeof(prefix) - 1, body, least, most }
/* A name: the window begins `back` behind the beginning of its last word, and
 * that has `len` letters. */
#define NAME(window, bucket, back, len, on, named)			\
	{ window, bucket, 1, back, on, probe_name, "", len, named, 0, 0 }
#define BEHIND_NAME "[=:\"'`\\ %>\t0-9_-]"	/* API_KEY_2 */

const struct trigger detect_triggers[] = {
	{ "[*][*]@[0-9A-Za-z[/]", 7, 0, 2, CREDENTIALS, probe_url, "", 0, 0, 0, 0 },
	{ "[*][*]@[0-9A-Za-z\x80-\xff]", 7, 0, 2, EMAIL, probe_email, "", 0, 0, 0, 0 },
	{ "%40[0-9A-Za-z]", 2, 0, 0, EMAIL, probe_email_encoded, "", 0, 0, 0, 0 },
	{ "[A-Z][A-Z][0-9][0-9]", 3, 1, 0, BIT(DETECT_IBAN), probe_iban, "", 0, 0, 0, 0 },
	{ "eyJ[0-9A-Za-z_-]", 7, 0, 0, BIT(DETECT_JWT), probe_jwt, "", 0, 0, 0, 0 },
	{ "-BEG", 4, 0, 4, BIT(DETECT_PRIVATE_KEY), probe_private_key, "", 0, 0, 0, 0 },
	{ "LS0t", 4, 0, 0, BIT(DETECT_PRIVATE_KEY), probe_private_base64, "", 0, 0, 0, 0 },

	NAME("sswo", 2, 2, 8, NAMES, NAMED_PASSWORD),
	NAME("sswd", 0, 2, 6, NAMES, NAMED_PASSWD),
	NAME("ssph", 2, 2, 10, NAMES, NAMED_PASSPHRASE),
	NAME("pwd" BEHIND_NAME, 0, 0, 3, NAMES, NAMED_PWD),
	NAME("cret", 4, 2, 6, NAMES, NAMED_SECRET),
	NAME("oken", 5, 1, 5, NAMES, NAMED_TOKEN),
	NAME("key" BEHIND_NAME, 1, 0, 3, NAMES, NAMED_KEY),
	NAME("y[_-]id", 2, 10, 14, NAMES, NAMED_KEY_ID),
	NAME("riza", 1, 5, 13, NAMES, NAMED_AUTHORIZATION),
	NAME("uth" BEHIND_NAME, 2, 1, 4, NAMES, NAMED_AUTH),
	NAME("ture", 6, 5, 9, CLOUD, NAMED_SIGNATURE),
	NAME("sig[=%]", 2, 0, 3, CLOUD, NAMED_SIG),
	NAME("ass" BEHIND_NAME, 0, 1, 4, CREDENTIALS, NAMED_PASS),
	NAME("dent", 5, 3, 10, CREDENTIALS, NAMED_CREDENTIALS),
	NAME("ooki", 5, 1, 6, CREDENTIALS, NAMED_COOKIE),
	{ "bear", 5, 1, 0, CREDENTIALS, probe_scheme, "bearer", 6, 0, 0, 0 },
	{ "asic", 1, 1, 1, CREDENTIALS, probe_scheme, "basic", 5, 0, 0, 0 },

	{ "A[KSBC][IC]A", 5, 0, 0, CLOUD, probe_key_aws, "", 0, 0, 0, 0 },
	KEY("AIza", 3, 0, CLOUD | LLM, "AIza", NO_BASE64URL, 35, 45),
	KEY("ghp_", 5, 0, CLOUD, "ghp_", NO_ALNUM, 30, 0),
	KEY("gho_", 5, 0, CLOUD, "gho_", NO_ALNUM, 30, 0),
	KEY("ghs_", 5, 0, CLOUD, "ghs_", NO_ALNUM, 30, 0),
	KEY("ghu_", 5, 0, CLOUD, "ghu_", NO_ALNUM, 30, 0),
	KEY("ghr_", 5, 0, CLOUD, "ghr_", NO_ALNUM, 30, 0),
	KEY("_pat", 4, 6, CLOUD, "github_pat_", NO_ALNUM_UNDERSCORE, 30, 0),
	KEY("lpat", 4, 1, CLOUD, "glpat-", NO_BASE64URL_DOT, 20, 0),
	KEY("xoxa", 2, 0, CLOUD, "xoxa-", NO_ALNUM_DASH, 16, 0),
	KEY("xapp", 2, 0, CLOUD, "xapp-", NO_ALNUM_DASH, 16, 0),
	KEY("xoxb", 2, 0, CLOUD, "xoxb-", NO_ALNUM_DASH, 16, 0),
	KEY("xoxe", 2, 0, CLOUD, "xoxe", NO_ALNUM_DASH_DOT, 16, 0),
	KEY("xoxp", 2, 0, CLOUD, "xoxp-", NO_ALNUM_DASH, 16, 0),
	KEY("xoxr", 2, 0, CLOUD, "xoxr-", NO_ALNUM_DASH, 16, 0),
	KEY("xoxs", 2, 0, CLOUD, "xoxs-", NO_ALNUM_DASH, 16, 0),
	KEY("_liv", 4, 2, CLOUD, "sk_live_", NO_ALNUM, 16, 0),
	KEY("_liv", 4, 2, CLOUD, "rk_live_", NO_ALNUM, 16, 0),
	KEY("_tes", 4, 2, CLOUD, "sk_test_", NO_ALNUM, 16, 0),
	KEY("_tes", 4, 2, CLOUD, "rk_test_", NO_ALNUM, 16, 0),
	KEY("k.co", 1, 4, CLOUD, "slack.com/services/", NO_AWS, 20, 0),
	KEY("ya29", 3, 0, CLOUD, "ya29.", NO_BASE64URL, 20, 0),	/* Google */
	KEY("npm_", 4, 0, CLOUD, "npm_", NO_ALNUM, 30, 0),
	KEY("pypi", 6, 0, CLOUD, "pypi-", NO_BASE64URL, 40, 0),
	KEY("SG.[0-9A-Za-z._-]", 0, 0, CLOUD, "SG.", NO_BASE64URL_DOT, 60, 80),
	KEY("SK[0-9a-f][0-9a-f]", 3, 0, CLOUD, "SK", NO_HEX, 32, 32),
	KEY("_v1_", 6, 3, CLOUD, "dop_v1_", NO_HEX, 40, 0),
	KEY("_v1_", 6, 3, CLOUD, "doo_v1_", NO_HEX, 40, 0),
	KEY("_v1_", 6, 3, CLOUD, "dor_v1_", NO_HEX, 40, 0),
	KEY("hvs.", 0, 0, CLOUD, "hvs.", NO_BASE64URL, 20, 0),
	KEY("hvb.", 0, 0, CLOUD, "hvb.", NO_BASE64URL, 20, 0),

	{ "sk-[0-9A-Za-z_-]", 0, 0, 0, LLM, probe_key_openai, "sk-", 3, NO_BASE64URL, 20, 0 },
	KEY("csk-", 0, 0, LLM, "csk-", NO_ALNUM, 40, 0),		/* Cerebras */
	KEY("hf_[0-9A-Za-z]", 1, 0, LLM, "hf_", NO_ALNUM, 30, 0),
	KEY("gsk_", 4, 0, LLM, "gsk_", NO_ALNUM, 40, 0),		/* Groq */
	KEY("r8_[0-9A-Za-z]", 1, 0, LLM, "r8_", NO_ALNUM, 30, 0),	/* Replicate */
	KEY("pplx", 6, 0, LLM, "pplx-", NO_ALNUM, 32, 0),
	KEY("xai-", 1, 0, LLM, "xai-", NO_ALNUM, 40, 0),
	KEY("lsv2", 0, 0, LLM, "lsv2_", NO_ALNUM_UNDERSCORE, 32, 0),
	KEY("pcsk", 0, 0, LLM, "pcsk_", NO_ALNUM_UNDERSCORE, 40, 0),
	KEY("nvap", 4, 0, LLM, "nvapi-", NO_BASE64URL, 40, 0),
	KEY("_v1_", 6, 3, LLM, "tgp_v1_", NO_BASE64URL, 40, 0),	/* Together */
	KEY("tvly", 6, 0, LLM, "tvly-", NO_ALNUM_DASH, 20, 0),	/* Tavily */
	{ NULL, 0, 0, 0, 0, NULL, NULL, 0, 0, 0, 0 }
};
