/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformance.c: what every plugin must do, whoever wrote it.
 *
 *	conformance PLUGIN.so [BLOCK.yaml]
 *
 * BLOCK.yaml is the configuration block for plugins that have required keys.
 * Each check opens the plugin anew in a glass box (<weir/testing.h>): what
 * leaks, stays unanswered, is answered twice or writes into a shared payload
 * fails there.
 */
#include <weir/testing.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

static const char *so;
static char block[65536];

/* One record of each signal, with a resource and a scope, as protoc would write
 * it: attributes k=v (service.name=s), scope lib, names op, m, body "body". */
static const char traces[] =
	"\012\114\012\025\012\023\012\014\163\145\162\166\151\143"
	"\145\056\156\141\155\145\022\003\012\001\163\022\063\012"
	"\005\012\003\154\151\142\022\052\012\020\001\002\003\004"
	"\005\006\007\010\011\012\013\014\015\016\017\020\022\010"
	"\001\002\003\004\005\006\007\010\052\002\157\160\112\010"
	"\012\001\153\022\003\012\001\166";
static const char logs[] =
	"\012\041\012\012\012\010\012\001\153\022\003\012\001\166"
	"\022\023\012\005\012\003\154\151\142\022\012\020\011\052"
	"\006\012\004\142\157\144\171";
static const char metrics[] =
	"\012\072\012\012\012\010\012\001\153\022\003\012\001\166"
	"\022\054\012\005\012\003\154\151\142\022\043\012\001\155"
	"\052\036\012\034\031\001\000\000\000\000\000\000\000\061"
	"\005\000\000\000\000\000\000\000\072\010\012\001\153\022"
	"\003\012\001\166";

static struct weir_test *open_it(uint32_t signals)
{
	struct weir_error error = { 0 };
	struct weir_test *t = weir_test_open(so, block, signals, &error);

	ck_assert_msg(t != NULL, "%s: %s: %s", so, error.path, error.text);
	return t;
}

static struct weir_test *start_it(uint32_t signals)
{
	struct weir_test *t = open_it(signals);
	struct weir_error error = { 0 };

	ck_assert_msg(!weir_test_start(t, &error), "%s: %s", so, error.text);
	return t;
}

static void close_it(struct weir_test *t)
{
	struct weir_error error = { 0 };

	ck_assert_msg(!weir_test_close(&t, &error), "%s: %s", so, error.text);
}

static const struct weir_plugin *plugin_of(struct weir_test *t)
{
	return weir_test_component(t)->plugin;
}

static bool takes_batches(const struct weir_plugin *plugin)
{
	return plugin->kind == WEIR_PROCESSOR || plugin->kind == WEIR_EXPORTER;
}

START_TEST(describes_itself)
{
	struct weir_test *t = open_it(WEIR_ALL_SIGNALS);
	const struct weir_plugin *p = plugin_of(t);

	ck_assert_uint_eq(p->abi.magic, WEIR_MAGIC);
	ck_assert_ptr_nonnull(strstr(so, p->type));
	ck_assert_msg(p->about && p->about[0], "no `about`");
	ck_assert_uint_ge(p->size, sizeof(struct weir_component));
	if (takes_batches(p)) {
		ck_assert_uint_ne(p->signals, 0);
		ck_assert_int_eq(!!p->consume + !!p->admit +
				 (p->visit || p->enter), 1);
	}
	for (const struct weir_field *f = p->fields; f && f->key; f++)
		ck_assert_msg(!f->key[0] || f->help, "%s: no sentence", f->key);
	for (const struct weir_metric_def *m = p->metrics; m && m->name; m++)
		ck_assert_msg(m->help && m->help[0], "%s: no sentence",
			      m->name);
	close_it(t);
}
END_TEST

START_TEST(is_freed_unstarted)
{
	close_it(open_it(WEIR_ALL_SIGNALS));
}
END_TEST

START_TEST(starts_and_stops_twice)
{
	struct weir_test *t = start_it(WEIR_ALL_SIGNALS);
	struct weir_component *c = weir_test_component(t);

	weir_test_stop(t);
	if (c->plugin->stop)
		c->plugin->stop(c);
	weir_test_run(t);
	close_it(t);
}
END_TEST

/* A request of each signal that the plugin takes; returns how many. */
static int send_all(struct weir_test *t, int *numbers)
{
	static const struct {
		enum weir_signal signal;
		const char *bytes;
		size_t len;
	} requests[] = {
		{ WEIR_SIGNAL_TRACES, traces, sizeof(traces) - 1 },
		{ WEIR_SIGNAL_METRICS, metrics, sizeof(metrics) - 1 },
		{ WEIR_SIGNAL_LOGS, logs, sizeof(logs) - 1 },
	};
	int n = 0;

	for (size_t i = 0; i < 3; i++) {
		struct weir_outcome refused = { 0 };

		if (!(plugin_of(t)->signals & (1u << requests[i].signal)))
			continue;
		numbers[n] = weir_test_send(t, requests[i].signal,
					    requests[i].bytes,
					    requests[i].len, &refused);
		ck_assert_msg(numbers[n] >= 0, "%s", refused.text);
		n++;
	}
	return n;
}

static void all_answered(struct weir_test *t, const int *numbers, int n)
{
	for (int i = 0; i < n; i++)
		ck_assert_msg(weir_test_answer(t, numbers[i], NULL),
			      "batch %d was not answered", i);
}

#define HOUR ((weir_duration){ INT64_C(3600000000000) })

static const enum weir_status next_says[] = {
	WEIR_OK, WEIR_UNAVAILABLE, WEIR_INVALID_ARGUMENT, WEIR_RESOURCE_EXHAUSTED
};

START_TEST(answers_every_batch_once_whatever_comes_next)
{
	struct weir_test *t = start_it(WEIR_ALL_SIGNALS);
	struct weir_outcome outcome;
	int numbers[3], n;

	if (takes_batches(plugin_of(t))) {
		weir_outcome_set(&outcome, next_says[_i], WEIR_REASON_BACKEND,
				 "conformance");
		if (outcome.status != WEIR_OK)
			weir_test_next_nacks(t, &outcome);
		n = send_all(t, numbers);
		weir_test_advance(t, HOUR);
		weir_test_stop(t);
		weir_test_advance(t, HOUR);
		all_answered(t, numbers, n);
	}
	close_it(t);
}
END_TEST

START_TEST(survives_a_stop_while_the_next_one_holds)
{
	struct weir_test *t = start_it(WEIR_ALL_SIGNALS);
	int numbers[3], n;

	if (takes_batches(plugin_of(t))) {
		weir_test_next_holds(t);
		n = send_all(t, numbers);
		weir_test_advance(t, HOUR);
		weir_test_stop(t);
		weir_test_next_acks(t);
		weir_test_release(t, NULL);
		weir_test_advance(t, HOUR);
		all_answered(t, numbers, n);
	}
	close_it(t);
}
END_TEST

START_TEST(lets_an_empty_request_through)
{
	struct weir_test *t = start_it(WEIR_ALL_SIGNALS);
	struct weir_outcome outcome = { .status = WEIR_UNKNOWN };
	int number;

	if (takes_batches(plugin_of(t)) &&
	    (plugin_of(t)->signals & WEIR_TRACES)) {
		number = weir_test_send(t, WEIR_SIGNAL_TRACES, "", 0, &outcome);
		weir_test_run(t);
		ck_assert(weir_test_answer(t, number, &outcome));
		ck_assert_int_eq(outcome.status, WEIR_OK);
	}
	close_it(t);
}
END_TEST

static void read_block(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t n;

	if (!file) {
		perror(path);
		exit(2);
	}
	n = fread(block, 1, sizeof(block) - 1, file);
	block[n] = '\0';
	fclose(file);
}

int main(int argc, char **argv)
{
	Suite *suite;
	TCase *tests;
	SRunner *runner;
	int failed;

	if (argc < 2) {
		fprintf(stderr, "usage: conformance PLUGIN.so [BLOCK.yaml]\n");
		return 2;
	}
	so = argv[1];
	if (argc > 2)
		read_block(argv[2]);
	suite = suite_create(so);
	tests = tcase_create("conformance");
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, describes_itself);
	tcase_add_test(tests, is_freed_unstarted);
	tcase_add_test(tests, starts_and_stops_twice);
	tcase_add_loop_test(tests, answers_every_batch_once_whatever_comes_next,
			    0, 4);
	tcase_add_test(tests, survives_a_stop_while_the_next_one_holds);
	tcase_add_test(tests, lets_an_empty_request_through);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
