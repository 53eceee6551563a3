/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redaction processor's own keys: JSON in strings, content, safe keys.
 */
#include "attr_case.h"

#define ALL "allow_all_keys: true\n"
#define JSON ALL "structured_strings: {enabled: true}\n"
#define BLOCK "blocked_key_patterns: ['^(token|api_key)$']\n"
#define CARD "blocked_values: ['4[0-9]{3}']\n"
#define DELETE "blocked_key_action: delete\n"
#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61" \
	"f20015ad"
#define SHA256_STARS "69bf0bc46f51b33377c4f3d92caf876714f6bbbe99e754448732" \
	"7920873f9820"
#define SHA256_MAP "cefd1f12bf1f7fac58e2f5970c9d2bf65c84651284e5787a71da" \
	"0b9f25caea20"
#define SHA256_1 "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e" \
	"52ddb7875b4b"
#define SHA256_TRUE "b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a" \
	"45b44867e12b"
#define MD5_ABC "900150983cd24fb0d6963f7d28e17f72"

struct row {
	const char *why, *yaml, *record, *want;
};

/* --- JSON in strings ------------------------------------------------------------ */

static const struct row structured[] = {
	{ "off, it is text", ALL BLOCK, "a=s:{\"token\":1}",
	  "record{a=s:{\"token\":1}}" },
	{ "off in words, too", ALL BLOCK
	  "structured_strings: {enabled: false}\n", "a=s:{\"token\":1}",
	  "record{a=s:{\"token\":1}}" },
	{ "a blocked key", JSON BLOCK, "a=s:{\"token\":\"x\",\"b\":\"y\"}",
	  "record{a=s:{\"token\":\"****\",\"b\":\"y\"}}" },
	{ "whatever its value is", JSON BLOCK,
	  "a=s:{\"token\":{\"a\":[1,2]},\"api_key\":null,\"b\":[{\"token\":7}]}",
	  "record{a=s:{\"token\":\"****\",\"api_key\":\"****\","
	  "\"b\":[{\"token\":\"****\"}]}}" },
	{ "a key that is written in escapes", JSON BLOCK,
	  "a=s:{\"\\u0074ok\\u0065n\":\"x\"}",
	  "record{a=s:{\"\\u0074ok\\u0065n\":\"****\"}}" },
	{ "a key twice", JSON BLOCK, "a=s:{\"token\":1,\"token\":\"x\"}",
	  "record{a=s:{\"token\":\"****\",\"token\":\"****\"}}" },
	{ "the rest stays byte for byte", JSON BLOCK,
	  "a=s:{\t\"b\"\n:\t1.50e1\t,\"token\":1\t,\"\\u0063\":\"\\/\\u00e9\"}\n",
	  "record{a=s:{\t\"b\"\n:\t1.50e1\t,\"token\":\"****\"\t,"
	  "\"\\u0063\":\"\\/\\u00e9\"}\n}" },
	{ "values", JSON CARD, "a=s:[\"x4111y\",\"z\",4222]",
	  "record{a=s:[\"x****y\",\"z\",\"****\"]}" },
	{ "values in escapes", JSON CARD, "a=s:[\"\\u0034111\\n\"]",
	  "record{a=s:[\"****\\n\"]}" },
	{ "values in keys", JSON CARD, "a=s:{\"k4111\":1}",
	  "record{a=s:{\"k****\":1}}" },
	{ "an allowed value stays, beside others", JSON CARD
	  "allowed_values: [ok]", "a=s:[\"4111ok\",\"4111\"]",
	  "record{a=s:[\"4111ok\",\"****\"]}" },
	{ "ignored keys stay with all that is in them", JSON CARD BLOCK
	  "ignored_keys: [i]", "a=s:{\"i\":{\"token\":\"4111\"}}",
	  "record{a=s:{\"i\":{\"token\":\"4111\"}}}" },
	{ "hashed", JSON BLOCK "hash_function: md5", "a=s:{\"token\":\"abc\"}",
	  "record{a=s:{\"token\":\"" MD5_ABC "\"}}" },
	{ "behind blanks", JSON BLOCK, "a=s:\n\t{\"token\":1}",
	  "record{a=s:\n\t{\"token\":\"****\"}}" },
	{ "what does not begin so is text", JSON BLOCK CARD,
	  "a=s:x{\"token\":\"4111\"}", "record{a=s:x{\"token\":\"****\"}}" },
	/* allowed keys */
	{ "keys that are not allowed go", "allowed_keys: [a, b]\n"
	  "structured_strings: {enabled: true}",
	  "a=s:{\"x\":1,\"b\":2,\"y\":{\"b\":1},\"b\":[{\"z\":1,\"b\":3}]}",
	  "record{a=s:{\"b\":2,\"b\":[{\"b\":3}]}}" },
	/* deleting */
	{ "deleted, the first", JSON BLOCK DELETE,
	  "a=s:{\"token\":1,\"b\":2}", "record{a=s:{\"b\":2}}" },
	{ "the last", JSON BLOCK DELETE, "a=s:{\"b\":2,\"token\":1}",
	  "record{a=s:{\"b\":2}}" },
	{ "between", JSON BLOCK DELETE,
	  "a=s:{\"b\":2,\"token\":1,\"c\":3}", "record{a=s:{\"b\":2,\"c\":3}}" },
	{ "the only one", JSON BLOCK DELETE, "a=s:{\"token\":1}",
	  "record{a=s:{}}" },
	{ "all", JSON BLOCK DELETE,
	  "a=s:[{\"token\":1,\"api_key\":[2],\"token\":{}}]",
	  "record{a=s:[{}]}" },
	{ "the first two", JSON BLOCK DELETE,
	  "a=s:{\"token\":1,\"token\":2,\"b\":3}", "record{a=s:{\"b\":3}}" },
	{ "two between", JSON BLOCK DELETE,
	  "a=s:{\"b\":1,\"token\":1,\"token\":2,\"c\":3}",
	  "record{a=s:{\"b\":1,\"c\":3}}" },
	{ "around a change", JSON BLOCK CARD DELETE,
	  "a=s:{\"token\":1,\"b\":\"4111\",\"token\":2,\"c\":[\"4222\"]}",
	  "record{a=s:{\"b\":\"****\",\"c\":[\"****\"]}}" },
	{ "under a key that is masked itself", JSON DELETE
	  "blocked_values: ['ke']\nblocked_key_patterns: [token]",
	  "a=s:{\"ke\":1,\"token\":1,\"c\":2}",
	  "record{a=s:{\"****\":1,\"c\":2}}" },
	/* JSON in JSON */
	{ "JSON in JSON", JSON BLOCK,
	  "a=s:{\"args\":\"{\\\"token\\\":\\\"x\\\",\\\"b\\\":1}\"}",
	  "record{a=s:{\"args\":\"{\\\"token\\\":\\\"****\\\",\\\"b\\\":1}\"}}" },
	{ "unchanged JSON in JSON", JSON BLOCK,
	  "a=s:{\"args\":\"{\\u0022b\\u0022:1}\"}",
	  "record{a=s:{\"args\":\"{\\u0022b\\u0022:1}\"}}" },
	{ "three deep", JSON BLOCK,
	  "a=s:[\"[\\\"{\\\\\\\"token\\\\\\\":1}\\\"]\"]",
	  "record{a=s:[\"[\\\"{\\\\\\\"token\\\\\\\":\\\\\\\"****\\\\\\\"}"
	  "\\\"]\"]}" },
	{ "broken JSON in JSON goes", JSON BLOCK,
	  "a=s:{\"b\":1,\"args\":\"{\\\"token\\\":\\\"x\",\"c\":2}",
	  "record{a=s:{\"b\":1,\"c\":2}}" },
	{ "also from a list", JSON BLOCK, "a=s:[\"{x\",\"[\",\"y\"]",
	  "record{a=s:[\"y\"]}" },
	{ "JSON that is a string of JSON", JSON BLOCK,
	  "a=s:\"{\\\"token\\\":\\\"x\\\",\\\"b\\\":1}\"",
	  "record{a=s:\"{\\\"token\\\":\\\"****\\\",\\\"b\\\":1}\"}" },
	{ "that in JSON", JSON BLOCK,
	  "a=s:[\"\\\"[{\\\\\\\"token\\\\\\\":1}]\\\"\"]",
	  "record{a=s:[\"\\\"[{\\\\\\\"token\\\\\\\":"
	  "\\\\\\\"****\\\\\\\"}]\\\"\"]}" },
	{ "its brackets in escapes, behind blanks", JSON BLOCK,
	  "a=s:\t\"\\n\\u007b\\n\\u0022token\\\":1}\"",
	  "record{a=s:\t\"\\n{\\n\\\"token\\\":\\\"****\\\"}\"}" },
	{ "quoted twice", JSON BLOCK,
	  "a=s:\"\\\"[{\\\\\\\"token\\\\\\\":1}]\\\"\"",
	  "record{a=s:\"\\\"[{\\\\\\\"token\\\\\\\":"
	  "\\\\\\\"****\\\\\\\"}]\\\"\"}" },
	{ "behind a byte order mark, which stays", JSON BLOCK,
	  "a=s:\xef\xbb\xbf\n{\"token\":1}",
	  "record{a=s:\xef\xbb\xbf\n{\"token\":\"****\"}}" },
	{ "a mark in a string of it, too", JSON BLOCK,
	  "a=s:[\"\\ufeff{\\\"token\\\":1}\"]",
	  "record{a=s:[\"\xef\xbb\xbf{\\\"token\\\":\\\"****\\\"}\"]}" },
	{ "what is quoted and no JSON is text", JSON BLOCK CARD,
	  "a=s:\"{x}\",4111 b=s:\"x\\n4111\" c=s:\"[1, d=s:\" e=s:\"\\",
	  "record{a=s:\"{x}\",**** b=s:\"x\\n****\" c=s:\"[1, d=s:\" "
	  "e=s:\"\\}" },
	{ "what is quoted and broken goes", JSON BLOCK,
	  "a=s:\"{\\\"token\" b=s:\"[{\\\"token\\\":1}] c=s:\"[x\" d=s:y",
	  "record{d=s:y}" },
	/* what breaks */
	{ "broken JSON goes", JSON BLOCK, "a=s:{\"token\":\"x b=s:y",
	  "record{b=s:y}" },
	{ "a second value", JSON BLOCK, "a=s:{}{\"token\":1} b=s:[1],",
	  "record{}" },
	{ "names without quotes", JSON BLOCK, "a=s:{token:1}", "record{}" },
	{ "whatever values are allowed", JSON "allowed_values: [ok]\n",
	  "a=s:{ok", "record{}" },
	/* keys */
	{ "only some attributes", ALL BLOCK
	  "structured_strings: {enabled: true, keys: ['^gen_ai[.]', x]}\n",
	  "gen_ai.input.messages=s:{\"token\":1} b=s:{\"token\":1} c=s:{bad "
	  "ax=s:{bad",
	  "record{gen_ai.input.messages=s:{\"token\":\"****\"} "
	  "b=s:{\"token\":1} c=s:{bad}" },
	/* levels */
	{ "not in maps, as the Collector does not look there", JSON BLOCK,
	  "a=m{b=j:[{\"token\":1}];}", "record{a=m{b=s:[{\"token\":1}]}}" },
	{ "in maps and lists with all levels", JSON BLOCK "levels: all\n",
	  "a=m{b=l[j:[{\"token\":1}];]}",
	  "record{a=m{b=l[s:[{\"token\":\"****\"}]]}}" },
	{ "broken there, it goes", JSON BLOCK "levels: all\n",
	  "a=m{b=s:{,c=l[s:{x,s:y]}", "record{a=m{c=l[s:y]}}" },
	/* summaries */
	{ "is told as masked, once", JSON BLOCK "summary: debug",
	  "a=s:[{\"token\":1},{\"token\":2}]",
	  "record{a=s:[{\"token\":\"****\"},{\"token\":\"****\"}] "
	  "redaction.masked.keys=s:a redaction.masked.count=i:1}" },
	{ "or as redacted", JSON BLOCK "summary: debug", "a=s:{",
	  "record{redaction.redacted.keys=s:a redaction.redacted.count=i:1}" },
};

/* --- Content ---------------------------------------------------------------------- */

#define CONTENT ALL "content: "

static const struct row content[] = {
	{ "kept", CONTENT "[{key: p, action: keep}]", "p=s:abc",
	  "record{p=s:abc}" },
	{ "kept before a pattern", CONTENT "[{key: p.name, action: keep}, "
	  "{pattern: ^p, action: drop}]", "p.name=s:abc p.text=s:abc",
	  "record{p.name=s:abc p.text.weir.length=i:3}" },
	{ "kept, values are looked at", CARD CONTENT
	  "[{key: p, action: keep}]", "p=s:4111", "record{p=s:****}" },
	{ "dropped", CONTENT "[{key: p, action: drop}]", "p=s:abcdef q=s:x",
	  "record{q=s:x p.weir.length=i:6}" },
	{ "with the number of its messages", CONTENT
	  "[{pattern: messages$, action: drop}]",
	  "gen_ai.input.messages=s:[{\"role\":\"user\"},{\"a\":[1,2]}]",
	  "record{gen_ai.input.messages.weir.length=i:29 "
	  "gen_ai.input.messages.weir.items=i:2}" },
	{ "a list, a map, a number, bytes", CONTENT
	  "[{pattern: ., action: drop}]", "l=l[s:x,s:y] m=m{k=s:x} i=i:55 y=y:abc",
	  "record{l.weir.length=i:9 l.weir.items=i:2 m.weir.length=i:9 "
	  "m.weir.items=i:1 i.weir.length=i:2 y.weir.length=i:3}" },
	{ "hashed with SHA-256", CONTENT "[{key: p, action: hash}]", "p=s:abc",
	  "record{p=s:" SHA256_ABC " p.weir.length=i:3}" },
	{ "or as the rest", "hash_function: md5\n" CONTENT
	  "[{key: p, action: hash}]", "p=s:abc",
	  "record{p=s:" MD5_ABC " p.weir.length=i:3}" },
	{ "masked, also where the rest is hashed", "hash_function: md5\n" CONTENT
	  "[{key: p, action: mask}]", "p=s:abc",
	  "record{p=s:**** p.weir.length=i:3}" },
	{ "short enough", CONTENT "[{key: p, action: truncate, max_length: 3}]",
	  "p=s:abc", "record{p=s:abc}" },
	{ "cut", CONTENT "[{key: p, action: truncate, max_length: 3}]",
	  "p=s:abcd", "record{p=s:abc p.weir.length=i:4}" },
	{ "between characters", CONTENT
	  "[{key: p, action: truncate, max_length: 3}]", "p=s:ab\xc3\xa9",
	  "record{p=s:ab p.weir.length=i:4}" },
	{ "behind the masks", CARD CONTENT
	  "[{key: p, action: truncate, max_length: 6}]", "p=s:abc4111",
	  "record{p=s:abc*** p.weir.length=i:7}" },
	{ "JSON stays JSON", CONTENT
	  "[{key: p, action: truncate, max_length: 20}]",
	  "p=s:[{\"c\":\"abcdefghijklmnop\"},{\"c\":\"x\"}]",
	  "record{p=s:[{\"c\":\"abcdefghij\"}] p.weir.length=i:36 "
	  "p.weir.items=i:2}" },
	{ "and is looked into before", JSON BLOCK
	  "content: [{key: p, action: truncate, max_length: 18}]",
	  "p=s:{\"token\":\"abcdefghijk\"}",
	  "record{p=s:{\"token\":\"****\"} p.weir.length=i:23 "
	  "p.weir.items=i:1}" },
	{ "broken, it goes", JSON
	  "content: [{key: p, action: truncate, max_length: 18}]",
	  "p=s:{\"token", "record{p.weir.length=i:7}" },
	{ "a list by its text", CARD CONTENT
	  "[{key: p, action: truncate, max_length: 9}]",
	  "p=l[s:4111,s:abcdef] ", "record{p=s:[\"****\"] p.weir.length=i:17 "
	  "p.weir.items=i:2}" },
	{ "a number has no beginning", CONTENT
	  "[{key: p, action: truncate, max_length: 1}]", "p=i:12345",
	  "record{p=i:12345}" },
	{ "bytes", CONTENT "[{key: p, action: truncate, max_length: 2}]",
	  "p=y:abcd", "record{p=y:ab p.weir.length=i:4}" },
	{ "sizes are no content", CONTENT "[{pattern: ^p, action: drop}]",
	  "p.weir.length=i:5 p.weir.items=i:2 q.weir.length=s:x",
	  "record{p.weir.length=i:5 p.weir.items=i:2 q.weir.length=s:x}" },
	{ "a size that is there is the newest", CONTENT
	  "[{key: p, action: drop}]", "p.weir.length=i:5 p=s:x",
	  "record{p.weir.length=i:1}" },
	{ "a blocked key is stronger", BLOCK CONTENT
	  "[{key: token, action: hash}]", "token=s:abc",
	  "record{token=s:****}" },
	{ "an allow-list, too", "allowed_keys: [p]\n"
	  "content: [{pattern: ., action: mask}]", "p=s:abc q=s:abc",
	  "record{p=s:**** p.weir.length=i:3}" },
	{ "is told in the summary", "summary: info\n" CONTENT
	  "[{key: p, action: drop}, {key: q, action: mask}]", "p=s:abc q=s:x",
	  "record{q=s:**** p.weir.length=i:3 q.weir.length=i:1 "
	  "redaction.redacted.count=i:1 redaction.masked.count=i:1}" },
	{ "inside of maps with all levels, the size told of the whole",
	  "levels: all\n"
	  CONTENT "[{key: p, action: mask}, {key: q, action: drop}]",
	  "m=m{p=s:abc,q=l[s:x],r=s:y} n=m{r=s:y}",
	  "record{m=m{p=s:****,r=s:y} n=m{r=s:y} m.weir.length=i:29 "
	  "m.weir.items=i:3}" },
	/* the other rules go first */
	{ "a map that is cut, its keys asked for before", "levels: all\n" BLOCK
	  CONTENT "[{key: p, action: truncate, max_length: 16}]",
	  "p=m{token=s:SECRET,z=s:abcdefghijk}",
	  "record{p=s:{\"token\":\"****\"} p.weir.length=i:36 p.weir."
	  "items=i:2}" },
	{ "if its inside is looked at", BLOCK
	  CONTENT "[{key: p, action: truncate, max_length: 16}]",
	  "p=m{token=s:SECRET,z=s:abcdefghijk}",
	  "record{p=s:{\"token\":\"SECR\"} p.weir.length=i:36 p.weir."
	  "items=i:2}" },
	{ "bytes in it as they are", "levels: all\n" CARD
	  CONTENT "[{key: p, action: truncate, max_length: 14}]",
	  "p=l[y:4111,y:abcdefghi]", "record{p=s:[\"KioqKg==\"] "
	  "p.weir.length=i:27 p.weir.items=i:2}" },
	{ "what a whole map shows, too", "levels: all\n" ALL
	  "blocked_values: ['\"a\":1,\"b\":2']\n"
	  "content: [{key: p, action: truncate, max_length: 14}]",
	  "p=m{a=i:1,b=i:2,c=s:x}", "record{p=s:{****,\"c\":\"x\"} "
	  "p.weir.length=i:21 p.weir.items=i:3}" },
	{ "one that is allowed is cut as well", "levels: all\n" BLOCK
	  "allowed_values: [ok]\n"
	  CONTENT "[{key: p, action: truncate, max_length: 16}]",
	  "p=m{token=s:SECRET,z=s:okokokokokokoko}",
	  "record{p=s:{\"token\":\"****\"} p.weir.length=i:40 p.weir."
	  "items=i:2}" },
	{ "maps in maps", "levels: all\n" BLOCK
	  CONTENT "[{key: p, action: truncate, max_length: 16}]",
	  "m=l[m{p=m{p=m{token=s:SECRET},z=s:abcdefghijk},q=m{p=l[s:x]}}]",
	  "record{m=l[m{p=s:{\"p\":{}},q=m{p=l[s:x]}}] m.weir.length="
	  "i:66 m.weir.items=i:1}" },
	{ "hashed as the other rules leave it", CARD
	  CONTENT "[{key: p, action: hash}]", "p=s:4111",
	  "record{p=s:" SHA256_STARS " p.weir.length=i:4}" },
	{ "a map, too", "levels: all\n" BLOCK
	  CONTENT "[{key: p, action: hash}]", "p=m{token=s:4111} "
	  "m=m{p=m{token=s:x}}",
	  "record{p=s:" SHA256_MAP " m=m{p=s:" SHA256_MAP "} p.weir.length=i:16 "
	  "p.weir.items=i:1 m.weir.length=i:19 m.weir.items=i:1}" },
};

/* --- Content in JSON --------------------------------------------------------- */

#define IN_JSON(rules) JSON BLOCK "content: [" rules "]\n"

static const struct row inside[] = {
	{ "kept", IN_JSON("{key: p, action: keep}"), "a=s:{\"p\":\"abc\"}",
	  "record{a=s:{\"p\":\"abc\"}}" },
	{ "dropped, at any depth", IN_JSON("{pattern: ^p, action: drop}"),
	  "a=s:[{\"p\":\"abc\",\"r\":1,\"x\":{\"p2\":[1]}}]",
	  "record{a=s:[{\"r\":1,\"x\":{}}] a.weir.length=i:34 a.weir."
	  "items=i:1}" },
	{ "sizes only where something went", IN_JSON("{key: p, action: drop}"),
	  "a=s:[\"p\"] b=s:{\"q\":1}",
	  "record{a=s:[\"p\"] b=s:{\"q\":1}}" },
	{ "masked, whatever it is", IN_JSON("{key: p, action: mask}"),
	  "a=s:[{\"p\":\"abc\"},{\"p\":{\"x\":[1]}},{\"p\":5,\"q\":null}]",
	  "record{a=s:[{\"p\":\"****\"},{\"p\":\"****\"},{\"p\":\"***"
	  "*\",\"q\":null}] a.weir.length=i:46 a.weir.items=i:3}" },
	{ "hashed", IN_JSON("{key: p, action: hash}"),
	  "a=s:{\"p\":\"abc\"}", "record{a=s:{\"p\":\"" SHA256_ABC "\"} "
	  "a.weir.length=i:11 a.weir.items=i:1}" },
	{ "as the other rules leave it", CARD
	  IN_JSON("{key: p, action: hash}"),
	  "a=s:[{\"p\":\"4111\"},{\"p\":{\"token\":\"x\"}}]",
	  "record{a=s:[{\"p\":\"" SHA256_STARS "\"},{\"p\":\"" SHA256_MAP
	  "\"}] a.weir.length=i:34 a.weir.items=i:2}" },
	{ "a number and a word by their texts",
	  IN_JSON("{key: p, action: hash}"), "a=s:[{\"p\":1},{\"p\":true}]",
	  "record{a=s:[{\"p\":\"" SHA256_1 "\"},{\"p\":\"" SHA256_TRUE
	  "\"}] a.weir.length=i:20 a.weir.items=i:2}" },
	{ "cut", IN_JSON("{key: p, action: truncate, max_length: 3}"),
	  "a=s:{\"p\":\"ab\\u0063d\",\"q\":\"abcd\"}",
	  "record{a=s:{\"p\":\"abc\",\"q\":\"abcd\"} a.weir.length=i:"
	  "28 a.weir.items=i:2}" },
	{ "short enough", CARD
	  IN_JSON("{key: p, action: truncate, max_length: 9}"),
	  "a=s:{\"p\":\"abc4111\"} b=s:{\"p\":{\"q\":12}} c=s:{\"p\":123} "
	  "d=s:{\"p\":\"abc\"}",
	  "record{a=s:{\"p\":\"abc****\"} b=s:{\"p\":{\"q\":12}} "
	  "c=s:{\"p\":123} d=s:{\"p\":\"abc\"}}" },
	{ "an object stays one", IN_JSON(
	  "{key: p, action: truncate, max_length: 20}"),
	  "a=s:{\"p\":{\"token\":\"SECRET\",\"q\":[1,2,3]},\"r\":2}",
	  "record{a=s:{\"p\":{\"token\":\"****\"},\"r\":2} a.weir.len"
	  "gth=i:42 a.weir.items=i:2}" },
	{ "an array with no room for it", IN_JSON(
	  "{key: p, action: truncate, max_length: 1}"), "a=s:{\"p\":[1,2]}",
	  "record{a=s:{\"p\":\"\"} a.weir.length=i:11 a.weir.items=i:1}" },
	{ "content in short content", IN_JSON(
	  "{key: p, action: truncate, max_length: 20}, "
	  "{key: q, action: truncate, max_length: 2}"),
	  "a=s:{\"p\":{\"p\":[\"x\"],\"q\":\"abc\"},\"q\":[\"y\"]}",
	  "record{a=s:{\"p\":{\"p\":[\"x\"],\"q\":\"ab\"},\"q\":[]} a"
	  ".weir.length=i:37 a.weir.items=i:2}" },
	{ "JSON in JSON", IN_JSON("{key: p, action: drop}"),
	  "a=s:{\"x\":\"{\\\"p\\\":1,\\\"q\\\":2}\"}",
	  "record{a=s:{\"x\":\"{\\\"q\\\":2}\"} a.weir.length=i:25 a."
	  "weir.items=i:1}" },
	{ "JSON that is cut", IN_JSON(
	  "{key: p, action: truncate, max_length: 16}"),
	  "a=s:{\"p\":\"{\\\"token\\\":\\\"SECRET\\\"}\"}",
	  "record{a=s:{\"p\":\"{\\\"token\\\":\\\"****\\\"}\"}}" },
	{ "broken in it, it goes", IN_JSON(
	  "{key: p, action: truncate, max_length: 16}"),
	  "a=s:{\"p\":\"{x\",\"q\":1}", "record{a=s:{\"q\":1} "
	  "a.weir.length=i:16 a.weir.items=i:2}" },
	{ "a blocked key is stronger", IN_JSON("{key: token, action: drop}"),
	  "a=s:{\"token\":1}", "record{a=s:{\"token\":\"****\"}}" },
	{ "a count of tokens is no content of a pattern", IN_JSON("{pattern: prompt, action: drop}"),
	  "a=s:{\"prompt_tokens\":5,\"prompt\":\"x\"}",
	  "record{a=s:{\"prompt_tokens\":5} a.weir.length=i:32 "
	  "a.weir.items=i:2}" },
	{ "in a map", "levels: all\n" IN_JSON("{key: p, action: mask}"),
	  "m=m{x=j:{\"p\":\"abc\"};}",
	  "record{m=m{x=s:{\"p\":\"****\"}} m.weir.length=i:23 "
	  "m.weir.items=i:1}" },
};

/* --- Safe keys --------------------------------------------------------------------- */

#define TOKENS "blocked_key_patterns: ['.*token.*', usage]\n"
#define USED "levels: all\n"

static const struct row safe[] = {
	{ "not as long as no key of ours is used", ALL TOKENS,
	  "prompt_tokens=i:5", "record{prompt_tokens=s:****}" },
	{ "counts of tokens", ALL TOKENS USED,
	  "gen_ai.usage.input_tokens=i:5 gen_ai.token.type=s:input "
	  "prompt_tokens=i:7 llm.token_count.prompt=d:8 total_tokens_x=i:1",
	  "record{gen_ai.usage.input_tokens=i:5 gen_ai.token.type=s:input "
	  "prompt_tokens=i:7 llm.token_count.prompt=d:8 "
	  "total_tokens_x=s:****}" },
	{ "if they are numbers", ALL TOKENS USED,
	  "my_tokens=s:abc token_count=y:abc gen_ai.usage.x=s:y",
	  "record{my_tokens=s:**** token_count=s:**** gen_ai.usage.x=s:y}" },
	{ "by the whole key", ALL TOKENS USED,
	  "my.gen_ai.usage.x=s:y gen_ai.usage.=s:y gen_ai.token.types=s:y "
	  "genXai.usage.x=s:y", "record{my.gen_ai.usage.x=s:**** "
	  "gen_ai.usage.=s:**** gen_ai.token.types=s:**** "
	  "genXai.usage.x=s:****}" },
	{ "not from a rule for just that key", ALL
	  "blocked_key_patterns: ['.*token.*', '^(gen_ai.x|prompt_tokens)$', "
	  "'^gen_ai\\.usage\\.input_tokens$']\n" USED,
	  "prompt_tokens=i:5 gen_ai.usage.input_tokens=i:6 output_tokens=i:7",
	  "record{prompt_tokens=i:5 gen_ai.usage.input_tokens=s:**** "
	  "output_tokens=i:7}" },
	{ "from an allow-list", "allowed_keys: [a]\n" USED,
	  "a=s:1 b=s:2 gen_ai.usage.cost=d:1 gen_ai.token.type=s:output "
	  "output_tokens=i:7", "record{a=s:1 gen_ai.usage.cost=d:1 "
	  "gen_ai.token.type=s:output output_tokens=i:7}" },
	{ "from value patterns", ALL USED "redact_all_types: true\n" CARD,
	  "prompt_tokens=i:4111 n=i:4111",
	  "record{prompt_tokens=i:4111 n=s:****}" },
	{ "but what is no number is looked at", ALL USED CARD,
	  "gen_ai.usage.note=s:4111", "record{gen_ai.usage.note=s:****}" },
	{ "from patterns of content", USED ALL
	  "content: [{pattern: ^gen_ai, action: drop}]",
	  "gen_ai.usage.input_tokens=i:5 gen_ai.prompt=s:x",
	  "record{gen_ai.usage.input_tokens=i:5 gen_ai.prompt.weir.length=i:1}" },
	{ "not from its key", ALL
	  "content: [{key: gen_ai.usage.input_tokens, action: drop}]",
	  "gen_ai.usage.input_tokens=i:5",
	  "record{gen_ai.usage.input_tokens.weir.length=i:1}" },
	{ "a list of own replaces that", ALL TOKENS "safe_keys: ['^my']",
	  "my_token=s:x prompt_tokens=i:5 myself=s:y",
	  "record{my_token=s:x prompt_tokens=s:**** myself=s:y}" },
	{ "inside of maps", ALL TOKENS USED,
	  "m=m{usage=i:1,x=m{prompt_tokens=i:5,token=s:x}}",
	  "record{m=m{usage=s:****,x=m{prompt_tokens=i:5,token=s:****}}}" },
	{ "inside of JSON", JSON TOKENS,
	  "a=s:{\"u\":{\"prompt_tokens\":5,\"token\":1,\"in_tokens\":\"x\"}}",
	  "record{a=s:{\"u\":{\"prompt_tokens\":5,\"token\":\"****\","
	  "\"in_tokens\":\"****\"}}}" },
	{ "a safe number in JSON is not looked at", JSON CARD,
	  "a=s:{\"prompt_tokens\":4111,\"n\":4111}",
	  "record{a=s:{\"prompt_tokens\":4111,\"n\":\"****\"}}" },
};

/* --- Detectors ---------------------------------------------------------------------- */

#define FIND ALL "detectors: [email, payment_card, credentials]\n"
/* Stand for secrets; what each detector finds has tests of its own. */
#define MAIL "bob@mail.example"
#define NUMBER "4111111111111111"

static const struct row detectors[] = {
	{ "masks what is found", FIND, "a=s:to:" MAIL "," MAIL " b=s:x",
	  "record{a=s:to:****,**** b=s:x}" },
	{ "or hashes it", FIND "hash_function: md5", "a=s:" MAIL,
	  "record{a=s:a4ca9ca4efb0467f0370b8f7939415ba}" },
	{ "only what is asked for", ALL "detectors: [iban]\n", "a=s:" MAIL,
	  "record{a=s:" MAIL "}" },
	{ "not allowed values", FIND "allowed_values: ['@mail']", "a=s:" MAIL,
	  "record{a=s:" MAIL "}" },
	{ "what a pattern hits in it does not hide it", FIND
	  "blocked_values: ['bob@', 'mail', 'e$', '11$']",
	  "a=s:" MAIL " b=s:x," MAIL ",e c=s:mail d=s:mail,4111-1111-1111-1111",
	  "record{a=s:**** b=s:x,****,**** c=s:**** d=s:****,****}" },
	{ "nor what ends or begins in it", FIND
	  "blocked_values: ['to:bob', 'example,.']", "a=s:to:" MAIL ",x,y",
	  "record{a=s:****,y}" },
	{ "nor two of them from each other", FIND "blocked_values: [ple.4111]",
	  "a=s:" MAIL ",4111111111111111,z", "record{a=s:****,z}" },
	{ "nor it what a pattern knows by it", FIND
	  "blocked_values: ['@mail.example;code=[0-9]+']",
	  "a=s:" MAIL ";code=12 b=s:" MAIL, "record{a=s:**** b=s:****}" },
	{ "nor what shrinks or grows before it", FIND
	  "blocked_values: ['A+', ',']", "a=s:AAAAAAAA," MAIL ",x",
	  "record{a=s:****************x}" },
	{ "numbers only when asked to", FIND, "a=i:" NUMBER,
	  "record{a=i:" NUMBER "}" },
	{ "then also those", FIND "redact_all_types: true", "a=i:" NUMBER,
	  "record{a=s:****}" },
	{ "bytes with all levels", FIND "levels: all\n",
	  "a=y:x:" MAIL ":y b=l[y:" MAIL "]",
	  "record{a=y:x:****:y b=l[y:****]}" },
	{ "JSON as text", FIND, "a=s:{\"m\":\"" MAIL "\"}",
	  "record{a=s:{\"m\":\"****\"}}" },
	{ "strings of JSON", FIND "structured_strings: {enabled: true}",
	  "a=s:{\"m\":[\"" MAIL "\",\"" "bob\\u0040mail.example\"],\"" MAIL
	  "\":" NUMBER "}",
	  "record{a=s:{\"m\":[\"****\",\"****\"],\"****\":\"****\"}}" },
	{ "what is known by its name, also in JSON", FIND
	  "structured_strings: {enabled: true}",
	  "a=s:{\"password\":\"hunter2x9\",\"pass\\u0077ord\":\"hunter2x9\","
	  "\"b\":\"hunter2x9\"} b=s:password=hunter2x9",
	  "record{a=s:{\"password\":\"****\",\"pass\\u0077ord\":\"****\","
	  "\"b\":\"hunter2x9\"} b=s:password=****}" },
	{ "is told as masked", FIND "summary: debug", "a=s:" MAIL,
	  "record{a=s:**** redaction.masked.keys=s:a "
	  "redaction.masked.count=i:1}" },
	{ "content that is cut is looked at before", FIND
	  "content: [{key: a, action: truncate, max_length: 6}]",
	  "a=s:x," MAIL, "record{a=s:x,**** a.weir.length=i:18}" },
	{ "counts stay", FIND "redact_all_types: true",
	  "gen_ai.usage.input_tokens=i:" NUMBER,
	  "record{gen_ai.usage.input_tokens=i:" NUMBER "}" },
};

static void run(const struct row *row)
{
	static const enum weir_signal signals[] = {
		WEIR_SIGNAL_TRACES, WEIR_SIGNAL_LOGS, WEIR_SIGNAL_METRICS,
	};
	struct request r = { .record = row->record };

	for (size_t i = 0; i < 3; i++)
		expect_case("redaction", row->yaml, signals[i], &r, row->want);
}

START_TEST(redacts_json_in_strings)
{
	run(&structured[_i]);
}
END_TEST

START_TEST(masks_what_detectors_find)
{
	run(&detectors[_i]);
}
END_TEST

START_TEST(lets_leave_of_content_what_it_should)
{
	run(&content[_i]);
}
END_TEST

START_TEST(takes_content_that_is_in_json)
{
	run(&inside[_i]);
}
END_TEST

START_TEST(spares_counts_of_tokens)
{
	run(&safe[_i]);
}
END_TEST

/* --- Bodies and texts ------------------------------------------------------------------ */

static const struct {
	const char *why, *yaml, *body, *want;
} bodies[] = {
	{ "a body of JSON", JSON BLOCK, "s:{ \"token\" : \"x\" , \"b\" : 1 }",
	  "record{} body=s:{ \"token\" : \"****\" , \"b\" : 1 }" },
	{ "by its name", ALL BLOCK
	  "structured_strings: {enabled: true, keys: [^body$]}", "s:[{\"token\":1}]",
	  "record{} body=s:[{\"token\":\"****\"}]" },
	{ "not by that of another", ALL BLOCK
	  "structured_strings: {enabled: true, keys: [^gen]}", "s:[{\"token\":1}]",
	  "record{} body=s:[{\"token\":1}]" },
	{ "in a map", JSON BLOCK, "m{arguments=j:{\"token\":1};}",
	  "record{} body=m{arguments=s:{\"token\":\"****\"}}" },
	{ "there by the entry's name", ALL BLOCK "structured_strings: {enabled: "
	  "true, keys: [^arguments$]}", "m{arguments=j:{\"token\":1};,x=j:{x;}",
	  "record{} body=m{arguments=s:{\"token\":\"****\"},x=s:{x}" },
	{ "a broken one goes", JSON BLOCK "summary: debug", "s:[INFO] token=5",
	  "record{redaction.body.redacted.keys=s:body "
	  "redaction.body.redacted.count=i:1} body=e:" },
	{ "content", CONTENT "[{key: body, action: drop}]", "s:a prompt",
	  "record{body.weir.length=i:8} body=e:" },
	{ "a map of content", CONTENT
	  "[{key: body, action: truncate, max_length: 12}]", "m{a=s:abcdef}",
	  "record{body.weir.length=i:14 body.weir.items=i:1} "
	  "body=s:{\"a\":\"abcd\"}" },
	{ "content in a map", CONTENT "[{key: content, action: mask}]",
	  "m{content=s:abc,role=s:user}",
	  "record{body.weir.length=i:31 body.weir.items=i:2} "
	  "body=m{content=s:****,role=s:user}" },
	{ "content in a body of JSON", JSON "content: "
	  "[{key: content, action: drop}]",
	  "s:{\"role\":\"user\",\"content\":\"abc\"}",
	  "record{body.weir.length=i:31 body.weir.items=i:2} "
	  "body=s:{\"role\":\"user\"}" },
	{ "a body that is cut, its keys asked for before", BLOCK CONTENT
	  "[{key: body, action: truncate, max_length: 16}]",
	  "m{token=s:SECRET,z=s:abcdefghijk}",
	  "record{body.weir.length=i:36 body.weir.items=i:2} body=s:{"
	  "\"token\":\"****\"}" },
	{ "numbers in it are looked at", CARD CONTENT
	  "[{key: body, action: truncate, max_length: 12}]",
	  "m{a=i:4111,z=s:abcdefghijk}",
	  "record{body.weir.length=i:28 body.weir.items=i:2} "
	  "body=s:{\"a\":\"****\"}" },
	{ "no body, no content", CONTENT "[{key: body, action: drop}]", NULL,
	  "record{}" },
};

START_TEST(redacts_bodies)
{
	struct request r = { .body = bodies[_i].body };

	expect_case("redaction", bodies[_i].yaml, WEIR_SIGNAL_LOGS, &r,
		    bodies[_i].want);
}
END_TEST

START_TEST(redacts_json_in_text_fields)
{
	struct request r = { .record = "a=s:1", .name = "{\"token\":1}",
			     .status = "{broken", .trace_state = "k=v" };

	expect_case("redaction", JSON BLOCK "levels: all\n", WEIR_SIGNAL_TRACES,
		    &r, "record{a=s:1} name={\"token\":\"****\"} trace_state=k=v");
}
END_TEST

/* --- Limits ------------------------------------------------------------------------------ */

/* One span with one attribute: does it stay, and what was counted? */
static void expect_big(const char *yaml, weir_str value, bool stays,
		       double removed)
{
	struct weir_error error = { .text = "" };
	struct weir_test *t = weir_test_open(plugin_path("redaction"), yaml,
					     WEIR_TRACES, &error);
	struct weir_text text[2] = { { 0 } };
	struct weir_outcome outcome;

	ck_assert_msg(t != NULL, "%s: %s", yaml, error.text);
	ck_assert(!weir_test_start(t, &error));
	/* from the value outwards: string, value behind a key, attribute... */
	weir_text_add(&text[0], value);
	for (unsigned i = 0; i < 6; i++) {
		struct weir_text *from = &text[i & 1], *to = &text[!(i & 1)];
		static const uint8_t wrap[] = { 0x0a, 0x12, 0x4a, 0x12, 0x12,
						0x0a };
		struct bytes head = { .len = 0 };

		weir_text_clear(to);
		if (i == 1)
			weir_text_add(to, WEIR_STR("\x0a\x01k"));
		put_byte(&head, wrap[i]);
		put_varint(&head, from->len);
		weir_text_add(to, (weir_str){ (char *)head.v, head.len });
		weir_text_add(to, (weir_str){ from->ptr, from->len });
	}
	ck_assert_int_ge(weir_test_send(t, WEIR_SIGNAL_TRACES, text[0].ptr,
					text[0].len, &outcome), 0);
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	ck_assert(stays == (weir_test_bytes(t, 0).len == text[0].len));
	/* of JSON in JSON only the innermost goes */
	ck_assert_uint_lt(stays ? 0 : weir_test_bytes(t, 0).len, 300);
	ck_assert_double_eq(weir_test_metric(t, "weir_redaction_removed"),
			    removed);
	weir_text_release(&text[0]);
	weir_text_release(&text[1]);
	weir_test_stop(t);
	ck_assert(!weir_test_close(&t, &error));
}

static void fill(struct weir_text *text, const char *with, size_t n)
{
	for (size_t i = 0; i < n; i++)
		weir_text_add(text, weir_str_of(with));
}

START_TEST(removes_what_is_too_large_or_too_deep)
{
	struct weir_text text = { 0 };
	static const size_t limit = 4 << 20;
	char *quoted, *next;

	fill(&text, " ", limit - 2);
	weir_text_addf(&text, "{}");
	expect_big(JSON, (weir_str){ text.ptr, text.len }, true, -1);
	weir_text_addf(&text, " ");
	expect_big(JSON, (weir_str){ text.ptr, text.len }, false, 1);

	weir_text_clear(&text);
	fill(&text, "[", 200);
	fill(&text, "]", 200);
	expect_big(JSON, (weir_str){ text.ptr, text.len }, true, -1);
	weir_text_clear(&text);
	fill(&text, "[", 201);
	fill(&text, "]", 201);
	expect_big(JSON, (weir_str){ text.ptr, text.len }, false, 1);
	weir_text_release(&text);

	/* JSON in JSON: eight texts are looked into, a ninth is not */
	quoted = strdup("[]");
	for (unsigned nested = 2; nested <= 9; nested++) {
		struct weir_text more = { 0 };

		weir_text_addf(&more, "[\"");
		weir_text_add_json(&more, weir_str_of(quoted));
		weir_text_addf(&more, "\"]");
		weir_text_add(&more, (weir_str){ "", 1 });
		next = more.ptr;
		free(quoted);
		quoted = next;
		expect_big(JSON, weir_str_of(quoted), nested < 9,
			   nested < 9 ? -1 : 1);
	}
	free(quoted);
}
END_TEST

/* --- What is refused ---------------------------------------------------------------------- */

static const struct {
	const char *yaml, *path, *sentence;
} refused[] = {
	{ "content: [{key: a, action: lose}]", "content[0].action", NULL },
	{ "content: [{key: a}]", "content[0]", NULL },
	{ "content: [{key: a, action: keep}, {action: drop}]", "content[1]",
	  "needs either key or pattern" },
	{ "content: [{key: a, pattern: b, action: drop}]", "content[0]",
	  "needs either key or pattern" },
	{ "content: [{key: a, action: truncate}]", "content[0]",
	  "truncate needs max_length" },
	{ "content: [{key: a, action: hash, max_length: 5}]", "content[0]",
	  "max_length goes with truncate only" },
	{ "content: [{pattern: 'b(', action: drop}]", "content[0].pattern",
	  "error parsing regexp: missing closing ): `b(`" },
	{ "detectors: [email, ibam]", "detectors[1]", NULL },
	{ "safe_keys: ['b(']", "safe_keys[0]", NULL },
	{ "structured_strings: {enabled: true, keys: ['b(']}",
	  "structured_strings.keys[0]", NULL },
};

START_TEST(refuses)
{
	struct weir_error error = { .text = "" };

	if (refused[_i].sentence) {
		expect_refused("redaction", refused[_i].yaml, WEIR_TRACES,
			       refused[_i].path, refused[_i].sentence);
		return;
	}
	ck_assert(!weir_test_open(plugin_path("redaction"), refused[_i].yaml,
				  WEIR_TRACES, &error));
	ck_assert_msg(strstr(error.path, refused[_i].path) != NULL,
		      "path %s: %s", error.path, error.text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/redaction, our keys");
	TCase *c = tcase_create("redaction");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(c, 60);
	EACH(redacts_json_in_strings, structured);
	EACH(masks_what_detectors_find, detectors);
	EACH(lets_leave_of_content_what_it_should, content);
	EACH(takes_content_that_is_in_json, inside);
	EACH(spares_counts_of_tokens, safe);
	EACH(redacts_bodies, bodies);
	EACH(refuses, refused);
	tcase_add_test(c, redacts_json_in_text_fields);
	tcase_add_test(c, removes_what_is_too_large_or_too_deep);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
