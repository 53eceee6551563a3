/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detect_floods.h: short texts that, repeated, ask the most of the detectors.
 *
 * Near-misses of every kind, found by hand and by chance: flood_by_chance()
 * makes more of what the detectors react to.
 */
#ifndef DETECT_FLOODS_H
#define DETECT_FLOODS_H

#include <stdint.h>
#include <string.h>

#define FLOOD_A32 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char *const floods[] = {
	/* mailboxes, and passwords in URLs */
	"@", "a@", "a@a.", FLOOD_A32 "aaaaaaaaaaaaaa@", "a.a-", "%40a", "a@a.js ",
	"a@-", "a@a.a.", "'@a", "://", "u:p@", "://u:", "://a:b@", "/@", ":@",
	"u:@@", "://u:*@", "://u:{@h", "git@h.de:",
	/* payment cards and IBANs */
	"4", "4 ", "41 ", "4111 ", "4111-", "4111111111111112 ", "%204111",
	"4111 1111 1111 1112 ", "3782 822463 10006 ", "62000 ", "5555-5555 ",
	"400000-", "DE89", "DE89 ", "DE89 3704 ", "DE89-", "NO93 8601 1117 948 ",
	"MT84MALT011000012345MTLCAST001T ", "de89", "de89-3704-", "DE89\xc2\xa0",
	"ab12", "4111.", "4111+", "4111%20", "%20%20%20%20", "4111\xc2\xa0",
	"\xc2\xa0", "\xc2", "4111 - ", "4111  ", "1 - ", "4111 1111.", "1.",
	"4111 1111 1111 1111 1111 ", "3782 822463 10005 10005 ",
	"62001111 11111111 ", "................", "%2%2%2%2",
	/* tokens and keys */
	"eyJ", "eyJ.", "eyJaaaaaaaa.", "eyJaaaaaaaaaa.eyJ", " eyJaaaaaaaa.a",
	"eyJaaaaaaaaaa..", "-----BEGIN ", "-----BEGIN A ", "-BEG",
	"-----BEGIN RSA PRIVATE ", "-----END ", "AKIA", "AKIAAAAAAAAAAAAAAAAA",
	"-----BEGIN+", "-----BEGIN%20PRIVATE%20", "-----BEGIN A+A%20",
	"LS0t", "LS0tLS1CRUdJTi", "LS0tLS1CRUdJTi ", "LS0tLS1CRUdJTiBQUklW ",
	"xapp-", "ya29.", "ya29.a1", "_tes", "sk_test_", "slack.com/services/",
	"k.co", "slack.com/services/a1 ",
	"AKIAAAAAAAAAAAAAAAAA ", "AKIAAAAAAAAAAAAAAAAA a b c d e f g h ",
	"AKIAAAAAAAAAAAAAAAAA aaaaaaaaaaaaaaaaaaaa", "sk-", "sk-a", "-sk-a",
	"sk-a1", "sk-" FLOOD_A32 "-", "xoxb-", "xoxe-", "glpat-", "tvly-",
	"lsv2_", "_pat_", "AIza", "AIza-", "SK00", "hf_a", "npm_", "ghp_", "pypi-",
	"SG.a", "SG..", "hvs.", "r8_a", "_v1_", "pcsk_", "dop_v1_",
	/* values behind names */
	"password", "password=", "password= ", "password:", "\"password\"",
	"password-", "password ", "password.", "password=\"", "password=${",
	"password=[", "password=$A", "password=\"$A\"", "pwd=/", "pwd=x ", "pwd=\"",
	"pwd='\"", "pwd=\\\"$(", "pwd=*", "pwd=xxx", "auth=-", "auth:-", "auth=AAAA",
	"auth=%", "auth%3D", "secret=%(", "secret%20=%(", "secret=%s", "sig=%(",
	"sig=a", "sig=a,", "signature=a ", "signature%3D", "key=", "key\" ",
	"api_key", "key_", "keykey=", "api-key=${", "subscriptionkey=[",
	"authorization: digest ${", "authorization:digest ${",
	"authorization: digest ", "authorization: x ", "authorization%3Dkey%20",
	"password=none ", "password=undefined,", "password = (", "password: a. ",
	"password: !!!!!!!!!!!! ", "token=1 ", "token=1,", "token: a ", "token:a,",
	"secret=\\\\\\\\", "secret\\\\\\\\\\\\\\\\", "\\", "<secret>", "<token>a",
	"--token ", "--token\t", "private_key_id:[",
	"password=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	"password=,", "password=a,", "password=,a", "password=;a b c ",
	"password=a;a a a", "password=a&", "&password=a&", "password=)a",
	"password=%26", "password%3D%26", "password=%22", "password=Some(",
	"password=b", "password=bb'", "password=\n", "password=\n\"a\":",
	"password=\\n", "password\t\t\t\t\t\t\t\t\t\t=", "password=%20%20",
	"password_1", "password_1=", "api_key_", "key1", "pass=", "pass=1/2,",
	"pass ", "Pass=aPass=", "openai_key=", "fireworks_key=*", "s_key=",
	"credential=/", "credentials=omit,", "cookie:", "cookie: a=b; ",
	"cookie: sid=", "cookie: sid=a\n", "cookie=\"", "authorization: a a1",
	"authorization: a a1a1a1 ", "token a1", "token aaaaaaaaaaaa ",
	"token aaaaaaaaaa1\n", "api key a.", "apikey aaaaaaaaaaa-",
	"bearer\t", "@tcp(", "a:@tcp(", "a:b@tcp", ":@/", "a:@/a", "a:*@/a",
	"bearer ", "bearer .", "bearer -------------", "bearer%20", "basic ",
	"basic AAAA", "basic a:", "basic%20-",
	/* and what is none of these */
	" ", "0123456789abcdef", "\xff", "\\n", "A", "aA", "QUJD", "Zm9v+/", "=",
	":", "\"", "'", "%22", "%", "{\"a\":", "\xc3\xa4@",
};
#define FLOODS (sizeof(floods) / sizeof(*floods))

static inline uint64_t flood_chance(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;	/* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* A text of 1 to 63 bytes, by the seed; returns its length.  Most begin with
 * what a detector looks for, and go on with what it has to look at. */
static inline size_t flood_by_chance(uint64_t seed, char text[64])
{
	static const char *const words[] = {
		"password", "passwd", "passphrase", "pwd", "secret", "token",
		"api_key", "private_key_id", "authorization", "auth",
		"signature", "sig", "bearer ", "basic ", "AKIA", "AIza", "ghp_",
		"glpat-", "xoxb-", "sk_live_", "SG.", "SK00", "hvs.", "sk-",
		"hf_", "eyJ", "-----BEGIN ", "@a", "cookie:", "pass=",
		"credentials=", "openai_key=", "LS0tLS1CRUdJTi", "@tcp(", "de89", "%40a", "4111", "DE89", "://",
	};
	static const char bytes[] =
		"aAzZxX019@.:/-_%=+\\\"'` <>{}[]()$&;,|~*!?#\t\n20efkeysit4";
	uint64_t state = seed;
	size_t n = 0, more = flood_chance(&state) % 7;

	if (flood_chance(&state) % 4) {
		const char *word = words[flood_chance(&state) %
					 (sizeof(words) / sizeof(*words))];

		n = strlen(word);
		memcpy(text, word, n);
	} else {
		more++;
	}
	while (more--)
		text[n++] = bytes[flood_chance(&state) % (sizeof(bytes) - 1)];
	return n;
}

static inline void flood_fill(char *text, size_t len, const char *what,
			      size_t n)
{
	for (size_t i = 0; i < len; i++)
		text[i] = what[i % n];
}

#endif
