/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling against ts_model.h: random policies and limits,
 * random traces in random order and pieces.  After each request and each tick
 * the same spans have come out, as they went in, under their own scope and
 * resource; at the end all counts are equal.
 */
#include "../../support/seeds.h"
#include "ts_case.h"
#include "ts_model.h"

#define STEPS 40
#define KINDS (1u << M_AND | 1u << M_NOT | 1u << M_DROP | 1u << M_COMPOSITE)

static struct m_config config;
static struct m_sampler model;
static struct m_span spans[MODEL_SPANS];
static struct bytes sent_bytes[MODEL_SPANS];	/* bodies of spans */
static unsigned got[MODEL_SPANS];
static uint64_t next_number;
static size_t n_read;			/* batches that were read back */
static uint64_t seed_now;
static struct text yaml;

/* --- Making up ------------------------------------------------------------ */

static bool maybe(struct gen *gen, unsigned n)
{
	return gen_one_in(gen, n);
}

static void make_config(struct gen *gen)
{
	bool decide = maybe(gen, 2);

	config = (struct m_config){
		.wait = gen_below(gen, 5), .root_wait = NEVER, .quiet = NEVER,
		.num_traces = maybe(gen, 2) ? 2 + gen_below(gen, 12) : 60,
		.first_match = maybe(gen, 3), .span_ingest = maybe(gen, 4),
		.decide_large = decide, .drop_pending = maybe(gen, 4) };
	yaml.len = 0;
	add(&yaml, "{decision_wait: %ds, num_traces: %zu, "
	    "sample_on_first_match: %s, drop_pending_traces_on_shutdown: %s",
	    (int)config.wait, config.num_traces,
	    config.first_match ? "true" : "false",
	    config.drop_pending ? "true" : "false");
	config.wait += !config.wait;
	if (config.span_ingest)
		add(&yaml, ", sampling_strategy: span-ingest");
	if (maybe(gen, 3)) {
		config.root_wait = gen_below(gen, 4);
		add(&yaml, ", decision_wait_after_root_received: %dms",
		    (int)config.root_wait * 1000 + 400);
	}
	if (maybe(gen, 3)) {
		config.quiet = gen_below(gen, 3);
		add(&yaml, ", quiet_time: %dms", (int)config.quiet * 1000 + 1);
	}
	if (maybe(gen, 3)) {
		config.max_size = 60 + gen_below(gen, 600);
		add(&yaml, ", maximum_trace_size_bytes: %d, "
		    "on_maximum_trace_size: %s", (int)config.max_size,
		    decide ? "decide" : "drop");
	}
	for (int i = 0; i < 2; i++)
		config.cache[i] = maybe(gen, 2) ? gen_below(gen, 8) : 0;
	add(&yaml, ", decision_cache: {sampled_cache_size: %zu, "
	    "non_sampled_cache_size: %zu}, policies: [", config.cache[0],
	    config.cache[1]);
	config.n = gen_below(gen, MODEL_POLICIES + 1);
	for (size_t i = 0; i < config.n; i++) {
		add(&yaml, "{name: p%zu, ", i);
		make_policy(&config.policies[i], gen, !config.span_ingest,
			    KINDS, &yaml);
		add(&yaml, "}, ");
	}
	add(&yaml, "]}");
}

static void make_attrs(struct gen *gen, struct attr attrs[MAX_ATTRS])
{
	static const struct attr some[] = {
		TEXT("k", "a"), TEXT("k", "ab"), TEXT("k", "xb"), TEXT("k", ""),
		INT("k", -1), INT("k", 0), INT("k", 1), INT("k", 3),
		BOOL("k", 0), BOOL("k", 1), DOUBLE("k", 2.0), EMPTY("k"),
		TEXT("other", "a"), INT("K", 1)
	};
	size_t n = gen_below(gen, 3);

	memset(attrs, 0, MAX_ATTRS * sizeof(*attrs));
	for (size_t i = 0; i < n; i++)
		attrs[i] = some[gen_below(gen, 14)];
}

static void make_span(struct gen *gen, struct m_span *s, uint64_t number)
{
	static const char *const states[] = { NULL, NULL, "k=v", "a=1,k=w",
					      "k=v,k=v", "k=v,B=1", "k" };
	uint64_t base = 1700000000000000000u;

	s->span = (struct a_span){ .trace = 1 + gen_below(gen, 14),
		.number = number, .child = !maybe(gen, 4),
		.status = gen_below(gen, 3), .flags = gen_below(gen, 4),
		.state = states[gen_below(gen, 7)],
		.pad = maybe(gen, 8) ? gen_below(gen, 300) : 0 };
	if (!maybe(gen, 10))
		s->span.start = base + gen_below(gen, 400) * 1000000u;
	if (!maybe(gen, 10))
		s->span.end = base + gen_below(gen, 400) * 1000000u;
	make_attrs(gen, s->span.attrs);
}

/* The lengths that the model counts with. */
static void measure(struct m_span *s, const char *scope)
{
	struct bytes *body = &sent_bytes[s->span.number];
	struct bytes b = { 0 };

	body->len = 0;
	span_body(body, &s->span);
	s->len = body->len;
	bytes_attrs(&b, 1, s->resource);
	s->resource_len = b.len;
	b.len = 0;
	bytes_text(&b, 1, scope);
	s->scope_len = b.len;
	bytes_free(&b);
}

/* --- Back ----------------------------------------------------------------- */

static weir_str head(weir_str wrapper)
{
	struct weir_message_cursor cursor = weir_messages(wrapper, 1);

	return weir_message_next(&cursor) ? cursor.message : WEIR_STR("");
}

static void take_back(void *arg, weir_str resource, weir_str scope,
		      weir_str span, uint64_t number)
{
	const struct m_span *s = &spans[number];
	struct bytes b = { 0 };
	weir_str h = head(resource);

	(void)arg;
	ck_assert_uint_lt(number, next_number);
	got[number]++;
	ck_assert_uint_eq(span.len, sent_bytes[number].len);
	ck_assert(!memcmp(span.ptr, sent_bytes[number].ptr, span.len));
	bytes_attrs(&b, 1, s->resource);
	ck_assert_msg(h.len == b.len &&
		      (!h.len || !memcmp(h.ptr, b.ptr, h.len)),
		      "seed %lu: span %lu has another resource",
		      (unsigned long)seed_now, (unsigned long)number);
	ck_assert_uint_eq(head(scope).len, s->scope_len);
	bytes_free(&b);
}

static void compare(const char *when)
{
	for (; n_read < weir_test_passed(t); n_read++)
		traces_each(weir_test_bytes(t, n_read), take_back, NULL);
	for (size_t i = 0; i < next_number; i++)
		ck_assert_msg(got[i] == model.out[i],
			      "seed %lu, %s: span %zu of trace %lu came out %u "
			      "times, not %u\n%s", (unsigned long)seed_now,
			      when, i, (unsigned long)spans[i].span.trace,
			      got[i], model.out[i], yaml.at);
}

static void count(const char *name, unsigned expected)
{
	ck_assert_msg(metric(name) == expected,
		      "seed %lu: %s is %g, not %u\n%s",
		      (unsigned long)seed_now, name, metric(name), expected,
		      yaml.at);
}

/* --- A play --------------------------------------------------------------- */

static void send_some(struct gen *gen)
{
	static const char *const scopes[] = { "", "a", "library" };
	struct traces r = { 0 };
	uint32_t n = gen_below(gen, 4);
	int scope = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct attr resource[MAX_ATTRS];
		uint32_t n_scopes = gen_below(gen, 3);

		make_attrs(gen, resource);
		traces_resource(&r, resource, NULL);
		for (uint32_t k = 0; k < n_scopes; k++) {
			const char *name = scopes[gen_below(gen, 3)];
			uint32_t n_spans = gen_below(gen, 6);

			traces_scope(&r, name, NULL);
			scope++;
			while (n_spans-- && next_number < MODEL_SPANS) {
				struct m_span *s = &spans[next_number];

				make_span(gen, s, next_number++);
				memcpy(s->resource, resource,
				       sizeof(resource));
				s->scope = scope;
				measure(s, name);
				traces_span(&r, &s->span);
				m_span(&model, s);
			}
		}
		m_end_resource(&model);
	}
	send_traces(&r);
}

static void step(struct gen *gen)
{
	if (gen_one_in(gen, 3)) {
		m_tick(&model);
		seconds(1);
		count(TS("sampling_traces_on_memory"), (unsigned)model.n);
		compare("after a tick");
	} else {
		send_some(gen);
		compare("after a request");
	}
}

static void reset(void)
{
	memset(&model, 0, sizeof(model));
	model.config = &config;
	model.piece = 1;
	memset(got, 0, sizeof(got));
	next_number = n_read = 0;
}

static void play(uint64_t seed)
{
	struct gen gen = { seed * 0x9e3779b97f4a7c15u + 1 };

	seed_now = seed;
	make_config(&gen);
	reset();
	begin(yaml.at);
	for (int i = 0; i < STEPS; i++)
		step(&gen);
	count(TS("new_trace_id_received"), model.fresh);
	count(TS("sampling_trace_dropped_too_early"), model.too_early);
	count(TS("traces_dropped_too_large"), model.too_large);
	count(TS("sampling_late_span_age"), model.late);
	count(TS("early_releases_from_cache_decision"), model.early);
	count(TS("global_count_traces_sampled"), model.decided);
	count(TS("count_traces_sampled"), model.executions);
	count(TS("sampling_policy_execution_count"), model.executions);
	m_stop(&model);
	weir_test_stop(t);
	compare("after the end");
	end();
	for (size_t i = 0; i < config.n; i++)
		m_policy_free(&config.policies[i]);
}

#define PARTS 8

#ifdef __SANITIZE_ADDRESS__		/* each seed opens a sampler: slow */
#define SEEDS 50
#else
#define SEEDS SEEDS_OF(400)
#endif

START_TEST(the_sampler_does_what_the_model_does)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		play(seed * PARTS + (uint64_t)_i);
	for (size_t i = 0; i < MODEL_SPANS; i++)
		bytes_free(&sent_bytes[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling: oracle");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 240);
	tcase_add_loop_test(tests, the_sampler_does_what_the_model_does, 0,
			    PARTS);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
