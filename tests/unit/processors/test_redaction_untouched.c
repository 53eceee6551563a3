/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cannot hold a secret is not decoded: with every detector on, typical
 * spans are shown to nobody and leave byte for byte as they came.
 */
#include "attr_case.h"

#include "../../support/otlp_gen.h"

#define RULES "allow_all_keys: true\nlevels: all\n"
#define ALL RULES "detectors: [email, payment_card, iban, jwt, private_key, " \
	"credentials, cloud_key, llm_key]\n"
#define SPANS 200

/* The processor with its callbacks counted. */
static struct weir_plugin counting;
static const struct weir_plugin *counted;
static unsigned shown;

static uintptr_t count_visit(struct weir_component *c, struct weir_element *e,
			     uintptr_t parent)
{
	shown++;
	return counted->visit(c, e, parent);
}

static uintptr_t count_enter(struct weir_component *c, struct weir_element *e,
			     uintptr_t parent)
{
	shown++;
	return counted->enter(c, e, parent);
}

/* Sends it; returns how many elements were shown, *same: it came unchanged. */
static unsigned shown_of(const char *yaml, const void *bytes, size_t len,
			 bool *same)
{
	struct weir_error error = { .text = "" };
	struct weir_test *t = weir_test_open(plugin_path("redaction"), yaml,
					     WEIR_TRACES, &error);
	struct weir_component *c;
	struct weir_outcome outcome;

	ck_assert_msg(t && !weir_test_start(t, &error), "%s", error.text);
	c = weir_test_component(t);
	counted = c->plugin;
	counting = *counted;
	counting.visit = count_visit;
	counting.enter = count_enter;
	c->plugin = &counting;
	shown = 0;
	ck_assert_int_ge(weir_test_send(t, WEIR_SIGNAL_TRACES, bytes, len,
					&outcome), 0);
	weir_test_run(t);
	c->plugin = counted;
	ck_assert_uint_eq(weir_test_passed(t), 1);
	*same = weir_str_eq(weir_test_bytes(t, 0), (weir_str){ bytes, len });
	weir_test_stop(t);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
	return shown;
}

START_TEST(typical_spans_are_not_decoded)
{
	struct otlp_bytes in = otlp_typical_traces(SPANS, 0, 7);
	bool same;

	ck_assert_uint_eq(shown_of(ALL, in.ptr, in.len, &same), 0);
	ck_assert(same);
	ck_assert_uint_eq(shown_of(ALL "structured_strings: {enabled: true}\n",
				   in.ptr, in.len, &same), 0);
	ck_assert(same);
	otlp_bytes_free(&in);
}
END_TEST

START_TEST(those_with_a_secret_are)
{
	struct otlp_bytes in = otlp_typical_traces(SPANS, 1000, 7);
	bool same;

	ck_assert_uint_ge(shown_of(ALL, in.ptr, in.len, &same), SPANS);
	ck_assert(!same);
	otlp_bytes_free(&in);
}
END_TEST

static const struct {
	const char *why, *yaml, *record;
	bool shown, same;
} spans[] = {
	{ "ordinary keys", ALL, "http.response.status_code=i:200 index=i:3 "
	  "db.cached=b:1 db.response.returned_rows=i:17 "
	  "gen_ai.usage.input_tokens=i:4711 gen_ai.request.temperature=d:0.5 "
	  "gen_ai.request.model=s:large-4 rpc.grpc.status_code=i:0 "
	  "k8s.pod.name=s:shop-7d4b9c6f5-x2x9z service.name=s:checkout "
	  "messaging.rabbitmq.destination.routing_key=s:orders", false, true },
	{ "a name of a secret", ALL, "db.password=s:hunter2", true, false },
	{ "with a number", ALL, "db.password=i:471147", true, false },
	{ "nothing to find behind it", ALL, "db.password=s:none", true, true },
	{ "a safe name", ALL "safe_keys: ['^db[.]password$']\n",
	  "db.password=s:hunter2", false, true },
	{ "a count of tokens", ALL, "gen_ai.usage.token=i:4711", false, true },
	{ "no detector for names", RULES "detectors: [email, llm_key]\n",
	  "db.password=s:hunter2", false, true },
};

START_TEST(only_what_speaks_is_decoded)
{
	struct request r = { .record = spans[_i].record };
	struct bytes in = { .len = 0 };
	bool same, any;

	write_request(WEIR_SIGNAL_TRACES, &r, &in);
	any = shown_of(spans[_i].yaml, in.v, in.len, &same);
	ck_assert_msg(any == spans[_i].shown && same == spans[_i].same,
		      "%s: shown %d, same %d", spans[_i].why, any, same);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/redaction: untouched");
	TCase *tests = tcase_create("untouched");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, typical_spans_are_not_decoded);
	tcase_add_test(tests, those_with_a_secret_are);
	tcase_add_loop_test(tests, only_what_speaks_is_decoded, 0,
			    (int)(sizeof(spans) / sizeof(*spans)));
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
