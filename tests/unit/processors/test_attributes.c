/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attributes processor: every action, every source, include and exclude.
 * The rows were compared with the Collector; where we differ the reason says
 * so.
 */
#include "attr_case.h"

#define ACTIONS(list) "actions: [" list "]"
#define SHA_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"

static const struct {
	const char *why, *yaml, *record, *want;
} actions[] = {
	{ "insert adds", ACTIONS("{key: k, value: v, action: insert}"),
	  "a=s:1", "record{a=s:1 k=s:v}" },
	{ "insert leaves what is there",
	  ACTIONS("{key: a, value: v, action: insert}"), "a=s:1",
	  "record{a=s:1}" },
	{ "insert into an empty list",
	  ACTIONS("{key: k, value: v, action: insert}"), "",
	  "record{k=s:v}" },
	{ "update changes in place",
	  ACTIONS("{key: a, value: 5, action: update}"), "a=s:1 b=s:2",
	  "record{a=i:5 b=s:2}" },
	{ "update adds nothing",
	  ACTIONS("{key: k, value: 5, action: update}"), "a=s:1",
	  "record{a=s:1}" },
	{ "upsert does both", ACTIONS("{key: a, value: true, action: upsert},"
	  "{key: k, value: 1.5, action: UPSERT}"), "a=s:1",
	  "record{a=b:1 k=d:1.5}" },
	{ "a value may be a map or a list",
	  ACTIONS("{key: k, value: {x: 1, y: [a, true]}, action: insert}"),
	  "a=s:1", "record{a=s:1 k=m{x=i:1,y=l[s:a,b:1]}}" },
	{ "quotes make a string",
	  ACTIONS("{key: k, value: \"5\", action: insert}"), "",
	  "record{k=s:5}" },
	{ "an empty string is a value",
	  ACTIONS("{key: k, value: \"\", action: insert}"), "",
	  "record{k=s:}" },
	{ "a copy keeps the type",
	  ACTIONS("{key: k, from_attribute: a, action: insert}"),
	  "a=m{x=i:1}", "record{a=m{x=i:1} k=m{x=i:1}}" },
	{ "no source, no action",
	  ACTIONS("{key: k, from_attribute: z, action: upsert}"), "a=s:1",
	  "record{a=s:1}" },
	{ "the default stands in", ACTIONS("{key: k, from_attribute: z, "
	  "default_value: 7, action: upsert}"), "a=s:1",
	  "record{a=s:1 k=i:7}" },
	{ "a default alone", ACTIONS("{key: k, default_value: d, "
	  "action: insert}"), "", "record{k=s:d}" },
	{ "the address has no port", ACTIONS("{key: k, from_context: "
	  "client.address, action: insert}"), "", "record{k=s:192.0.2.1}" },
	{ "metadata is joined", ACTIONS("{key: k, from_context: "
	  "metadata.X-Tenant, action: insert}"), "", "record{k=s:acme;b}" },
	{ "metadata without the word", ACTIONS("{key: k, from_context: "
	  "x-tenant, action: insert}"), "", "record{k=s:acme;b}" },
	{ "no such metadata", ACTIONS("{key: k, from_context: "
	  "metadata.nope, action: insert}"), "a=s:1", "record{a=s:1}" },
	{ "nobody was authenticated", ACTIONS("{key: k, from_context: "
	  "auth.subject, default_value: anon, action: insert}"), "",
	  "record{k=s:anon}" },
	{ "delete", ACTIONS("{key: a, action: delete}"), "a=s:1 b=s:2",
	  "record{b=s:2}" },
	{ "delete takes every copy (ours)",
	  ACTIONS("{key: a, action: delete}"), "a=s:1 b=s:2 a=s:3",
	  "record{b=s:2}" },
	{ "delete by pattern, unanchored",
	  ACTIONS("{pattern: oken, action: delete}"),
	  "token=s:1 b=s:2 my_tokens=i:3", "record{b=s:2}" },
	{ "delete by words",
	  ACTIONS("{pattern: ^(a|c)$, action: delete}"),
	  "a=s:1 b=s:2 c=i:3 ac=i:4", "record{b=s:2 ac=i:4}" },
	{ "delete by key and pattern",
	  ACTIONS("{key: b, pattern: \"^a+$\", action: delete}"),
	  "aa=s:1 b=s:2 c=i:3", "record{c=i:3}" },
	{ "a pattern alone also deletes the empty key",
	  ACTIONS("{pattern: ^zz$, action: delete}"), "=s:1 b=s:2",
	  "record{b=s:2}" },
	{ "hash of a string", ACTIONS("{key: a, action: hash}"), "a=s:a",
	  "record{a=s:" SHA_A "}" },
	{ "hash of an int", ACTIONS("{key: a, action: hash}"), "a=i:1",
	  "record{a=s:7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf33"
	  "1820f4b8}" },
	{ "hash of a double", ACTIONS("{key: a, action: hash}"), "a=d:1.5",
	  "record{a=s:e163f8cb0f7067a7fc78ca859a77f849aea3214f38fb75b884e4a16b"
	  "e725c905}" },
	{ "hash of a bool", ACTIONS("{key: a, action: hash}"), "a=b:1",
	  "record{a=s:4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c"
	  "7785459a}" },
	{ "hash of anything else is empty", ACTIONS("{key: a, action: hash},"
	  "{key: b, action: hash}"), "a=y:x b=m{k=i:1}",
	  "record{a=s: b=s:}" },
	{ "hash by pattern", ACTIONS("{pattern: \"a.?\", action: hash}"),
	  "a=s:a b=s:a", "record{a=s:" SHA_A " b=s:a}" },
	{ "hashed twice when key and pattern name it",
	  ACTIONS("{key: a, pattern: a, action: hash}"), "a=s:a",
	  "record{a=s:da3811154d59c4267077ddd8bb768fa9b06399c486e1fc00485116b5"
	  "7c9872f5}" },
	{ "extract", ACTIONS("{key: u, pattern: "
	  "'^/api/(?P<version>v\\d+)/(?<what>\\w+)', action: extract}"),
	  "u=s:/api/v1/users", "record{u=s:/api/v1/users version=s:v1 "
	  "what=s:users}" },
	{ "extract overwrites", ACTIONS("{key: u, pattern: "
	  "'(?P<u>\\d+)', action: extract}"), "u=s:x12y",
	  "record{u=s:12}" },
	{ "a group that took no part is empty", ACTIONS("{key: u, pattern: "
	  "'x(?P<a>a)?(?P<b>b)?', action: extract}"), "u=s:xb",
	  "record{u=s:xb a=s: b=s:b}" },
	{ "extract without a match", ACTIONS("{key: u, pattern: "
	  "'(?P<a>z)', action: extract}"), "u=s:xb", "record{u=s:xb}" },
	{ "extract from strings only", ACTIONS("{key: u, pattern: "
	  "'(?P<a>.*)', action: extract}"), "u=i:5", "record{u=i:5}" },
	{ "int of a string", ACTIONS("{key: a, action: convert, "
	  "converted_type: int}"), "a=s:-12", "record{a=i:-12}" },
	{ "int of a string that is none", ACTIONS("{key: a, action: convert, "
	  "converted_type: int}"), "a=s:1.0", "record{a=s:1.0}" },
	{ "int of a double is cut", ACTIONS("{key: a, action: convert, "
	  "converted_type: int}"), "a=d:-2.9", "record{a=i:-2}" },
	{ "int of a bool", ACTIONS("{key: a, action: convert, "
	  "converted_type: int}"), "a=b:1", "record{a=i:1}" },
	{ "int of a double beyond", ACTIONS("{key: a, action: convert, "
	  "converted_type: int}"), "a=d:1e300",
	  "record{a=i:-9223372036854775808}" },
	{ "int of bytes stays", ACTIONS("{key: a, action: convert, "
	  "converted_type: int}"), "a=y:1", "record{a=y:1}" },
	{ "double of a string", ACTIONS("{key: a, action: convert, "
	  "converted_type: double}"), "a=s:0x1p-2", "record{a=d:0.25}" },
	{ "double of an int", ACTIONS("{key: a, action: convert, "
	  "converted_type: double}"), "a=i:3", "record{a=d:3}" },
	{ "double too large stays", ACTIONS("{key: a, action: convert, "
	  "converted_type: double}"), "a=s:1e400", "record{a=s:1e400}" },
	{ "string of a double", ACTIONS("{key: a, action: convert, "
	  "converted_type: string}"), "a=d:1e21", "record{a=s:1e+21}" },
	{ "string of bytes", ACTIONS("{key: a, action: convert, "
	  "converted_type: string}"), "a=y:ab", "record{a=s:YWI=}" },
	{ "string of a map", ACTIONS("{key: a, action: convert, "
	  "converted_type: string}"), "a=m{b=i:1,a=l[b:0,e:]}",
	  "record{a=s:{\"a\":[false,null],\"b\":1}}" },
	{ "string of nothing", ACTIONS("{key: a, action: convert, "
	  "converted_type: string}"), "a=e:", "record{a=s:}" },
	{ "actions see what those before did",
	  ACTIONS("{key: a, action: delete}, {key: a, value: x, "
	  "action: insert}"), "a=s:1 b=s:2", "record{b=s:2 a=s:x}" },
};

START_TEST(acts)
{
	static const enum weir_signal signals[] = {
		WEIR_SIGNAL_TRACES, WEIR_SIGNAL_LOGS, WEIR_SIGNAL_METRICS,
	};
	struct request r = { .record = actions[_i].record };

	for (size_t i = 0; i < 3; i++)
		expect_case("attributes", actions[_i].yaml, signals[i], &r,
			    actions[_i].want);
}
END_TEST

START_TEST(leaves_everything_else_alone)
{
	struct request r = { .resource = "a=s:1", .scope = "a=s:2",
			     .record = "a=s:3", .event = "a=s:4",
			     .link = "a=s:5", .name = "a" };

	expect_case("attributes", ACTIONS("{key: a, action: delete}"),
		    WEIR_SIGNAL_TRACES, &r, "resource{a=s:1} scope{a=s:2} "
		    "record{} name=a event{a=s:4} link{a=s:5}");
}
END_TEST

/* --- include and exclude --------------------------------------------------------- */

static const struct {
	const char *why, *yaml;
	enum weir_signal signal;
	struct request r;
	bool acts;
} chosen[] = {
	{ "a service", "include: {match_type: strict, services: [x, shop]}",
	  WEIR_SIGNAL_TRACES, { .resource = "service.name=s:shop" }, true },
	{ "another service", "include: {match_type: strict, services: [x]}",
	  WEIR_SIGNAL_TRACES, { .resource = "service.name=s:shop" }, false },
	{ "a service without name",
	  "include: {match_type: strict, services: [<nil-service-name>]}",
	  WEIR_SIGNAL_TRACES, { .name = "x" }, true },
	{ "a service that is a number",
	  "include: {match_type: regexp, services: ['^4']}",
	  WEIR_SIGNAL_TRACES, { .resource = "service.name=i:42" }, true },
	{ "exclude a service", "exclude: {match_type: regexp, services: [ho]}",
	  WEIR_SIGNAL_TRACES, { .resource = "service.name=s:shop" }, false },
	{ "exclude another", "exclude: {match_type: strict, services: [ho]}",
	  WEIR_SIGNAL_TRACES, { .resource = "service.name=s:shop" }, true },
	{ "include and exclude", "{include: {match_type: strict, span_names: "
	  "[n]}, exclude: {match_type: strict, span_kinds: "
	  "[SPAN_KIND_SERVER]}}", WEIR_SIGNAL_TRACES,
	  { .name = "n", .kind = 2 }, false },
	{ "included and not excluded", "{include: {match_type: strict, "
	  "span_names: [n]}, exclude: {match_type: strict, span_kinds: "
	  "[SPAN_KIND_SERVER]}}", WEIR_SIGNAL_TRACES,
	  { .name = "n", .kind = 3 }, true },
	{ "a span name by pattern",
	  "include: {match_type: regexp, span_names: ['^/api']}",
	  WEIR_SIGNAL_TRACES, { .name = "/api/x" }, true },
	{ "kind unspecified, by pattern",
	  "include: {match_type: regexp, span_kinds: [UNSPEC]}",
	  WEIR_SIGNAL_TRACES, { .name = "x" }, true },
	{ "fields are ANDed", "include: {match_type: strict, span_names: [n], "
	  "services: [x]}", WEIR_SIGNAL_TRACES,
	  { .name = "n", .resource = "service.name=s:shop" }, false },
	{ "an attribute that is there",
	  "include: {attributes: [{key: t}]}", WEIR_SIGNAL_TRACES,
	  { .record = "d=s:1 t=i:5" }, true },
	{ "an attribute of that value", "include: {match_type: strict, "
	  "attributes: [{key: t, value: 5}]}", WEIR_SIGNAL_TRACES,
	  { .record = "d=s:1 t=i:5" }, true },
	{ "but of another type", "include: {match_type: strict, "
	  "attributes: [{key: t, value: '5'}]}", WEIR_SIGNAL_TRACES,
	  { .record = "d=s:1 t=i:5" }, false },
	{ "a map in any order", "include: {match_type: strict, "
	  "attributes: [{key: t, value: {b: 1, a: x}}]}", WEIR_SIGNAL_LOGS,
	  { .record = "d=s:1 t=m{a=s:x,b=i:1}" }, true },
	{ "attributes must all match", "include: {match_type: strict, "
	  "attributes: [{key: t, value: 5}, {key: u}]}", WEIR_SIGNAL_TRACES,
	  { .record = "d=s:1 t=i:5" }, false },
	{ "a double by pattern has no exponent", "include: {match_type: "
	  "regexp, attributes: [{key: t, value: '^100000000000000000000000$'"
	  "}]}", WEIR_SIGNAL_TRACES, { .record = "d=s:1 t=d:1e23" }, true },
	{ "nor has a small one", "include: {match_type: regexp, "
	  "attributes: [{key: t, value: '^-0\\.00000015$'}]}",
	  WEIR_SIGNAL_TRACES, { .record = "d=s:1 t=d:-1.5e-7" }, true },
	{ "a map never matches a pattern", "include: {match_type: regexp, "
	  "attributes: [{key: t, value: '.*'}]}", WEIR_SIGNAL_TRACES,
	  { .record = "d=s:1 t=m{a=i:1}" }, false },
	{ "a resource", "include: {match_type: strict, resources: "
	  "[{key: h, value: web}]}", WEIR_SIGNAL_LOGS,
	  { .resource = "h=s:web" }, true },
	{ "another resource", "include: {match_type: strict, resources: "
	  "[{key: h, value: web}]}", WEIR_SIGNAL_LOGS,
	  { .resource = "h=s:db" }, false },
	{ "a library", "include: {match_type: strict, libraries: [{name: l}]}",
	  WEIR_SIGNAL_TRACES, { .scope_name = "l", .scope_version = "1" },
	  true },
	{ "a library of no version", "include: {match_type: strict, "
	  "libraries: [{name: l, version: ''}]}", WEIR_SIGNAL_TRACES,
	  { .scope_name = "l", .scope_version = "1" }, false },
	{ "two libraries at once", "include: {match_type: strict, "
	  "libraries: [{name: l}, {name: m}]}", WEIR_SIGNAL_TRACES,
	  { .scope_name = "l" }, false },
	{ "a body", "include: {match_type: regexp, log_bodies: ['^4']}",
	  WEIR_SIGNAL_LOGS, { .body = "i:42" }, true },
	{ "no body is an empty text",
	  "include: {match_type: strict, log_bodies: ['']}",
	  WEIR_SIGNAL_LOGS, { .name = "x" }, true },
	{ "a severity text",
	  "include: {match_type: strict, log_severity_texts: [WARN]}",
	  WEIR_SIGNAL_LOGS, { .severity_text = "WARN" }, true },
	{ "a severity", "include: {match_type: strict, "
	  "log_severity_number: {min: 9}}", WEIR_SIGNAL_LOGS,
	  { .severity = 9 }, true },
	{ "a lower one", "include: {match_type: strict, "
	  "log_severity_number: {min: 9}}", WEIR_SIGNAL_LOGS,
	  { .severity = 8 }, false },
	{ "an undefined one", "include: {match_type: strict, "
	  "log_severity_number: {min: 9, match_undefined: true}}",
	  WEIR_SIGNAL_LOGS, { .severity = 0 }, true },
	{ "a metric", "include: {match_type: regexp, metric_names: [^m]}",
	  WEIR_SIGNAL_METRICS, { .name = "m1" }, true },
	{ "another metric", "include: {match_type: strict, "
	  "metric_names: [m]}", WEIR_SIGNAL_METRICS, { .name = "m1" },
	  false },
	{ "resources alone mean nothing for metrics", "include: {match_type: "
	  "strict, resources: [{key: h, value: web}]}", WEIR_SIGNAL_METRICS,
	  { .name = "m1", .resource = "h=s:db" }, true },
};

START_TEST(chooses)
{
	struct request r = chosen[_i].r;
	const char *block = chosen[_i].yaml;
	struct weir_text want = { 0 };
	char yaml[1024];

	if (!r.record)
		r.record = "d=s:1";
	snprintf(yaml, sizeof(yaml), "{actions: [{key: d, action: delete}], "
		 "%.*s}", (int)strlen(block) - 2 * (*block == '{'),
		 block + (*block == '{'));
	/* What it looks like when nothing is done, then without its first
	 * attribute, which is always d=s:1. */
	for (int pass = 0; pass < 2; pass++) {
		struct bytes bytes = { .len = 0 };

		weir_text_clear(&want);
		write_request(chosen[_i].signal, &r, &bytes);
		show_request(chosen[_i].signal, (weir_str){
			(char *)bytes.v, bytes.len }, &want);
		weir_text_add(&want, (weir_str){ "", 1 });
		if (!chosen[_i].acts)
			break;
		r.record += pass ? 0 : 5 + (r.record[5] == ' ');
	}
	r.record = chosen[_i].r.record ? chosen[_i].r.record : "d=s:1";
	expect_case("attributes", yaml, chosen[_i].signal, &r, want.ptr);
	weir_text_release(&want);
}
END_TEST

/* --- What is refused ---------------------------------------------------------------- */

#define AT_K "error with key \"k\" (0-th action): error creating AttrProc"

static const struct {
	const char *yaml, *path, *sentence;
	uint32_t signals;
} refused[] = {
	{ "", NULL, "missing required field \"actions\"", WEIR_TRACES },
	{ ACTIONS("{action: insert}"), "actions[0].key",
	  "error creating AttrProc due to missing required field \"key\" at "
	  "the 0-th action", WEIR_TRACES },
	{ ACTIONS("{action: delete}"), "actions[0].key",
	  "error creating AttrProc due to missing required field (at least "
	  "one of \"key\" and \"pattern\" have to be used) at the 0-th action",
	  WEIR_TRACES },
	{ ACTIONS("{key: k, action: INSERTS}"), "actions[0].action",
	  AT_K " due to unsupported action \"inserts\"", WEIR_TRACES },
	{ ACTIONS("{key: k, action: insert}"), "actions[0]",
	  AT_K ". Either field \"value\", \"from_attribute\", "
	  "\"from_context\", or \"default_value\" must be specified",
	  WEIR_TRACES },
	{ ACTIONS("{key: k, action: insert, value: 1, from_attribute: a}"),
	  "actions[0]", AT_K " due to multiple value sources being set",
	  WEIR_TRACES },
	{ ACTIONS("{key: k, action: update, value: 1, pattern: a}"),
	  "actions[0].pattern", AT_K ". Action \"update\" does not use the "
	  "\"pattern\" field. This must not be specified", WEIR_TRACES },
	{ ACTIONS("{key: k, action: hash, converted_type: int}"),
	  "actions[0].converted_type", AT_K ". Action \"hash\" does not use "
	  "the \"converted_type\" field. This must not be specified",
	  WEIR_TRACES },
	{ ACTIONS("{key: k, action: delete, value: 1}"), "actions[0].value",
	  AT_K ". Action \"delete\" does not use \"value\" or "
	  "\"from_attribute\" field. These must not be specified",
	  WEIR_TRACES },
	{ ACTIONS("{key: k, action: delete, pattern: 'a('}"),
	  "actions[0].pattern", AT_K ". Field \"pattern\" has invalid "
	  "pattern: \"a(\"", WEIR_TRACES },
	{ ACTIONS("{key: k, action: extract, value: 1}"), "actions[0]",
	  AT_K ". Action \"extract\" does not use a value source field. "
	  "These must not be specified", WEIR_TRACES },
	{ ACTIONS("{key: k, action: extract}"), "actions[0]",
	  AT_K " due to missing required field \"pattern\" for action "
	  "\"extract\"", WEIR_TRACES },
	{ ACTIONS("{key: k, action: extract, pattern: a.b}"),
	  "actions[0].pattern", AT_K ". Field \"pattern\" contains no named "
	  "matcher groups", WEIR_TRACES },
	{ ACTIONS("{key: k, action: extract, pattern: '(?P<a>a)(b)'}"),
	  "actions[0].pattern", AT_K ". Field \"pattern\" contains at least "
	  "one unnamed matcher group", WEIR_TRACES },
	{ ACTIONS("{key: k, action: convert, value: 1}"), "actions[0]",
	  AT_K ". Action \"convert\" does not use value sources or "
	  "\"pattern\" field. These must not be specified", WEIR_TRACES },
	{ ACTIONS("{key: k, action: convert}"), "actions[0]",
	  AT_K " due to missing required field \"converted_type\" for action "
	  "\"convert\"", WEIR_TRACES },
	{ ACTIONS("{key: k, action: convert, converted_type: bool}"),
	  "actions[0].converted_type", AT_K " due to invalid value \"bool\" "
	  "in field \"converted_type\" for action \"convert\"", WEIR_TRACES },
#define WITH(block) "{actions: [{key: k, action: delete}], " block "}"
	{ WITH("include: {services: [a]}"), "include",
	  "error creating service name filters: unrecognized match_type: '', "
	  "valid types are: [regexp strict]", WEIR_TRACES },
	{ WITH("exclude: {match_type: regexp, span_names: ['a(']}"),
	  "exclude", "error creating span name filters: error parsing "
	  "regexp: missing closing ): `a(`", WEIR_TRACES },
	{ WITH("include: {}"), "include", "at least one of \"attributes\", "
	  "\"libraries\",  or \"resources\" field must be specified",
	  WEIR_TRACES },
	{ WITH("include: {match_type: strict, log_bodies: [a]}"), "include",
	  "log_bodies should not be specified for trace spans", WEIR_TRACES },
	{ WITH("include: {match_type: strict, log_severity_number: {}}"),
	  "include", "log_severity_number should not be specified for trace "
	  "spans", WEIR_TRACES },
	{ WITH("include: {match_type: strict, span_kinds: [SERVER]}"),
	  "include", "span_kinds string must match one of the standard span "
	  "kinds when match_type=strict: [     SPAN_KIND_CLIENT "
	  "SPAN_KIND_CONSUMER SPAN_KIND_INTERNAL SPAN_KIND_PRODUCER "
	  "SPAN_KIND_SERVER]", WEIR_TRACES },
	{ WITH("include: {match_type: strict, services: [a]}"), "include",
	  "services, span_names, span_kinds and metric_names are not valid "
	  "for log records", WEIR_LOGS },
	{ WITH("include: {match_type: strict}"), "include",
	  "at least one of \"attributes\", \"libraries\", \"span_kinds\", "
	  "\"resources\", \"log_bodies\", \"log_severity_texts\" or "
	  "\"log_severity_number\" field must be specified", WEIR_LOGS },
	{ WITH("include: {match_type: strict, attributes: [{key: a}]}"),
	  "include", "\"span_names\", \"span_kinds\", \"log_bodies\", "
	  "\"log_severity_texts\", \"log_severity_number\", \"services\", "
	  "\"attributes\" and \"libraries\" are not valid for metrics",
	  WEIR_METRICS },
	{ WITH("include: {match_type: strict}"), "include",
	  "at least one of \"metric_names\" or \"resources\" field must be "
	  "specified", WEIR_METRICS },
	{ WITH("include: {match_type: regexp, attributes: [{key: k, value: 1}"
	  "]}"), "include", "error creating attribute filters: "
	  "match_type=regexp for \"k\" only supports Str, but found Int",
	  WEIR_LOGS },
	{ WITH("include: {match_type: strict, resources: [{key: ''}]}"),
	  "include", "error creating resource filters: can't have empty key "
	  "in the list of attributes", WEIR_LOGS },
};

START_TEST(refuses)
{
	expect_refused("attributes", refused[_i].yaml, refused[_i].signals,
		       refused[_i].path, refused[_i].sentence);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/attributes");
	TCase *c = tcase_create("attributes");
	SRunner *r = srunner_create(s);
	int failed;

	EACH(acts, actions);
	EACH(chooses, chosen);
	EACH(refuses, refused);
	tcase_add_test(c, leaves_everything_else_alone);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
