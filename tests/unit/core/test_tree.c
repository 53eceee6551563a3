/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tree: YAML text to a tree, and what it refuses.
 */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "config/tree.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;
static struct weir_error error;

static void setup(void)
{
	weir_str none[] = { WEIR_STR("/dev/null") };
	struct log_options quiet = { .paths = { none, 1 } };

	ck_assert_int_eq(log_setup(&quiet, &error), 0);
	setenv("HOST", "localhost", 1);
	setenv("EMPTY", "", 1);
	setenv("NUMBER", "0123", 1);
	setenv("QUOTED", "'5'", 1);
	setenv("LIST", "[a, b]", 1);
	setenv("NESTED", "{x: '${HOST}', y: 3}", 1);
	setenv("INDIRECT", "${HOST}!", 1);
	setenv("LOOP", "${LOOP}", 1);
	setenv("GROW", "${GROW}${GROW}", 1);
	setenv("BROKEN", "[a", 1);
	setenv("NAME", "HOST", 1);
	setenv("DOLLAR", "a$$b", 1);
	setenv("COMMENT", "true # c", 1);
	unsetenv("UNSET");
}

static void teardown(void)
{
	arena_release(&arena);
}

static struct weir_node *load(const char *uri)
{
	struct tree_source source = { uri, false };
	struct tree_request request = { .sources = &source, .n = 1 };

	return tree_load(&arena, &request, &error);
}

static struct weir_node *parse(const char *text)
{
	return tree_parse(&arena, "f.yaml", weir_str_of(text), &error);
}

/* The value of the key v. */
static const struct weir_node *value(const char *text)
{
	const struct weir_node *root = parse(text);

	ck_assert_msg(root != NULL, "%s: %s", text, error.text);
	return weir_node_get(root, WEIR_STR("v"));
}

/* --- scalars ------------------------------------------------------------------ */

static const struct {
	const char *text;
	enum weir_node_kind kind;
	double number;
} scalars[] = {
	{ "true", WEIR_NODE_BOOL, 1 }, { "False", WEIR_NODE_BOOL, 0 },
	{ "TRUE", WEIR_NODE_BOOL, 1 }, { "tRue", WEIR_NODE_STR, 0 },
	{ "yes", WEIR_NODE_STR, 0 }, { "no", WEIR_NODE_STR, 0 },
	{ "on", WEIR_NODE_STR, 0 }, { "y", WEIR_NODE_STR, 0 },
	{ "~", WEIR_NODE_NULL, 0 }, { "null", WEIR_NODE_NULL, 0 },
	{ "Null", WEIR_NODE_NULL, 0 }, { "", WEIR_NODE_NULL, 0 },
	{ "nil", WEIR_NODE_STR, 0 },
	{ "0", WEIR_NODE_INT, 0 }, { "-7", WEIR_NODE_INT, -7 },
	{ "+7", WEIR_NODE_INT, 7 }, { "0x1F", WEIR_NODE_INT, 31 },
	{ "0o17", WEIR_NODE_INT, 15 }, { "0b101", WEIR_NODE_INT, 5 },
	{ "0123", WEIR_NODE_INT, 83 }, { "0129", WEIR_NODE_DOUBLE, 129 },
	{ "-0x10", WEIR_NODE_INT, -16 }, { "1_000", WEIR_NODE_INT, 1000 },
	{ "0x", WEIR_NODE_STR, 0 }, { "0x0x1", WEIR_NODE_STR, 0 },
	{ "+-7", WEIR_NODE_STR, 0 }, { "1 2", WEIR_NODE_STR, 0 },
	{ "9223372036854775807", WEIR_NODE_INT, 9223372036854775807.0 },
	{ "18446744073709551615", WEIR_NODE_INT, 18446744073709551615.0 },
	{ "18446744073709551616", WEIR_NODE_DOUBLE, 18446744073709551616.0 },
	{ "-9223372036854775808", WEIR_NODE_INT, -9223372036854775808.0 },
	{ "1.5", WEIR_NODE_DOUBLE, 1.5 }, { ".5", WEIR_NODE_DOUBLE, .5 },
	{ "5.", WEIR_NODE_DOUBLE, 5 }, { "1e3", WEIR_NODE_DOUBLE, 1000 },
	{ "-1.5e-1", WEIR_NODE_DOUBLE, -.15 }, { "1e", WEIR_NODE_STR, 0 },
	{ "1e999", WEIR_NODE_STR, 0 }, { ".", WEIR_NODE_STR, 0 },
	{ "-", WEIR_NODE_LIST, 0 }, { "1.2.3", WEIR_NODE_STR, 0 },
	{ "127.0.0.1:80", WEIR_NODE_STR, 0 }, { "12:30", WEIR_NODE_STR, 0 },
	{ ".inf", WEIR_NODE_DOUBLE, INFINITY },
	{ "-.Inf", WEIR_NODE_DOUBLE, -INFINITY },
	{ "'5'", WEIR_NODE_STR, 0 }, { "\"true\"", WEIR_NODE_STR, 0 },
	{ "!!str 5", WEIR_NODE_STR, 0 }, { "!unknown 5", WEIR_NODE_STR, 0 },
	{ "! 5", WEIR_NODE_INT, 5 }, { "!!int '5'", WEIR_NODE_INT, 5 },
	{ "!!float 5", WEIR_NODE_DOUBLE, 5 }, { "!!null ~", WEIR_NODE_NULL, 0 },
	{ "!!bool 'true'", WEIR_NODE_BOOL, 1 },
	{ "!!binary aGk=", WEIR_NODE_STR, 0 },
	{ "!!timestamp 2001-1-1", WEIR_NODE_STR, 0 },
};

START_TEST(a_plain_scalar_means_what_it_means_in_the_collector)
{
	char text[80];
	const struct weir_node *node;

	snprintf(text, sizeof(text), "v: %s", scalars[_i].text);
	if (scalars[_i].kind == WEIR_NODE_LIST)
		snprintf(text, sizeof(text), "v:\n%s", scalars[_i].text);
	node = value(text);
	ck_assert_msg(weir_node_kind(node) == scalars[_i].kind, "%s is a %s",
		      scalars[_i].text, tree_kind_name(node));
	if (scalars[_i].kind == WEIR_NODE_BOOL)
		ck_assert_int_eq(weir_node_bool(node), scalars[_i].number != 0);
	else if (scalars[_i].kind != WEIR_NODE_LIST)
		ck_assert(weir_node_double(node) == scalars[_i].number);
}
END_TEST

START_TEST(nan_is_a_number_that_is_none)
{
	ck_assert(isnan(weir_node_double(value("v: .NaN"))));
}
END_TEST

/* what is behind !!binary, and its text; NULL: refused */
static const struct {
	const char *code, *text;
} binaries[] = {
	{ "''", "" }, { "aA==", "h" }, { "aGk=", "hi" }, { "aGkh", "hi!" },
	{ "'aG k='", NULL }, { "\"aG\\nk=\"", "hi" },
	{ "aGk", NULL }, { "aGk==", NULL }, { "a===", NULL }, { "=aGk", NULL },
	{ "aG=k", NULL }, { "aGk=aGk=", NULL }, { "aG-_", NULL },
};

START_TEST(binary_is_base64)
{
	char text[80];
	const struct weir_node *root;

	snprintf(text, sizeof(text), "v: !!binary %s", binaries[_i].code);
	root = parse(text);
	ck_assert_msg(!root == !binaries[_i].text, "%s", text);
	if (root)
		ck_assert(weir_str_eq(root->items[0]->text,
				      weir_str_of(binaries[_i].text)));
	else
		ck_assert_str_eq(error.text, "!!binary value contains "
					     "invalid base64 data");
}
END_TEST

/* --- structure ---------------------------------------------------------------- */

START_TEST(every_node_knows_line_and_column)
{
	const struct weir_node *root = parse("a:\n  - b: 1\n    cc: x\n");
	const struct weir_node *node = tree_at(root, "a[0].cc");

	ck_assert_uint_eq(node->line, 3);
	ck_assert_uint_eq(node->column, 9);
	ck_assert_str_eq(node->file, "f.yaml");
	/* what is not there is shown by what is above it */
	ck_assert_ptr_eq(tree_at(root, "a[0].cc.d"), node);
	ck_assert_ptr_eq(tree_at(root, "a[7].x"), tree_at(root, "a"));
	ck_assert_ptr_eq(tree_at(root, ""), root);
}
END_TEST

START_TEST(a_key_with_dots_is_found_by_the_longest_match)
{
	const struct weir_node *root = parse("a: 1\na.b:\n  c: 2\n");

	ck_assert_int_eq(weir_node_int(tree_at(root, "a.b.c")), 2);
}
END_TEST

START_TEST(own_keys_win_over_merged_ones_and_earlier_over_later)
{
	const struct weir_node *root = parse(
		"x: &x {p: 1, q: 1, r: 1}\n"
		"y: &y {q: 2, s: 2}\n"
		"v: {p: 0, <<: [*y, *x]}\n"
		"w:\n  '<<': 3\n");
	const struct weir_node *v = weir_node_get(root, WEIR_STR("v"));
	const struct weir_node *w = weir_node_get(root, WEIR_STR("w"));

	ck_assert_msg(root != NULL, "%s", error.text);
	ck_assert_uint_eq(weir_node_len(v), 4);
	ck_assert_int_eq(weir_node_int(weir_node_get(v, WEIR_STR("p"))), 0);
	ck_assert_int_eq(weir_node_int(weir_node_get(v, WEIR_STR("q"))), 2);
	ck_assert_int_eq(weir_node_int(weir_node_get(v, WEIR_STR("r"))), 1);
	/* in quotes it is a key as any other */
	ck_assert_int_eq(weir_node_int(weir_node_get(w, WEIR_STR("<<"))), 3);
}
END_TEST

START_TEST(only_the_first_document_counts)
{
	ck_assert_int_eq(weir_node_int(value("v: 1\n---\nv: 2\n")), 1);
	ck_assert_int_eq(weir_node_kind(parse("")), WEIR_NODE_NULL);
	ck_assert_int_eq(weir_node_int(value("\xef\xbb\xbfv: 1")), 1);
}
END_TEST

/* --- refusals ----------------------------------------------------------------- */

static const struct {
	const char *text, *why;
	uint32_t line, column;
} refused[] = {
	{ "a: 1\nb: 2\na: 3\n", "key \"a\" already defined at line 1", 3, 1 },
	{ "{<<: {a: 1}, <<: {b: 1}}", "already defined", 1, 14 },
	{ "a:\n\t- b\n", "cannot start any token", 2, 1 },
	{ "a: *x\n", "unknown anchor \"x\"", 1, 4 },
	{ "a: &a [1, *a]\n", "contains itself", 1, 11 },
	{ "a: &a {<<: *a}\n", "contains itself", 1, 12 },
	{ "<<: 3\n", "map merge requires", 1, 5 },
	{ "<<: [1]\n", "map merge requires", 1, 5 },
	{ "? [a]\n: b\n", "a key must be a scalar", 1, 3 },
	{ "a: [1\n", "did not find expected", 2, 1 },
	{ "a: \"\\q\"", "unknown escape", 1, 5 },
	{ "a: \xff\n", "invalid leading UTF-8", 0, 0 },
	{ "a: ${LOOP}\n", "too many recursive expansions", 1, 4 },
	{ "b:\n  a: ${GROW}\n", "more than 1 MiB", 2, 6 },
	{ "a: ${foo:bar}\n",
	  "scheme \"foo\" is not supported for uri \"foo:bar\"", 1, 4 },
	{ "a: ${X:-d}\n", "invalid uri: \"X:-d\"; a default needs the scheme: "
	  "env:X:-d", 1, 4 },
	{ "a: ${env:1x}\n", "has invalid name", 1, 4 },
	{ "a: ${}\n", "has invalid name", 1, 4 },
	{ "a: ${file:/nonexistent/x}\n", "unable to read the file", 1, 4 },
};

START_TEST(what_the_collector_refuses_is_refused_with_its_place)
{
	ck_assert_msg(!parse(refused[_i].text), "accepted %s",
		      refused[_i].text);
	ck_assert_msg(strstr(error.text, refused[_i].why) != NULL,
		      "%s: said \"%s\"", refused[_i].text, error.text);
	if (!refused[_i].line)
		return;
	ck_assert_uint_eq(error.line, refused[_i].line);
	ck_assert_uint_eq(error.column, refused[_i].column);
	ck_assert_str_eq(error.file, "f.yaml");
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	ck_assert(!tree_parse(&arena, "f", (weir_str){ "a: 1\nb: \0", 9 },
			      &error));
	ck_assert_uint_eq(error.line, 2);
	ck_assert_uint_eq(error.column, 4);
}
END_TEST

/* attacks.md 92 */
START_TEST(aliases_of_aliases_pay_for_each_expansion)
{
	char text[2048] = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n";
	size_t len = strlen(text);

	for (int i = 1; i < 10; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
			"a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n",
			i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	ck_assert(!parse(text));
	ck_assert_ptr_nonnull(strstr(error.text, "more than 100000 nodes"));
	ck_assert_uint_gt(error.line, 3);
}
END_TEST

static void nest(struct buf *buf, unsigned depth)
{
	buf_add(buf, "v: ", 3);
	for (unsigned i = 0; i < depth; i++)
		buf_add(buf, "[", 1);
	for (unsigned i = 0; i < depth; i++)
		buf_add(buf, "]", 1);
}

/* attacks.md 93; the map v is in counts as one. */
START_TEST(depth_is_64_and_no_more)
{
	struct buf fits = { 0 }, deep = { 0 }, abyss = { 0 };

	nest(&fits, TREE_MAX_DEPTH - 1);
	nest(&deep, TREE_MAX_DEPTH);
	nest(&abyss, 40000);
	ck_assert(tree_parse(&arena, "f", (weir_str){ (char *)fits.ptr,
			     fits.len }, &error));
	ck_assert(!tree_parse(&arena, "f", (weir_str){ (char *)deep.ptr,
			      deep.len }, &error));
	ck_assert_ptr_nonnull(strstr(error.text, "nested deeper than 64"));
	ck_assert(!tree_parse(&arena, "f", (weir_str){ (char *)abyss.ptr,
			      abyss.len }, &error));
	buf_release(&fits);
	buf_release(&deep);
	buf_release(&abyss);
}
END_TEST

START_TEST(aliases_cannot_make_it_deeper)
{
	struct buf text = { 0 };

	buf_addf(&text, "a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1");
	buf_addf(&text, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\nb: "
			"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a");
	buf_addf(&text, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n");
	ck_assert(!tree_parse(&arena, "f", (weir_str){ (char *)text.ptr,
			      text.len }, &error));
	ck_assert_ptr_nonnull(strstr(error.text, "nested deeper than 64"));
	buf_release(&text);
}
END_TEST

START_TEST(a_file_larger_than_1_mib_is_refused)
{
	struct buf text = { 0 };

	buf_addf(&text, "v: 1\n");
	while (text.len <= TREE_MAX_BYTES)
		buf_addf(&text, "# %060d\n", 0);
	ck_assert(!tree_parse(&arena, "f", (weir_str){ (char *)text.ptr,
			      text.len }, &error));
	ck_assert_ptr_nonnull(strstr(error.text, "1 MiB"));
	buf_release(&text);
	ck_assert(!load("/dev/zero"));
	ck_assert(!load("/nonexistent"));
	ck_assert_str_eq(error.file, "/nonexistent");
}
END_TEST

/* --- references --------------------------------------------------------------- */

static const struct {
	const char *text;
	enum weir_node_kind kind;
	const char *want;
} references[] = {
	{ "${HOST}", WEIR_NODE_STR, "localhost" },
	{ "${env:HOST}", WEIR_NODE_STR, "localhost" },
	{ "'${HOST}'", WEIR_NODE_STR, "localhost" },
	{ "${HOST}:$PORT", WEIR_NODE_STR, "localhost:$PORT" },
	{ "$HOST", WEIR_NODE_STR, "$HOST" },
	{ "${env:HOST}}}}}}", WEIR_NODE_STR, "localhost}}}}}" },
	{ "'}${HOST}'", WEIR_NODE_STR, "}localhost" },
	{ "${HOST", WEIR_NODE_STR, "${HOST" },
	{ "x ${HOST} ${HOST}", WEIR_NODE_STR, "x localhost localhost" },
	{ "${NUMBER}", WEIR_NODE_INT, "0123" },
	{ "test_${NUMBER}", WEIR_NODE_STR, "test_0123" },
	{ "${QUOTED}", WEIR_NODE_STR, "'5'" },
	{ "'${env:NUMBER}0'", WEIR_NODE_STR, "01230" },
	{ "${COMMENT}", WEIR_NODE_BOOL, "true # c" },
	{ "${BROKEN}", WEIR_NODE_STR, "[a" },
	{ "${UNSET}", WEIR_NODE_NULL, "" },
	{ "a${UNSET}b", WEIR_NODE_STR, "ab" },
	{ "${EMPTY}", WEIR_NODE_NULL, "" },
	{ "${env:UNSET:-7}", WEIR_NODE_INT, "7" },
	{ "${env:UNSET:-}", WEIR_NODE_STR, "" },
	{ "${env:EMPTY:-7}", WEIR_NODE_NULL, "" },
	{ "${env:UNSET:-a:-b}", WEIR_NODE_STR, "a:-b" },
	{ "${INDIRECT}", WEIR_NODE_STR, "localhost!" },
	{ "${env:${NAME}}", WEIR_NODE_STR, "localhost" },
	{ "$${HOST}", WEIR_NODE_STR, "${HOST}" },
	{ "$$${HOST}", WEIR_NODE_STR, "$localhost" },
	{ "$$$${HOST}", WEIR_NODE_STR, "$${HOST}" },
	{ "$$HOST", WEIR_NODE_STR, "$HOST" },
	{ "a$b", WEIR_NODE_STR, "a$b" },
	{ "${DOLLAR}", WEIR_NODE_STR, "a$b" },
	{ "$${A} ${HOST}", WEIR_NODE_STR, "${A} localhost" },
	{ "$${HOST} ${HOST}", WEIR_NODE_STR, "$localhost localhost" },
	{ "${yaml:5}", WEIR_NODE_INT, "5" },
};

START_TEST(references_expand_as_in_the_collector)
{
	char text[80];
	const struct weir_node *node;

	snprintf(text, sizeof(text), "v: %s", references[_i].text);
	node = value(text);
	ck_assert_msg(node->kind == references[_i].kind, "%s is a %s", text,
		      tree_kind_name(node));
	ck_assert_msg(weir_str_eq(node->text, weir_str_of(references[_i].want)),
		      "%s is \"%.*s\"", text, WEIR_STR_FMT(node->text));
}
END_TEST

START_TEST(a_reference_can_bring_a_list_or_a_map)
{
	const struct weir_node *list = value("v: ${LIST}");
	const struct weir_node *map = value("v: ${NESTED}");

	ck_assert_uint_eq(weir_node_len(list), 2);
	ck_assert(weir_str_eq(weir_node_text(weir_node_at(list, 1)),
			      WEIR_STR("b")));
	ck_assert(weir_str_eq(list->text, WEIR_STR("[a, b]")));
	ck_assert(weir_str_eq(weir_node_text(weir_node_get(map,
			      WEIR_STR("x"))), WEIR_STR("localhost")));
	ck_assert_uint_eq(weir_node_at(map, 0)->line, 1);
	ck_assert_uint_eq(weir_node_at(map, 0)->column, 4);
}
END_TEST

START_TEST(keys_are_never_expanded)
{
	const struct weir_node *root = parse("\"${HOST}\": 1\n");

	ck_assert(weir_str_eq(weir_node_key(root, 0), WEIR_STR("${HOST}")));
}
END_TEST

START_TEST(an_aliased_reference_is_expanded_once)
{
	const struct weir_node *root = parse("a: &a '$$$$'\nb: *a\n");

	ck_assert(weir_str_eq(weir_node_text(weir_node_at(root, 1)),
			      WEIR_STR("$$")));
}
END_TEST

START_TEST(aliases_of_a_large_reference_pay_for_each)
{
	struct buf list = { 0 }, text = { 0 };

	buf_addf(&list, "[");
	for (int i = 0; i < 2000; i++)
		buf_addf(&list, "1,");
	buf_addf(&list, "1]");
	buf_add(&list, "", 1);
	setenv("LONG", (char *)list.ptr, 1);
	buf_addf(&text, "a: &a ${LONG}\nb: [");
	for (int i = 0; i < 100; i++)
		buf_addf(&text, "*a,");
	buf_addf(&text, "*a]\n");
	ck_assert(!tree_parse(&arena, "f", (weir_str){ (char *)text.ptr,
			      text.len }, &error));
	ck_assert_ptr_nonnull(strstr(error.text, "more than 100000 nodes"));
	buf_release(&list);
	buf_release(&text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests,
		a_plain_scalar_means_what_it_means_in_the_collector, 0,
		COUNT(scalars));
	tcase_add_test(tests, nan_is_a_number_that_is_none);
	tcase_add_loop_test(tests, binary_is_base64, 0, COUNT(binaries));
	tcase_add_test(tests, every_node_knows_line_and_column);
	tcase_add_test(tests, a_key_with_dots_is_found_by_the_longest_match);
	tcase_add_test(tests,
		own_keys_win_over_merged_ones_and_earlier_over_later);
	tcase_add_test(tests, only_the_first_document_counts);
	tcase_add_loop_test(tests,
		what_the_collector_refuses_is_refused_with_its_place, 0,
		COUNT(refused));
	tcase_add_test(tests, a_nul_byte_is_refused);
	tcase_add_test(tests, aliases_of_aliases_pay_for_each_expansion);
	tcase_add_test(tests, depth_is_64_and_no_more);
	tcase_add_test(tests, aliases_cannot_make_it_deeper);
	tcase_add_test(tests, a_file_larger_than_1_mib_is_refused);
	tcase_add_loop_test(tests, references_expand_as_in_the_collector, 0,
			    COUNT(references));
	tcase_add_test(tests, a_reference_can_bring_a_list_or_a_map);
	tcase_add_test(tests, keys_are_never_expanded);
	tcase_add_test(tests, an_aliased_reference_is_expanded_once);
	tcase_add_test(tests, aliases_of_a_large_reference_pay_for_each);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
