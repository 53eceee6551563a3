/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_tree_join: several sources as one tree: what wins, and where each node
 * says that it came from.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "config/tree.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct arena arena;
static struct weir_error error;
static bool append;

static const char *variable(const char *name)
{
	if (!strcmp(name, "MAP"))
		return "{x: 1, 'y::z': 2}";
	return strcmp(name, "ROOT") ? NULL : "a: {b: 5}";
}

static int file(struct arena *to, const char *path, weir_str *text,
		struct weir_error *why)
{
	static const char *const files[][2] = {
		{ "one", "a:\n  b: 1\n  c: [1, 2]\nd: &x {e: 1}\nf: *x\n" },
		{ "two", "\na: {b: 2}\n" },
		{ "lists", "service:\n  extensions: [p, q]\n"
			   "  pipelines: {t: {receivers: [r], "
			   "processors: [s]}}\n" },
		{ "more", "service: {extensions: [q, o, o], "
			  "pipelines: {t: {receivers: [u, r], "
			  "processors: [v]}}}\n" },
		{ "part", "k: v\n" },
	};

	for (size_t i = 0; i < COUNT(files); i++)
		if (!strcmp(files[i][0], path)) {
			*text = arena_str(to, weir_str_of(files[i][1]));
			return 0;
		}
	return weir_fail(why, "", "no such file");
}

static const struct tree_world world = { variable, file };

static void setup(void)
{
	weir_str none[] = { WEIR_STR("/dev/null") };
	struct log_options quiet = { .paths = { none, 1 } };

	ck_assert_int_eq(log_setup(&quiet, &error), 0);
	append = false;
}

static void teardown(void)
{
	arena_release(&arena);
}

/* "one|two|=a.b=3": --config, or --set with an equals sign in front. */
static struct weir_node *load(const char *list)
{
	struct tree_source sources[8];
	struct tree_request request = { .sources = sources, .world = &world,
					.append = append };
	char *words = arena_printf(&arena, "%s", list), *rest;

	for (char *word = strtok_r(words, "|", &rest); word;
	     word = strtok_r(NULL, "|", &rest)) {
		bool set = *word == '=';

		sources[request.n++] = (struct tree_source){ word + set, set };
	}
	return tree_load(&arena, &request, &error);
}

static const struct weir_node *at(const char *list, const char *path)
{
	const struct weir_node *root = load(list);

	ck_assert_msg(root != NULL, "%s: %s", list, error.text);
	return tree_at(root, path);
}

/* --- what wins ----------------------------------------------------------- */

static const struct {
	const char *sources, *path;
	int64_t number;		/* of an int, or the length of what has one */
} wins[] = {
	{ "one", "a.b", 1 },
	{ "one|two", "a.b", 2 },
	{ "two|one", "a.b", 1 },
	{ "one|two", "a.c", 2 },
	{ "one|two|two", "a", 2 },
	{ "one|env:ROOT", "a.b", 5 },
	{ "one|yaml:a::b: 4", "a.b", 4 },
	{ "one|yaml:a::b: 4", "a.c", 2 },
	{ "one|yaml:{a: {b::c: 4}}", "a.b.c", 4 },
	{ "one|yaml:{\"a::c\": [7]}", "a.c", 1 },
	{ "yaml:{a::b: 1, a: {c: 2}, a::d: 3}", "a", 3 },
	{ "one|yaml:a:", "a", 0 },
	{ "one|yaml:a:|two", "a", 1 },
	{ "one|yaml:a: {}", "a", 2 },
	{ "one|yaml:a: 5|two", "a.b", 2 },
	{ "one|=a.b=7", "a.b", 7 },
	{ "=a.b=7|one", "a.b", 7 },	/* --set goes last */
	{ "one|=a.b=7|=a.b=8", "a.b", 8 },
	{ "one|= a.b = 7 ", "a.b", 7 },
	{ "one|=a::b=7", "a.b", 7 },
	{ "one|=d.e=7", "d.e", 7 },
	{ "one|=d.e=7", "f.e", 1 },	/* the alias stays what it was */
	{ "one|=a=${MAP}", "a.x", 1 },
	{ "one|=a=${MAP}", "a.y.z", 2 },
	{ "one|=a.c=['${MAP}']", "a.c", 1 },
	{ "one|=a.c=['${MAP}']", "a.c[0]", 2 },
	{ "yaml:", "", 0 },
	{ "env:UNSET", "", 0 },
};

START_TEST(later_sources_win)
{
	const struct weir_node *node = at(wins[_i].sources, wins[_i].path);
	int64_t got = node->kind >= WEIR_NODE_LIST ? (int64_t)node->n
						   : weir_node_int(node);

	ck_assert_msg(got == wins[_i].number, "%s: %s is %s %lld",
		      wins[_i].sources, wins[_i].path, tree_kind_name(node),
		      (long long)got);
}
END_TEST

START_TEST(lists_of_the_service_grow_with_the_gate_only)
{
	const char *all = "lists|more";

	ck_assert_uint_eq(at(all, "service.extensions")->n, 3);
	append = true;
	/* p q, then o, once */
	ck_assert_uint_eq(at(all, "service.extensions")->n, 3);
	ck_assert(weir_str_eq(at(all, "service.extensions[0]")->text,
			      WEIR_STR("p")));
	ck_assert(weir_str_eq(at(all, "service.extensions[2]")->text,
			      WEIR_STR("o")));
	ck_assert_uint_eq(at(all, "service.pipelines.t.receivers")->n, 2);
	ck_assert_uint_eq(at(all, "service.pipelines.t.processors")->n, 1);
	ck_assert_uint_eq(at("one|yaml:a::c: [1]", "a.c")->n, 1);
}
END_TEST

START_TEST(keys_in_lists_do_not_nest)
{
	const struct weir_node *map = at("yaml:l: [{'a::b': 1}]", "l[0]");

	ck_assert_uint_eq(map->n, 1);
	ck_assert(weir_str_eq(map->keys[0]->text, WEIR_STR("a::b")));
}
END_TEST

/* --- places -------------------------------------------------------------- */

static const struct {
	const char *sources, *path, *file;
	uint32_t line, column;
} places[] = {
	{ "one|two", "a.c", "one", 3, 6 },
	{ "one|two", "a.b", "two", 2, 8 },
	{ "one|two", "a", "one", 2, 3 },
	{ "one|env:ROOT", "a.b", "env:ROOT", 1, 8 },
	{ "one|=x=1|=a.b=7", "a.b", "--set #2", 1, 5 },
	{ "one|=a.n.o=7", "a.n.o", "--set #1", 1, 7 },
	{ "one|=a.n.o=7", "a.n", "--set #1", 1, 5 },	/* a map: its key */
	{ "one|=a.q=[&x 1, *x]", "a.q[0]", "--set #1", 1, 6 },
	{ "one|=a.b=${MAP}", "a.b.x", "--set #1", 1, 5 },
	{ "one|=a.b=${file:part}", "a.b.k", "part", 1, 4 },
	{ "one|yaml:{q::r: [5]}", "q.r[0]", "--config #2", 1, 9 },
};

START_TEST(every_node_knows_where_it_came_from)
{
	const struct weir_node *node = at(places[_i].sources, places[_i].path);

	ck_assert_str_eq(node->file, places[_i].file);
	ck_assert_msg(node->line == places[_i].line &&
		      node->column == places[_i].column, "%s: %u:%u",
		      places[_i].path, node->line, node->column);
}
END_TEST

/* --- what is refused ----------------------------------------------------- */

static const struct {
	const char *sources, *why, *file;
} refused[] = {
	{ "none", "no such file", "none" },
	{ "one|https://x", "scheme \"https\" is not supported for uri "
	  "\"https://x\"; there are file, env and yaml", "" },
	{ "one|1:x", "invalid uri: \"1:x\"", "" },
	{ "yaml:[1]", "a configuration is a map, got a list", "--config #1" },
	{ "one|yaml:text", "a configuration is a map, got a string",
	  "--config #2" },
	{ "yaml:{1: 2}", "expected a key that is a string, got an int",
	  "--config #1" },
	{ "one|=a", "\"a\": missing equal sign", "--set #1" },
	{ "one|=a=[", "did not find expected node content", "--set #1" },
	{ "env:1", "environment variable \"1\" has invalid name", "" },
	{ "one|=a=${file:none}",
	  "unable to read the file none: no such file", "--set #1" },
};

START_TEST(what_is_wrong_names_its_source)
{
	struct weir_node *root = load(refused[_i].sources);

	ck_assert_msg(!root, "%s", refused[_i].sources);
	ck_assert_msg(strstr(error.text, refused[_i].why), "said %s",
		      error.text);
	ck_assert_str_eq(error.file, refused[_i].file);
}
END_TEST

/* `a::::::...` of n parts. */
static struct weir_node *nested(size_t n)
{
	struct buf text = { 0 };
	struct weir_node *root;

	for (size_t i = 0; i < n; i++)
		buf_addf(&text, "%sa", i ? "::" : "");
	buf_addf(&text, ": 1");
	root = tree_parse(&arena, "f", (weir_str){ (char *)text.ptr,
						   text.len }, &error);
	buf_release(&text);
	return root;
}

START_TEST(keys_nest_no_deeper_than_maps_may)
{
	ck_assert_ptr_nonnull(nested(TREE_MAX_DEPTH));
	ck_assert_ptr_null(nested(TREE_MAX_DEPTH + 1));
	ck_assert_str_eq(error.text, "nested deeper than 64");
	ck_assert_ptr_null(nested(100000));
}
END_TEST

START_TEST(nodes_that_keys_make_are_counted)
{
	struct buf text = { 0 };

	for (int i = 0; i < 40000; i++)
		buf_addf(&text, "a%d::b: 1\n", i);
	ck_assert_ptr_null(tree_parse(&arena, "f",
		(weir_str){ (char *)text.ptr, text.len }, &error));
	ck_assert_str_eq(error.text, "more than 100000 nodes");
	buf_release(&text);
}
END_TEST

START_TEST(many_sources_of_many_keys_are_counted_together)
{
	struct tree_source sources[3];
	struct tree_request request = { .sources = sources, .n = 3 };

	for (size_t s = 0; s < 3; s++) {
		struct buf text = { 0 };

		buf_addf(&text, "yaml:");
		for (int i = 0; i < 20000; i++)
			buf_addf(&text, "s%zuk%d: 1\n", s, i);
		sources[s].set = false;
		sources[s].text = arena_str(&arena, (weir_str){
			(char *)text.ptr, text.len }).ptr;
		buf_release(&text);
	}
	ck_assert_ptr_null(tree_load(&arena, &request, &error));
	ck_assert_str_eq(error.text,
			 "more than 100000 nodes in all sources together");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree_join");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, later_sources_win, 0, COUNT(wins));
	tcase_add_test(tests, lists_of_the_service_grow_with_the_gate_only);
	tcase_add_test(tests, keys_in_lists_do_not_nest);
	tcase_add_loop_test(tests, every_node_knows_where_it_came_from, 0,
			    COUNT(places));
	tcase_add_loop_test(tests, what_is_wrong_names_its_source, 0,
			    COUNT(refused));
	tcase_add_test(tests, keys_nest_no_deeper_than_maps_may);
	tcase_add_test(tests, nodes_that_keys_make_are_counted);
	tcase_add_test(tests, many_sources_of_many_keys_are_counted_together);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
