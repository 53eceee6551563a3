/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_snapshot.c: the counters of all workers as the Collector's series:
 * sums, labels, and when a series is there at all.
 */
#include "../../support/stage.h"

#define TRACES WEIR_SIGNAL_TRACES
#define LOGS WEIR_SIGNAL_LOGS
#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

static struct fake source, middle, sink;
static unsigned shots;

static void open_stage(uint32_t n)
{
	stage_open_on(n);
	source.id = "otlp/in";
	middle.id = "attributes";
	sink.id = "otlp_grpc";
	stage_add(WEIR_RECEIVER, &source);
	stage_add(WEIR_PROCESSOR, &middle);
	stage_add(WEIR_EXPORTER, &sink);
	stage_pipeline("traces", TRACES, "otlp/in", "attributes", "otlp_grpc");
	stage_pipeline("logs", LOGS, "otlp/in", "", "otlp_grpc");
}

static void start_stage(void)
{
	middle.does = FAKE_FORWARDS;
	ck_assert_int_eq(stage_start(&(struct weir_error){ 0 }), 0);
}

static void close_stage(void)
{
	stage_stop(true);
	stage_close();
}

/* --- Reading ------------------------------------------------------------- */

struct wanted {
	const char *name, *labels;	/* "a=b c=d", NULL: any */
	double value;			/* out; -1: it is not there */
	const struct weir_family *family;
};

static void labels_text(const struct weir_sample *sample, char *out,
			size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sample->n_labels && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%.*s=%.*s",
				       i ? " " : "",
				       WEIR_STR_FMT(sample->labels[i].name),
				       WEIR_STR_FMT(sample->labels[i].value));
}

static double sample_value(const struct weir_family *family,
			   const struct weir_sample *sample)
{
	if (family->type == WEIR_METRIC_HISTOGRAM)
		return (double)sample->histogram->count;
	if (family->is_real)
		return sample->real;
	return family->type == WEIR_METRIC_GAUGE ? (double)sample->gauge
						 : (double)sample->counter;
}

static void find(struct weir_component *c, void *arg,
		 const struct weir_family *families, size_t n)
{
	struct wanted *wanted = arg;
	char labels[256];

	(void)c;
	shots++;
	for (size_t i = 0; i < n; i++) {
		const struct weir_family *family = &families[i];

		if (!weir_str_eq(family->name, weir_str_of(wanted->name)))
			continue;
		for (size_t k = 0; k < family->n_samples; k++) {
			labels_text(&family->samples[k], labels,
				    sizeof(labels));
			if (wanted->labels && strcmp(labels, wanted->labels))
				continue;
			ck_assert_msg(wanted->value < 0, "twice: %s", labels);
			wanted->value = sample_value(family,
						     &family->samples[k]);
		}
	}
}

static double value_of(const char *name, const char *labels)
{
	struct wanted wanted = { .name = name, .labels = labels, .value = -1 };
	unsigned before = shots;

	weir_metrics_snapshot(source.c, find, &wanted);
	stage_run();
	ck_assert_uint_eq(shots, before + 1);
	return wanted.value;
}

/* --- Edges --------------------------------------------------------------- */

#define IN "receiver=otlp/in transport=grpc"
#define OUT "exporter=otlp_grpc"
#define THROUGH "processor=attributes otel_signal=traces"

START_TEST(sums_what_the_workers_count)
{
	open_stage(2);
	start_stage();
	for (uint32_t i = 0; i < 2; i++) {
		struct weir_node_instance *node = stage_node(i, &source);

		weir_set_transport(node->c, "grpc");
		weir_count_refused(node->c, TRACES, WEIR_REASON_MALFORMED,
				   i + 1);
		weir_count_sent(stage_node(i, &sink)->c, TRACES, 100 * (i + 1));
		weir_count_dropped(stage_node(i, &sink)->c, TRACES,
				   WEIR_REASON_GAVE_UP, 10 * (i + 1));
	}
	ck_assert_double_eq(value_of("otelcol_receiver_refused_spans", IN), 3);
	ck_assert_double_eq(value_of("otelcol_receiver_accepted_spans", IN), 0);
	ck_assert_double_eq(value_of("otelcol_exporter_sent_spans", OUT), 300);
	ck_assert_double_eq(value_of("weir_dropped_items", OUT
				     " otel_signal=traces reason=gave_up"), 30);
	ck_assert_double_eq(value_of("weir_refused_requests",
				     "receiver=otlp/in otel_signal=traces "
				     "reason=malformed"), 2);
	close_stage();
}
END_TEST

START_TEST(a_batch_is_counted_at_every_edge)
{
	open_stage(1);
	start_stage();
	weir_set_transport(source.c, "grpc");
	stage_send(&source, 5);
	stage_send(&source, 2);
	ck_assert_double_eq(value_of("otelcol_receiver_accepted_spans", IN), 7);
	ck_assert_double_eq(value_of("otelcol_receiver_refused_spans", IN), 0);
	ck_assert_double_eq(value_of("otelcol_processor_incoming_items",
				     THROUGH), 7);
	ck_assert_double_eq(value_of("otelcol_processor_outgoing_items",
				     THROUGH), 7);
	close_stage();
}
END_TEST

START_TEST(each_transport_of_a_receiver_is_counted_for_itself)
{
	open_stage(1);
	start_stage();
	weir_set_transport(source.c, "grpc");
	stage_send(&source, 5);
	weir_set_transport(source.c, "http");
	stage_send(&source, 2);
	weir_count_refused(source.c, TRACES, WEIR_REASON_TOO_BIG, 3);
	weir_set_transport(source.c, "grpc");
	stage_send(&source, 1);
	ck_assert_double_eq(value_of("otelcol_receiver_accepted_spans", IN), 6);
	ck_assert_double_eq(value_of("otelcol_receiver_accepted_spans",
				     "receiver=otlp/in transport=http"), 2);
	ck_assert_double_eq(value_of("otelcol_receiver_refused_spans",
				     "receiver=otlp/in transport=http"), 3);
	ck_assert_double_eq(value_of("otelcol_receiver_refused_spans", IN), 0);
	close_stage();
}
END_TEST

static const char *const absent[] = {
	"otelcol_receiver_accepted_spans", "otelcol_receiver_refused_spans",
	"otelcol_processor_incoming_items", "otelcol_exporter_sent_spans",
	"otelcol_exporter_send_failed_spans",
	"otelcol_exporter_enqueue_failed_spans", "weir_dropped_items",
	"weir_refused_requests",
};

START_TEST(a_series_appears_once_it_was_added_to)
{
	open_stage(1);
	start_stage();
	ck_assert_double_eq(value_of(absent[_i], NULL), -1);
	stage_send(&source, 5);
	ck_assert_double_eq(value_of("otelcol_receiver_accepted_log_records",
				     NULL), -1);
	close_stage();
}
END_TEST

START_TEST(the_exporters_series_appear_one_by_one)
{
	struct weir_outcome outcome;

	open_stage(1);
	start_stage();
	weir_count_sent(sink.c, LOGS, 4);
	ck_assert_double_eq(value_of("otelcol_exporter_sent_log_records",
				     OUT), 4);
	ck_assert_double_eq(value_of("otelcol_exporter_send_failed_log_records",
				     NULL), -1);
	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, "x");
	weir_count_send_failed(sink.c, LOGS, &outcome, 3);
	ck_assert_double_eq(value_of("otelcol_exporter_send_failed_log_records",
				     OUT), 3);
	ck_assert_double_eq(value_of("otelcol_exporter_enqueue_failed_"
				     "log_records", NULL), -1);
	close_stage();
}
END_TEST

START_TEST(an_exporters_labels_are_on_what_was_sent)
{
	const struct weir_label labels[] = {
		{ WEIR_STR("server_address"), WEIR_STR("b") },
		{ WEIR_STR("server_port"), WEIR_STR("1") } };

	open_stage(1);
	start_stage();
	weir_label_exporter(sink.c, labels, 2);
	weir_count_sent(sink.c, TRACES, 4);
	ck_assert_double_eq(value_of("otelcol_exporter_sent_spans", OUT
				     " server_address=b server_port=1"), 4);
	close_stage();
}
END_TEST

START_TEST(a_full_queue_is_counted_where_it_was_met)
{
	open_stage(2);
	sink.single = true;	/* worker 1 has a door */
	sink.room = 3;
	sink.does = FAKE_ACCEPTS;
	sink.sizer = WEIR_SIZER_ITEMS;
	start_stage();
	stage_node(0, &sink)->counts[TRACES] = (struct edge_counts){
		.touched = true, .enqueue_failed = 1 };
	stage_node(1, &sink)->counts[TRACES] = (struct edge_counts){
		.touched = true, .enqueue_failed = 2 };
	ck_assert_double_eq(value_of("otelcol_exporter_enqueue_failed_spans",
				     OUT), 3);
	close_stage();
}
END_TEST

/* --- Rows of plugins ----------------------------------------------------- */

struct rich {
	struct fake_component base;
	weir_counter hits;
	weir_gauge depth;
	weir_histogram sizes;
	weir_counter hidden;
};

static const double bounds[] = { 10, 100 };
static const struct weir_metric_def rows[] = {
	WEIR_METRIC(struct rich, hits, "weir_hits", WEIR_SHOW_NORMAL, "{hit}",
		    "Hits."),
	WEIR_METRIC(struct rich, depth, "weir_depth", WEIR_SHOW_NORMAL, "{x}",
		    "Depth."),
	WEIR_METRIC(struct rich, sizes, "weir_sizes", WEIR_SHOW_NORMAL, "{x}",
		    "Sizes.", .bounds = bounds, .n_bounds = 2),
	WEIR_METRIC(struct rich, hidden, "weir_hidden", WEIR_SHOW_DETAILED,
		    "{x}", "Too much for most."),
	WEIR_METRIC_END
};

static struct rich *rich_of(uint32_t worker)
{
	return (struct rich *)(void *)stage_node(worker, &sink)->c;
}

START_TEST(rows_of_plugins_are_summed_too)
{
	struct plan_component *component;

	open_stage(2);
	component = stage_find("otlp_grpc", 9);
	component->prototype = xrealloc(component->prototype,
					sizeof(struct rich));
	memset((char *)component->prototype + sizeof(struct fake_component), 0,
	       sizeof(struct rich) - sizeof(struct fake_component));
	sink.plugin.size = sizeof(struct rich);
	sink.plugin.metrics = rows;
	start_stage();
	ck_assert_double_eq(value_of("weir_hits", NULL), -1);
	ck_assert_double_eq(value_of("weir_sizes", NULL), -1);
	ck_assert_double_eq(value_of("weir_depth", OUT), 0);
	for (uint32_t i = 0; i < 2; i++) {
		weir_counter_add(&rich_of(i)->hits, 1 + i);
		weir_counter_add(&rich_of(i)->hidden, 1);
		weir_gauge_set(&rich_of(i)->depth, 5 + i);
		weir_histogram_record(&rich_of(i)->sizes, &rows[2], 10);
		weir_histogram_record(&rich_of(i)->sizes, &rows[2], 101);
	}
	ck_assert_double_eq(value_of("weir_hits", OUT), 3);
	ck_assert_double_eq(value_of("weir_depth", OUT), 11);
	ck_assert_double_eq(value_of("weir_sizes", OUT), 4);
	ck_assert_double_eq(value_of("weir_hidden", NULL), -1);
	ck_assert_uint_eq(rich_of(0)->sizes.buckets[0], 1);	/* 10 <= 10 */
	ck_assert_uint_eq(rich_of(0)->sizes.buckets[2], 1);
	close_stage();
}
END_TEST

static const struct weir_metric_def zero_rows[] = {
	WEIR_METRIC_SERIES(COUNTER, "weir_losses", WEIR_SHOW_BASIC, "{loss}",
			   "Losses.", .bare = true, .zero = true),
	WEIR_METRIC_SERIES(COUNTER, "weir_wins", WEIR_SHOW_BASIC, "{win}",
			   "Wins.", .bare = true),
	WEIR_METRIC_END
};

START_TEST(a_counter_may_be_shown_before_it_was_added_to)
{
	static const weir_counter nothing;

	open_stage(1);
	sink.plugin.metrics = zero_rows;
	start_stage();
	for (int i = 0; i < 2; i++)
		weir_metric_series(stage_node(0, &sink)->c, &zero_rows[i],
				   NULL, 0, &nothing);
	ck_assert_double_eq(value_of("weir_losses", NULL), 0);
	ck_assert_double_eq(value_of("weir_wins", NULL), -1);
	close_stage();
}
END_TEST

static const struct weir_metric_def bare_rows[] = {
	WEIR_METRIC_SERIES(COUNTER, "weir_votes", WEIR_SHOW_NORMAL, "{vote}",
			   "Votes.", .bare = true),
	WEIR_METRIC_END
};

START_TEST(series_whose_labels_are_known_late_are_summed_by_label)
{
	weir_counter votes[2][2] = { { { 1 }, { 0 } }, { { 2 }, { 4 } } };
	static const char *const names[] = { "slow", "errors" };

	open_stage(2);
	sink.plugin.metrics = bare_rows;
	start_stage();
	for (uint32_t i = 0; i < 2; i++)
		for (int k = 0; k < 2; k++)
			weir_metric_series(stage_node(i, &sink)->c, bare_rows,
				&(struct weir_label){
					WEIR_STR("policy"),
					weir_str_of(names[k]) }, 1,
				&votes[i][k]);
	ck_assert_double_eq(value_of("weir_votes", "policy=slow"), 3);
	ck_assert_double_eq(value_of("weir_votes", "policy=errors"), 4);
	close_stage();
}
END_TEST

/* --- The round ----------------------------------------------------------- */

static void sorted(struct weir_component *c, void *arg,
		   const struct weir_family *families, size_t n)
{
	(void)c;
	*(size_t *)arg = n;
	for (size_t i = 1; i < n; i++) {
		weir_str a = families[i - 1].name, b = families[i].name;
		size_t len = a.len < b.len ? a.len : b.len;
		int order = memcmp(a.ptr, b.ptr, len);

		ck_assert(order < 0 || (!order && a.len < b.len));
	}
}

START_TEST(families_are_sorted_by_name)
{
	size_t n = 0;

	open_stage(1);
	start_stage();
	stage_send(&source, 5);
	weir_metrics_snapshot(source.c, sorted, &n);
	stage_run();
	ck_assert_uint_gt(n, 8);
	close_stage();
}
END_TEST

/* Between the question and the answer everything is destroyed. */
START_TEST(a_snapshot_outlives_who_asked_for_it)
{
	struct wanted wanted = { .name = "weir_hits" };

	open_stage(2);
	sink.single = true;	/* worker 1 has a door to what is gone */
	start_stage();
	stage_node(1, &sink)->counts[TRACES].touched = true;
	weir_metrics_snapshot(source.c, find, &wanted);
	graph_destroy(stage.workers[0].graph);
	stage_run();
	ck_assert_uint_eq(shots, 0);
	stage_close();
}
END_TEST

int main(void)
{
	const struct stage_test tests[] = {
		{ sums_what_the_workers_count, 0 },
		{ a_batch_is_counted_at_every_edge, 0 },
		{ each_transport_of_a_receiver_is_counted_for_itself, 0 },
		{ a_series_appears_once_it_was_added_to, ROWS(absent) },
		{ the_exporters_series_appear_one_by_one, 0 },
		{ an_exporters_labels_are_on_what_was_sent, 0 },
		{ a_full_queue_is_counted_where_it_was_met, 0 },
		{ rows_of_plugins_are_summed_too, 0 },
		{ a_counter_may_be_shown_before_it_was_added_to, 0 },
		{ series_whose_labels_are_known_late_are_summed_by_label, 0 },
		{ families_are_sorted_by_name, 0 },
		{ a_snapshot_outlives_who_asked_for_it, 0 },
	};

	return stage_main("core/snapshot", tests, ROWS(tests));
}
