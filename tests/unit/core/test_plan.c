/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_plan: a configuration to a plan, and the sentence when there is none.
 */
#include <check.h>

#include "../../support/plugins.h"

#include "base/log.h"
#include "config/plan.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char dir[64];
static struct loader *loader;
static struct weir_error error;
static struct plan *plan;

/* Built once, before the tests fork. */
static void build_plugins(void)
{
	plugins_dir(dir, sizeof(dir));
	plugins_build(dir, "receivers/otlp.so",
		      "-DKIND=WEIR_RECEIVER -DTYPE='\"otlp\"'");
	plugins_build(dir, "processors/batch.so",
		      "-DKIND=WEIR_PROCESSOR -DTYPE='\"batch\"'");
	plugins_build(dir, "processors/spans.so", "-DKIND=WEIR_PROCESSOR "
		      "-DTYPE='\"spans\"' -DSIGNALS=WEIR_TRACES");
	plugins_build(dir, "exporters/otlp_grpc.so", "-DKIND=WEIR_EXPORTER "
		      "-DTYPE='\"otlp_grpc\"' -DALIASES='\"otlp\"'");
	plugins_build(dir, "exporters/logs.so", "-DKIND=WEIR_EXPORTER "
		      "-DTYPE='\"logs\"' -DSIGNALS=WEIR_LOGS");
	plugins_build(dir, "extensions/health.so", "-DKIND=WEIR_EXTENSION "
		      "-DTYPE='\"health\"' -DSIGNALS=0");
	plugins_build(dir, "extensions/telemetry.so", "-DKIND=WEIR_EXTENSION "
		      "-DTYPE='\"telemetry\"' -DSIGNALS=0");
	plugins_build(dir, "extensions/telemetry_push.so",
		      "-DKIND=WEIR_EXTENSION -DTYPE='\"telemetry_push\"' "
		      "-DSIGNALS=0");
}

static void setup(void)
{
	weir_str none[] = { WEIR_STR("/dev/null") };
	struct log_options quiet = { .paths = { none, 1 } };

	ck_assert_int_eq(log_setup(&quiet, &error), 0);
	loader = loader_new(dir);
}

static void teardown(void)
{
	plan_free(&plan);
	loader_free(&loader);
}

static struct plan *parse(const char *text)
{
	plan_free(&plan);
	plan = plan_parse(loader, "f.yaml", weir_str_of(text), &error);
	return plan;
}

static void good(const char *text)
{
	char why[1200];

	parse(text);
	plan_error_text(&error, why, sizeof(why));
	ck_assert_msg(plan != NULL, "%s", why);
}

#define HEAD "receivers: {otlp: , otlp/2: }\n"			\
	     "processors: {batch: , batch/2: , spans: }\n"	\
	     "exporters: {otlp: , otlp_grpc/b: , logs: }\n"	\
	     "extensions: {health: , health/x: }\n"
#define PIPES "  pipelines:\n    traces: {receivers: [otlp], exporters: [otlp]}\n"

/* --- what a plan holds ---------------------------------------------------------- */

START_TEST(a_plan_holds_what_service_refers_to)
{
	good(HEAD "service:\n  extensions: [health/x, health/x]\n"
	     "  pipelines:\n"
	     "    traces/a: {receivers: [otlp/2, otlp/2], "
	     "processors: [spans, batch], exporters: [otlp, otlp_grpc/b]}\n"
	     "    logs: {receivers: [otlp/2], exporters: [otlp]}\n");
	ck_assert_uint_eq(plan->n_pipelines, 2);
	ck_assert_str_eq(plan->pipelines[0].id, "traces/a");
	ck_assert_int_eq(plan->pipelines[1].signal, WEIR_SIGNAL_LOGS);
	ck_assert_uint_eq(plan->pipelines[0].n_receivers, 1);
	ck_assert_str_eq(plan->pipelines[0].processors[1]->id, "batch");
	ck_assert_str_eq(plan->pipelines[0].exporters[0]->id, "otlp");
	ck_assert_str_eq(plan->pipelines[0].exporters[0]->plugin->type,
			 "otlp_grpc");
	ck_assert_uint_eq(plan->pipelines[0].exporters[0]->signals,
			  WEIR_TRACES | WEIR_LOGS);
	ck_assert_uint_eq(plan->pipelines[0].receivers[0]->prototype->signals,
			  WEIR_TRACES | WEIR_LOGS);
	/* otlp/2, spans, batch, otlp, otlp_grpc/b, health/x, telemetry */
	ck_assert_uint_eq(plan->n_components, 7);
	ck_assert_uint_eq(plan->n_extensions, 2);
	ck_assert_str_eq(plan->extensions[0]->id, "health/x");
	ck_assert_str_eq(plan->extensions[1]->id, "telemetry");
	for (size_t i = 0; i < plan->n_components; i++)
		ck_assert_str_eq(plan->components[i].prototype->id,
				 plan->components[i].id);
}
END_TEST

START_TEST(ids_are_trimmed_around_the_slash)
{
	good(HEAD "service:\n"
	     "  pipelines: {' traces / x': {receivers: [' otlp / 2 '], "
	     "exporters: [otlp]}}\n");
	ck_assert_str_eq(plan->pipelines[0].id, "traces/x");
	ck_assert_str_eq(plan->pipelines[0].receivers[0]->id, "otlp/2");
}
END_TEST

static bool page_is(size_t i, const char *host, int64_t port)
{
	const struct weir_node *page = plan->telemetry.readers[i].node;
	weir_str said = weir_node_text(weir_node_get(page, WEIR_STR("host")));

	return weir_str_eq(said, weir_str_of(host)) &&
	       weir_node_int(weir_node_get(page, WEIR_STR("port"))) == port;
}

START_TEST(without_service_keys_the_defaults_hold)
{
	good(HEAD "service:\n" PIPES);
	ck_assert_uint_eq(plan->workers, 0);
	ck_assert_int_eq(plan->drain_timeout.ns, 20000000000);
	ck_assert(weir_str_eq(plan->telemetry.log.level, WEIR_STR("info")));
	ck_assert(weir_str_eq(plan->telemetry.log.encoding,
			      WEIR_STR("console")));
	ck_assert(plan->telemetry.log.sampling->enabled);
	ck_assert_int_eq(plan->telemetry.log.sampling->initial, 10);
	ck_assert_uint_eq(plan->telemetry.n_readers, 1);
	ck_assert(page_is(0, "localhost", 8888));
}
END_TEST

START_TEST(our_keys_are_read)
{
	good(HEAD "service:\n  workers: 3\n  ack: received\n"
	     "  drain_timeout: 5s\n" PIPES);
	ck_assert_uint_eq(plan->workers, 3);
	ck_assert_int_eq(plan->drain_timeout.ns, 5000000000);
	good(HEAD "service:\n  workers: auto\n" PIPES);
	ck_assert_uint_eq(plan->workers, 0);
}
END_TEST

START_TEST(telemetry_is_read)
{
	const struct plan_telemetry *t;

	good(HEAD "service:\n  telemetry:\n"
	     "    logs: {level: DEBUG, encoding: json, disable_caller: true,"
	     " output_paths: [stdout, /tmp/x], sampling: {enabled: false},"
	     " initial_fields: {a: b}}\n"
	     "    metrics: {level: Detailed, readers: [{pull: {exporter: "
	     "{prometheus: {host: 0.0.0.0, port: 9999, without_units: false}"
	     "}}}]}\n"
	     "    traces: {level: none}\n"
	     "    resource: {a: '1', service.name: }\n" PIPES);
	t = &plan->telemetry;
	ck_assert(weir_str_eq(t->log.level, WEIR_STR("debug")));
	ck_assert(weir_str_eq(t->log.encoding, WEIR_STR("json")));
	ck_assert(t->log.disable_caller && t->log.resource);
	ck_assert(!t->log.sampling->enabled);
	ck_assert_uint_eq(t->log.paths.len, 2);
	ck_assert_uint_eq(weir_node_len(t->log.initial_fields), 1);
	ck_assert(page_is(0, "0.0.0.0", 9999));
	ck_assert(weir_str_eq(t->metrics_level, WEIR_STR("detailed")));
	ck_assert_uint_eq(t->n_resource, 2);
	ck_assert(weir_str_eq(t->resource[0].value, WEIR_STR("1")));
	ck_assert_ptr_null(t->resource[1].value.ptr);
}
END_TEST

START_TEST(the_declared_form_of_resource_works)
{
	good(HEAD "service:\n  telemetry: {resource: {attributes: "
	     "[{name: a, value: b}, {name: n, value: 5}]}}\n" PIPES);
	ck_assert_uint_eq(plan->telemetry.n_resource, 2);
	ck_assert(weir_str_eq(plan->telemetry.resource[1].value,
			      WEIR_STR("5")));
	ck_assert(weir_str_eq(plan->telemetry.resource[0].name,
			      WEIR_STR("a")));
	ck_assert(weir_str_eq(plan->telemetry.resource[0].value,
			      WEIR_STR("b")));
}
END_TEST

START_TEST(an_old_metrics_address_is_a_reader)
{
	good(HEAD "service:\n  telemetry: {metrics: {address: ':9090'}}\n"
	     PIPES);
	ck_assert(page_is(0, "0.0.0.0", 9090));
	good(HEAD "service:\n  telemetry: {metrics: {address: '[::1]:9090'}}\n"
	     PIPES);
	ck_assert(page_is(0, "::1", 9090));
}
END_TEST

START_TEST(with_level_none_nothing_is_served)
{
	good(HEAD "service:\n  telemetry: {metrics: {level: none}}\n" PIPES);
	ck_assert_uint_eq(plan->telemetry.n_readers, 0);
	ck_assert_uint_eq(plan->n_extensions, 0);
}
END_TEST

#define PAGE(port) "{pull: {exporter: {prometheus: {host: h, port: " port "}}}}"

START_TEST(each_reader_is_an_extension)
{
	good(HEAD "service:\n  telemetry: {metrics: {readers: ["
	     PAGE("1") ", " PAGE("2") ", {periodic: {host: x, port: 3}}]}}\n"
	     PIPES);
	ck_assert_uint_eq(plan->n_extensions, 3);
	ck_assert_str_eq(plan->extensions[0]->id, "telemetry");
	ck_assert_str_eq(plan->extensions[1]->id, "telemetry/2");
	ck_assert(page_is(1, "h", 2));
	ck_assert_str_eq(plan->extensions[2]->id, "telemetry_push/3");
	ck_assert(page_is(2, "x", 3));
}
END_TEST

START_TEST(references_reach_every_corner)
{
	setenv("WORKERS", "2", 1);
	setenv("PIPES", "{logs: {receivers: [otlp], exporters: [logs]}}", 1);
	good(HEAD "service: {workers: '${WORKERS}', pipelines: "
	     "'${env:PIPES}'}\n");
	ck_assert_uint_eq(plan->workers, 2);
	ck_assert_int_eq(plan->pipelines[0].signal, WEIR_SIGNAL_LOGS);
}
END_TEST

/* --- refusals ------------------------------------------------------------------------ */

static const struct {
	const char *text, *error;
} refused[] = {
	{ "", "f.yaml:1:1: empty configuration file" },
	{ "{}", "f.yaml:1:1: empty configuration file" },
	{ "[a]", "f.yaml:1:1: expected a map, got a list" },
	{ HEAD "servce: {}", "f.yaml:5:1: unknown key \"servce\"; did you mean "
	  "\"service\"?" },
	{ "a: &a {}\n" HEAD, "f.yaml:1:1: unknown key \"a\"" },
	{ "receivers: [otlp]", "f.yaml:1:12: receivers: expected a map" },
	{ "receivers: {otlp: {endpont: x}}", "f.yaml:1:20: receivers.otlp: "
	  "unknown key \"endpont\"; did you mean \"endpoint\"?" },
	{ "exporters: {otlp/2: {timeout: x}}", "f.yaml:1:31: exporters.otlp/2."
	  "timeout: invalid duration \"x\"" },
	{ "processors: {batsh/x: }", "f.yaml:1:14: processors.batsh/x: unknown "
	  "type: \"batsh\" for id: \"batsh/x\"; did you mean \"batch\"? (valid "
	  "values: [batch spans])" },
	{ "exporters: {logging: }", "f.yaml:1:13: exporters.logging: the "
	  "logging exporter has been deprecated, use the debug exporter "
	  "instead" },
	{ "receivers: {otlp: , ' otlp': }", "f.yaml:1:21: receivers: duplicate "
	  "name \"otlp\" after unmarshaling" },
	{ "receivers: {'': }", "receivers: id must not be empty" },
	{ "receivers: {otlp/: }", "in \"otlp/\" id: the part after / should "
	  "not be empty" },
	{ "receivers: {/x: }", "in \"/x\" id: the part before / should not be "
	  "empty" },
	{ "receivers: {o-p: }", "invalid character(s) in type \"o-p\"" },
	{ "receivers: {otlp/a b: }", "invalid character(s) in name \"a b\"" },
	{ "receivers: {\"otlp/a\\u00a0b\": }", "invalid character(s) in name" },
	{ "exporters: {otlp: }", "f.yaml:1:1: receivers: no receiver "
	  "configuration specified in config" },
	{ "receivers: {otlp: }", "f.yaml:1:1: exporters: no exporter "
	  "configuration specified in config" },
	{ HEAD "service:", "service must have at least one pipeline" },
	{ HEAD "service: {pipelines: {foo: }}", "f.yaml:5:23: service."
	  "pipelines: in \"foo\" id: unknown pipeline signal: \"foo\"" },
	{ HEAD "service: {pipelines: {traces: }}", "f.yaml:5:23: service."
	  "pipelines.traces: must have at least one receiver" },
	{ HEAD "service: {pipelines: {traces: {receivers: [otlp]}}}",
	  "service.pipelines.traces: must have at least one exporter" },
	{ HEAD "service: {pipelines: {traces: {receivers: [otpl], exporters: "
	  "[otlp]}}}", "f.yaml:5:44: service.pipelines.traces: references "
	  "receiver \"otpl\" which is not configured; did you mean \"otlp\"?" },
	{ HEAD "service: {pipelines: {traces: {receivers: otlp, exporters: "
	  "[otlp]}}}", "expected a list of ids, got a string" },
	{ HEAD "service: {pipelines: {traces: {receivers: [otlp], processors: "
	  "[batch, batch], exporters: [otlp]}}}", "f.yaml:5:71: service."
	  "pipelines.traces: references processor \"batch\" multiple times" },
	{ HEAD "service: {pipelines: {traces: {receivers: [otlp], exporters: "
	  "[logs]}}}", "failed to create \"logs\" exporter for data type "
	  "\"traces\": telemetry type is not supported" },
	{ HEAD "service: {pipelines: {logs: {receivers: [otlp], processors: "
	  "[spans], exporters: [logs]}}}", "failed to create \"spans\" "
	  "processor, in pipeline \"logs\": telemetry type is not supported" },
	{ HEAD "service:\n  extensions: [nope]\n" PIPES, "f.yaml:6:16: service."
	  "extensions: references extension \"nope\" which is not configured" },
	{ HEAD "service:\n  ack: durable\n" PIPES, "f.yaml:6:8: service.ack: "
	  "ack \"durable\" is not possible in this version, only \"received\" "
	  "is" },
	{ HEAD "service: {pipelines: {traces: {receivers: [otlp], exporters: "
	  "[otlp], ack: delivered}}}", "ack \"delivered\" is not possible" },
	{ HEAD "service:\n  workers: 0\n" PIPES, "f.yaml:6:12: service.workers:"
	  " expected auto, or a number from 1 to 256" },
	{ HEAD "service:\n  workers: many\n" PIPES, "expected auto" },
	{ HEAD "service:\n  drain_timeout: -1s\n" PIPES, "f.yaml:6:18: service."
	  "drain_timeout: must not be negative" },
	{ HEAD "service:\n  telemetry: {logs: {level: loud}}\n" PIPES,
	  "f.yaml:6:29: service.telemetry.logs.level: unrecognized level: "
	  "\"loud\"" },
	{ HEAD "service:\n  telemetry: {metrics: {readers: []}}\n" PIPES,
	  "collector telemetry metrics reader should exist when metric level "
	  "is not none" },
	{ HEAD "service:\n  telemetry: {metrics: {readers: [{periodic: "
	  "{hots: h}}]}}\n" PIPES,
	  "f.yaml:6:47: service.telemetry.metrics.readers[0].periodic: "
	  "unknown key \"hots\"; did you mean \"host\"?" },
	{ HEAD "service:\n  telemetry: {metrics: {readers: [{periodic: {}, "
	  "pull: {}}]}}\n" PIPES,
	  "must not specify multiple metric reader type" },
	{ HEAD "service:\n  telemetry: {metrics: {readers: [{}]}}\n" PIPES,
	  "no valid metric exporter" },
	{ HEAD "service:\n  telemetry: {metrics: {address: here}}\n" PIPES,
	  "\"here\" is not host:port" },
	{ HEAD "service:\n  telemetry: {metrics: {level: some}}\n" PIPES,
	  "unknown metrics level \"some\"" },
	{ HEAD "service:\n  telemetry: {metrics: {views: []}}\n" PIPES,
	  "f.yaml:6:32: service.telemetry.metrics.views: service::telemetry::"
	  "metrics::views can only be set when" },
	{ HEAD "service:\n  telemetry: {metrics: {readers: [{pull: {exporter: "
	  "{prometheus: {host: h}}}}]}}\n" PIPES,
	  "f.yaml:6:66: service.telemetry.metrics.readers[0].pull.exporter."
	  "prometheus: port must be specified" },
	{ HEAD "service:\n  telemetry: {metrics: {readers: [{pull: {exporter: "
	  "{prometheus: {host: h, port: 1, x: 1}}}}]}}\n" PIPES,
	  "service.telemetry.metrics.readers[0].pull.exporter.prometheus: "
	  "unknown key \"x\"" },
	{ HEAD "service:\n  telemetry: {traces: {level: loud}}\n" PIPES,
	  "f.yaml:6:31: service.telemetry.traces.level: unknown metrics level "
	  "\"loud\"" },
	{ HEAD "service:\n  telemetry: {traces: {lever: none}}\n" PIPES,
	  "unknown key \"lever\"; did you mean \"level\"?" },
	{ HEAD "service:\n  telemetry: {logs: {processors: [{}]}}\n" PIPES,
	  "weir does not send its own log anywhere" },
	{ HEAD "service:\n  telemetry: {logs: {output_paths: ['ftp://x']}}\n"
	  PIPES, "f.yaml:6:36: service.telemetry.logs.output_paths: open sink "
	  "\"ftp://x\": no sink found for scheme \"ftp\"" },
	{ HEAD "service:\n  telemetry: {logs: {initial_fields: [a]}}\n" PIPES,
	  "service.telemetry.logs.initial_fields: expected a map, got a list" },
	{ HEAD "service:\n  telemetry: {resource: {a: b, attributes: []}}\n"
	  PIPES, "resource::attributes cannot be used together" },
	{ HEAD "service:\n  telemetry: {resource: {attributes_list: a=b}}\n"
	  PIPES, "attributes_list is not currently supported" },
	{ HEAD "service:\n  telemetry: {resource: {attributes: [{name: a, "
	  "type: int}]}}\n" PIPES, "type is not possible" },
	{ HEAD "service:\n  telemetry: {resource: {a: 1}}\n" PIPES,
	  "legacy resource attribute \"a\" must be string or null" },
	/* what nobody uses is bound and validated too */
	{ "receivers: {otlp: , otlp/2: {fail: true}}\nexporters: {otlp: }\n"
	  "service:\n" PIPES, "f.yaml:1:36: receivers.otlp/2.fail: refused by "
	  "otlp/2" },
};

START_TEST(what_is_wrong_is_said_in_one_sentence_with_its_place)
{
	char text[1200];

	ck_assert_msg(!parse(refused[_i].text), "took %s", refused[_i].text);
	plan_error_text(&error, text, sizeof(text));
	ck_assert_msg(strstr(text, refused[_i].error) != NULL,
		      "said \"%s\", wanted \"%s\"", text, refused[_i].error);
	ck_assert_ptr_null(strchr(text, '\n'));
}
END_TEST

START_TEST(a_file_that_is_not_there_is_said)
{
	char text[1200];

	ck_assert_ptr_null(plan_load(loader, "/nonexistent.yaml", &error));
	plan_error_text(&error, text, sizeof(text));
	ck_assert_str_eq(text, "/nonexistent.yaml: No such file or directory");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	build_plugins();
	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_plan_holds_what_service_refers_to);
	tcase_add_test(tests, ids_are_trimmed_around_the_slash);
	tcase_add_test(tests, without_service_keys_the_defaults_hold);
	tcase_add_test(tests, our_keys_are_read);
	tcase_add_test(tests, telemetry_is_read);
	tcase_add_test(tests, each_reader_is_an_extension);
	tcase_add_test(tests, the_declared_form_of_resource_works);
	tcase_add_test(tests, an_old_metrics_address_is_a_reader);
	tcase_add_test(tests, with_level_none_nothing_is_served);
	tcase_add_test(tests, references_reach_every_corner);
	tcase_add_loop_test(tests,
		what_is_wrong_is_said_in_one_sentence_with_its_place, 0,
		COUNT(refused));
	tcase_add_test(tests, a_file_that_is_not_there_is_said);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	plugins_remove(dir);
	return failed ? 1 : 0;
}
