/* SPDX-License-Identifier: Apache-2.0 */
/* The resource processor: actions on resources, of every signal. */
#include "attr_case.h"

static const struct {
	const char *why, *yaml, *resource, *want;
	enum weir_signal signal;
} cases[] = {
	{ "deletes", "attributes: [{key: a, action: delete}]", "a=s:1 b=s:2",
	  "resource{b=s:2} record{a=s:9}", WEIR_SIGNAL_TRACES },
	{ "upserts into an absent resource",
	  "attributes: [{key: a, value: x, action: upsert}]", NULL,
	  "resource{a=s:x} record{a=s:9}", WEIR_SIGNAL_TRACES },
	{ "upserts into an empty one",
	  "attributes: [{key: a, value: x, action: upsert}]", "",
	  "resource{a=s:x} record{a=s:9}", WEIR_SIGNAL_LOGS },
	{ "copies from another attribute",
	  "attributes: [{key: a, from_attribute: b, action: insert}]",
	  "b=i:2", "resource{b=i:2 a=i:2} record{a=s:9}",
	  WEIR_SIGNAL_METRICS },
	{ "leaves what it does not name",
	  "attributes: [{key: a, action: delete}]", "b=s:2",
	  "resource{b=s:2} record{a=s:9}", WEIR_SIGNAL_METRICS },
};

START_TEST(acts_on_resources_only)
{
	struct request r = { .resource = cases[_i].resource,
			     .record = "a=s:9" };

	expect_case("resource", cases[_i].yaml, cases[_i].signal, &r,
		    cases[_i].want);
}
END_TEST

static const char *const nothing[] = { "", "attributes:", "attributes: []" };

START_TEST(refuses_to_do_nothing)
{
	expect_refused("resource", nothing[_i], WEIR_TRACES, NULL,
		       "missing required field \"attributes\"");
}
END_TEST

START_TEST(an_error_names_the_action)
{
	expect_refused("resource",
		       "attributes:\n- {key: a, action: delete}\n"
		       "- {key: b, action: nope}\n", WEIR_TRACES,
		       "attributes[1].action",
		       "error with key \"b\" (1-th action): error creating "
		       "AttrProc due to unsupported action \"nope\"");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/resource");
	TCase *c = tcase_create("resource");
	SRunner *r = srunner_create(s);
	int failed;

	EACH(acts_on_resources_only, cases);
	EACH(refuses_to_do_nothing, nothing);
	tcase_add_test(c, an_error_names_the_action);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
