/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_graph.c: nodes and steps of a plan, and the order in which they come
 * and go.
 */
#include "../../support/stage.h"

#define TRACES WEIR_SIGNAL_TRACES
#define LOGS WEIR_SIGNAL_LOGS
#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static struct fake source, second, one, two, three, gate, sink, drain, page;

static bool yes(struct weir_component *c, const struct weir_batch *batch,
		struct weir_outcome *refused)
{
	(void)c;
	(void)batch;
	(void)refused;
	return true;
}

static uintptr_t look(struct weir_component *c, struct weir_element *e,
		      uintptr_t parent)
{
	(void)c;
	(void)e;
	return parent;
}

static void open_stage(void)
{
	static const struct {
		enum weir_kind kind;
		struct fake *fake;
		const char *id;
	} all[] = {
		{ WEIR_RECEIVER, &source, "source" },
		{ WEIR_RECEIVER, &second, "second" },
		{ WEIR_PROCESSOR, &one, "one" },
		{ WEIR_PROCESSOR, &two, "two" },
		{ WEIR_PROCESSOR, &three, "three" },
		{ WEIR_PROCESSOR, &gate, "gate" },
		{ WEIR_EXPORTER, &sink, "sink" },
		{ WEIR_EXPORTER, &drain, "drain" },
		{ WEIR_EXTENSION, &page, "page" },
	};

	stage_open();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		all[i].fake->id = all[i].id;
		stage_add(all[i].kind, all[i].fake);
	}
	gate.admit = yes;
}

static void start_stage(void)
{
	ck_assert_int_eq(stage_start(&(struct weir_error){ 0 }), 0);
}

/* --- Order --------------------------------------------------------------- */

static struct plan_component *pages[1];

static void wire_all(void)
{
	stage_pipeline("traces", TRACES, "source", "one two", "sink drain");
	stage_pipeline("logs", LOGS, "source second", "one", "sink");
	pages[0] = stage_find("page", 4);
	stage.plan.extensions = pages;
	stage.plan.n_extensions = 1;
}

START_TEST(starts_from_the_end_and_stops_from_the_beginning)
{
	open_stage();
	wire_all();
	start_stage();
	/* a processor is one for each pipeline, an exporter one for all */
	ck_assert_str_eq(stage.log, "start page, start sink, start drain, "
			 "start one, start two, start one, start source, "
			 "start second");
	stage.log[0] = '\0';
	stage_stop(true);
	ck_assert_str_eq(stage.log, "stop source, stop second, stop one, "
			 "stop one, stop two, stop sink, stop drain");
	stage.log[0] = '\0';
	stage_close();
	ck_assert_str_eq(stage.log, "stop page");
	ck_assert_uint_eq(one.destroyed, 2);
	ck_assert_uint_eq(sink.destroyed, 1);
	ck_assert_uint_eq(page.destroyed, 1);
}
END_TEST

START_TEST(a_start_that_fails_is_told_and_all_are_destroyed)
{
	struct weir_error error = { 0 };

	open_stage();
	wire_all();
	one.fails_to_start = true;
	ck_assert_int_eq(stage_start(&error), -1);
	ck_assert_str_eq(error.text,
			 "cannot start processor \"one\": it is a fake");
	ck_assert_str_eq(stage.log, "start page, start sink, start drain, "
			 "start one");
	stage.log[0] = '\0';
	stage_stop(true);	/* the failed one may have begun something */
	ck_assert_str_eq(stage.log, "stop one, stop sink, stop drain");
	stage_close();
	ck_assert_uint_eq(source.destroyed, 1);
	ck_assert_uint_eq(two.destroyed, 1);
}
END_TEST

/* --- Steps --------------------------------------------------------------- */

/* "admit gate, run one two, process three, export sink" */
static void describe(const struct step *step, char *out, size_t size)
{
	static const char *const kinds[] = { "fan", "admit", "run", "process",
					     "export" };
	size_t len = strlen(out);

	snprintf(out + len, size - len, "%s%s", len ? ", " : "",
		 kinds[step->kind]);
	for (size_t i = 0; step->kind == STEP_RUN && i < step->n; i++) {
		len = strlen(out);
		snprintf(out + len, size - len, " %s",
			 step->stages[i]->plan->id);
	}
	len = strlen(out);
	if (step->node)
		snprintf(out + len, size - len, " %s", step->node->plan->id);
	if (step->next)
		describe(step->next, out, size);
}

static const struct {
	const char *processors, *steps;
	bool noted;		/* the validating walk looks for the run */
} lines[] = {
	{ "", "export sink", false },
	{ "one", "run one, export sink", true },
	{ "one two", "run one two, export sink", true },
	{ "one gate two", "admit gate, run one two, export sink", true },
	{ "gate one", "admit gate, run one, export sink", true },
	{ "one gate", "admit gate, run one, export sink", true },
	{ "gate", "admit gate, export sink", false },
	{ "one three two", "run one, process three, run two, export sink",
	  true },
	{ "three one two", "process three, run one two, export sink", false },
	{ "gate three one",
	  "admit gate, process three, run one, export sink", false },
};

START_TEST(neighbouring_stages_are_one_run_behind_admission)
{
	const struct step *first;
	char steps[256] = "";

	open_stage();
	one.visit = two.visit = look;
	stage_pipeline("traces", TRACES, "source", lines[_i].processors,
		       "sink");
	start_stage();
	first = source.node->next[TRACES];
	describe(first, steps, sizeof(steps));
	ck_assert_str_eq(steps, lines[_i].steps);
	ck_assert_int_eq(source.node->first_run[TRACES] != NULL,
			 lines[_i].noted);
	ck_assert_ptr_null(source.node->next[LOGS]);
	ck_assert(weir_has_pipeline(source.c, TRACES));
	ck_assert(!weir_has_pipeline(source.c, LOGS));
	stage_stop(true);
	stage_close();
}
END_TEST

START_TEST(behind_a_fan_of_pipelines_the_walk_looks_for_nothing)
{
	open_stage();
	one.visit = look;
	stage_pipeline("traces", TRACES, "source", "one", "sink");
	stage_pipeline("traces/2", TRACES, "source second", "one", "drain");
	start_stage();
	ck_assert_int_eq(source.node->next[TRACES]->kind, STEP_FAN);
	ck_assert_uint_eq(source.node->next[TRACES]->n, 2);
	ck_assert_ptr_null(source.node->first_run[TRACES]);
	ck_assert_ptr_nonnull(second.node->first_run[TRACES]);
	stage_stop(true);
	stage_close();
}
END_TEST

START_TEST(a_level_is_idle_when_nothing_is_held_and_nothing_comes_back)
{
	struct graph *graph;

	open_stage();
	one.does = FAKE_TRACKS;
	sink.does = FAKE_HOLDS;
	stage_pipeline("traces", TRACES, "source", "one", "sink");
	start_stage();
	graph = stage.workers[0].graph;
	for (uint32_t level = 0; level < 3; level++)
		ck_assert(graph_idle(graph, level));
	stage_send(&source, 3);
	for (uint32_t level = 0; level < 3; level++)
		ck_assert(!graph_idle(graph, level));
	stage_end(&sink, NULL);
	for (uint32_t level = 0; level < 3; level++)
		ck_assert(graph_idle(graph, level));
	stage_stop(true);
	stage_close();
}
END_TEST

START_TEST(extensions_are_found_by_id)
{
	struct weir_component *found = NULL;
	struct weir_error error = { 0 };

	open_stage();
	wire_all();
	start_stage();
	ck_assert_ptr_nonnull(weir_extension_find(source.c, WEIR_STR("page"),
						  &found, &error));
	ck_assert_ptr_eq(found, page.c);
	ck_assert_ptr_null(weir_extension_find(source.c, WEIR_STR("sink"),
					       &found, &error));
	ck_assert_str_eq(error.text, "extension \"sink\" not found");
	stage_stop(true);
	stage_close();
}
END_TEST

int main(void)
{
	const struct stage_test tests[] = {
		{ starts_from_the_end_and_stops_from_the_beginning, 0 },
		{ a_start_that_fails_is_told_and_all_are_destroyed, 0 },
		{ neighbouring_stages_are_one_run_behind_admission,
		  ROWS(lines) },
		{ behind_a_fan_of_pipelines_the_walk_looks_for_nothing, 0 },
		{ a_level_is_idle_when_nothing_is_held_and_nothing_comes_back,
		  0 },
		{ extensions_are_found_by_id, 0 },
	};

	return stage_main("core/graph", tests, ROWS(tests));
}
