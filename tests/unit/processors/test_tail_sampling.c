/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: when a trace is decided, what becomes of its spans
 * then, and of those that come later.
 */
#include "ts_case.h"

#define ALL "policies: [{name: all, type: always_sample}]"
#define NONE "policies: [{name: none, type: status_code, status_code: "	\
	"{status_codes: [ERROR]}}]"
#define HALF "policies: [{name: e, type: status_code, status_code: "	\
	"{status_codes: [OK]}}, {name: d, type: drop, drop: "		\
	"{drop_sub_policy: [{type: status_code, status_code: "		\
	"{status_codes: [ERROR]}}]}}]"
#define EARLY TS("early_releases_from_cache_decision")
#define LATE_AGE TS("sampling_late_span_age")
#define REMOVED TS("sampling_trace_removal_age")
#define FRESH TS("new_trace_id_received")
#define TOO_EARLY TS("sampling_trace_dropped_too_early")
#define TOO_LARGE TS("traces_dropped_too_large")
#define ON_MEMORY TS("sampling_traces_on_memory")
#define DECIDED TS("global_count_traces_sampled")
#define TICKS TS("sampling_decision_timer_latency")
#define DROPPED "weir_dropped_items"

static bool is_answered(int number, struct weir_outcome *outcome)
{
	*outcome = (struct weir_outcome){ 0 };
	return weir_test_answer(t, number, outcome);
}

/* --- When ---------------------------------------------------------------- */

static const struct {
	const char *keys;
	bool child;
	int ticks;		/* until then */
} waits[] = {
	{ "decision_wait: 3s", false, 4 },
	{ "decision_wait: 3900ms", false, 4 },
	{ "decision_wait: 0s", false, 2 },
	{ "decision_wait: -5s", false, 2 },
	{ "decision_wait: 700ms", false, 2 },
	{ "decision_wait: 9s, decision_wait_after_root_received: 2s", false,
	  3 },
	{ "decision_wait: 9s, decision_wait_after_root_received: 500ms", false,
	  1 },
	{ "decision_wait: 9s, decision_wait_after_root_received: 2s", true,
	  10 },
	{ "decision_wait: 3s, decision_wait_after_root_received: 9s", false,
	  4 },
	{ "decision_wait: 9s, quiet_time: 1s", false, 2 },
	{ "decision_wait: 9s, quiet_time: 1s", true, 10 },
	{ "decision_wait: 3s, quiet_time: 9s", false, 4 },
};

START_TEST(a_trace_is_decided_a_while_after_its_first_span)
{
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "{%s, %s}", waits[_i].keys, ALL);
	begin(yaml);
	GIVE(.trace = 1, .number = 1, .child = waits[_i].child);
	seconds(waits[_i].ticks - 1);
	ck_assert_uint_eq(came(1), 0);
	seconds(1);
	ck_assert_uint_eq(came(1), 1);
	end();
}
END_TEST

START_TEST(a_later_root_only_ever_hastens_the_decision)
{
	begin("{decision_wait: 5s, decision_wait_after_root_received: 2s, " ALL
	      "}");
	GIVE(.trace = 1, .number = 1, .child = true);
	seconds(1);
	GIVE(.trace = 1, .number = 2);		/* due with the fourth tick */
	seconds(1);
	GIVE(.trace = 1, .number = 3);
	seconds(1);
	ck_assert_uint_eq(all_that_came(), 0);
	seconds(1);
	ck_assert_uint_eq(all_that_came(), 3);
	end();
}
END_TEST

/* As the Collector: the id of no parent may be written out. */
START_TEST(a_parent_of_zeros_is_none)
{
	static const uint8_t span[] = {
		0x0a, 36, 0x12, 34, 0x12, 32, 0x0a, 16,
		1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7,
		0x22, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a, 2, 'n', 'n' };

	begin("{decision_wait: 9s, decision_wait_after_root_received: 1s, " ALL
	      "}");
	ck_assert_int_ge(weir_test_send(t, WEIR_SIGNAL_TRACES, span,
					sizeof(span), NULL), 0);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 1);
	end();
}
END_TEST

START_TEST(a_trace_is_not_quiet_while_spans_come)
{
	begin("{decision_wait: 9s, quiet_time: 2s, " ALL "}");
	GIVE(.trace = 1, .number = 1);
	for (uint64_t i = 2; i < 6; i++) {
		seconds(1);
		GIVE(.trace = 1, .number = i, .child = true);
	}
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 0);
	seconds(1);
	ck_assert_uint_eq(all_that_came(), 5);
	end();
}
END_TEST

START_TEST(a_trace_that_never_is_quiet_is_decided_all_the_same)
{
	begin("{decision_wait: 4s, quiet_time: 2s, " ALL "}");
	for (uint64_t i = 1; i <= 5; i++) {
		GIVE(.trace = 1, .number = i);
		seconds(1);
	}
	ck_assert_uint_eq(all_that_came(), 5);
	end();
}
END_TEST

START_TEST(the_sender_is_answered_at_once)
{
	struct weir_outcome outcome;

	begin("{" ALL "}");
	ck_assert(is_answered(send_span((struct a_span){ .trace = 1 }),
			      &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert_uint_eq(weir_test_held(t), 0);
	end();
}
END_TEST

/* --- What goes on -------------------------------------------------------- */

struct seen {
	weir_str resource, scope;
	size_t n;
};

static void see(void *arg, weir_str resource, weir_str scope, weir_str span,
		uint64_t number)
{
	struct seen *seen = arg;

	(void)span;
	if (number != 2)
		return;
	*seen = (struct seen){ resource, scope, seen->n + 1 };
}

static weir_str text_of(weir_str message, uint32_t field)
{
	struct weir_message_cursor cursor = weir_messages(message, field);

	return weir_message_next(&cursor) ? cursor.message : WEIR_STR("");
}

START_TEST(a_span_keeps_its_scope_its_resource_and_their_schemas)
{
	struct attr one[MAX_ATTRS] = { TEXT("service.name", "one") };
	struct attr two[MAX_ATTRS] = { TEXT("service.name", "two") };
	struct traces r = { 0 };
	struct seen seen = { .n = 0 };

	begin("{decision_wait: 1s, " NONE "}");
	traces_resource(&r, one, "url:r1");
	traces_scope(&r, "lib1", "url:s1");
	traces_span(&r, &(struct a_span){ .trace = 1, .number = 1 });
	traces_resource(&r, two, "url:r2");
	traces_scope(&r, "lib2", "url:s2");
	traces_span(&r, &(struct a_span){ .trace = 2, .number = 9 });
	traces_scope(&r, "lib3", "url:s3");
	traces_span(&r, &(struct a_span){ .trace = 1, .number = 2,
					  .status = 2 });
	send_traces(&r);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 2);
	ck_assert_uint_eq(came(9), 0);
	traces_each(weir_test_bytes(t, 0), see, &seen);
	ck_assert_uint_eq(seen.n, 1);
	ck_assert(weir_str_eq(text_of(seen.resource, 3), WEIR_STR("url:r2")));
	ck_assert(weir_str_eq(text_of(seen.scope, 3), WEIR_STR("url:s3")));
	ck_assert(weir_str_eq(text_of(text_of(seen.scope, 1), 1),
			      WEIR_STR("lib3")));
	end();
}
END_TEST

/* Field 19 is in no schema. */
static bool has_unknown(weir_str out, const char *text)
{
	uint8_t field[16] = { 0x9a, 0x01, (uint8_t)strlen(text) };

	memcpy(field + 3, text, strlen(text));
	return memmem(out.ptr, out.len, field, 3 + strlen(text));
}

START_TEST(what_is_not_understood_goes_on_too)
{
	struct bytes span = { 0 }, scope = { 0 }, of = { 0 }, all = { 0 };
	struct bytes resource = { 0 };
	weir_str out;

	begin("{decision_wait: 1s, " ALL "}");
	bytes_field(&span, 1, "sixteen letters.", 16);
	bytes_text(&span, 19, "of the span");
	bytes_wrap(&scope, 2, &span);
	bytes_text(&scope, 19, "of the scope");
	bytes_text(&resource, 19, "inside");
	bytes_wrap(&of, 1, &resource);
	bytes_wrap(&of, 2, &scope);
	bytes_text(&of, 19, "outside");
	bytes_wrap(&all, 1, &of);
	ck_assert_int_ge(weir_test_send(t, WEIR_SIGNAL_TRACES, all.ptr,
					all.len, NULL), 0);
	seconds(2);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	out = weir_test_bytes(t, 0);
	ck_assert_uint_eq(out.len, all.len);
	ck_assert(has_unknown(out, "of the span"));
	ck_assert(has_unknown(out, "of the scope"));
	ck_assert(has_unknown(out, "inside"));
	ck_assert(has_unknown(out, "outside"));
	bytes_free(&span);
	bytes_free(&scope);
	bytes_free(&resource);
	bytes_free(&of);
	bytes_free(&all);
	end();
}
END_TEST

START_TEST(traces_of_a_tick_share_a_batch_and_their_wrappers)
{
	struct attr same[MAX_ATTRS] = { TEXT("service.name", "one") };

	begin("{decision_wait: 1s, " ALL "}");
	for (uint64_t i = 1; i <= 30; i++) {
		struct traces r = { 0 };

		traces_resource(&r, same, NULL);
		traces_scope(&r, "lib", NULL);
		traces_span(&r, &(struct a_span){ .trace = i, .number = i });
		send_traces(&r);
	}
	seconds(2);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	ck_assert_uint_eq(weir_test_items(t, 0), 30);
	/* 30 spans of 46 bytes with their tags and lengths, and one head */
	ck_assert_uint_lt(weir_test_bytes(t, 0).len, 30 * 30 + 60);
	end();
}
END_TEST

/* --- Late spans ---------------------------------------------------------- */

#define CACHES "decision_cache: {sampled_cache_size: 2, "		\
	"non_sampled_cache_size: 2}, "

/* A trace that is sampled, one that is not, one that is dropped. */
static void three_traces(const char *yaml)
{
	begin(yaml);
	GIVE(.trace = 1, .number = 11, .status = 1);
	GIVE(.trace = 2, .number = 21);
	GIVE(.trace = 3, .number = 31, .status = 2);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 1);
	ck_assert_uint_eq(came(11), 1);
	ck_assert(metric(DECIDED) == 3);
	seconds(3);
}

START_TEST(late_spans_follow_the_decision)
{
	struct traces r = { 0 };

	three_traces("{decision_wait: 1s, " HALF "}");
	ck_assert(metric(ON_MEMORY) == 3);
	for (uint64_t i = 1; i <= 3; i++) {
		traces_span(&r, &(struct a_span){ .trace = i,
						  .number = i * 10 + 2 });
		traces_span(&r, &(struct a_span){ .trace = i,
						  .number = i * 10 + 3 });
	}
	send_traces(&r);
	ck_assert_uint_eq(came(12) + came(13), 2);
	ck_assert_uint_eq(all_that_came(), 3);
	ck_assert(metric(LATE_AGE) == 3);	/* once a piece */
	ck_assert(metric(EARLY) == 0);
	ck_assert(metric(FRESH) == 3);
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 3);
	end();
}
END_TEST

START_TEST(caches_answer_for_traces_that_are_gone)
{
	three_traces("{decision_wait: 1s, " CACHES HALF "}");
	ck_assert(metric(ON_MEMORY) == 0);
	ck_assert(metric(REMOVED) == 3);
	for (uint64_t i = 1; i <= 3; i++)
		GIVE(.trace = i, .number = i * 10 + 2);
	ck_assert_uint_eq(came(12), 1);
	ck_assert_uint_eq(all_that_came(), 2);
	ck_assert(metric(EARLY) == 3);
	ck_assert(metric(LATE_AGE) == 0);
	ck_assert(metric(FRESH) == 3);
	end();
}
END_TEST

START_TEST(a_cache_of_one_kind_leaves_the_entries_of_the_other)
{
	three_traces("{decision_wait: 1s, decision_cache: "
		     "{sampled_cache_size: 5}, " HALF "}");
	ck_assert(metric(ON_MEMORY) == 2);
	GIVE(.trace = 1, .number = 12);
	GIVE(.trace = 2, .number = 22);
	ck_assert_uint_eq(all_that_came(), 2);
	ck_assert(metric(EARLY) == 1);
	ck_assert(metric(LATE_AGE) == 1);
	end();
}
END_TEST

START_TEST(a_cache_forgets_what_was_not_used_for_longest)
{
	begin("{decision_wait: 1s, " CACHES ALL "}");
	GIVE(.trace = 1, .number = 11);
	GIVE(.trace = 2, .number = 21);
	seconds(2);
	GIVE(.trace = 1, .number = 12);	/* used */
	GIVE(.trace = 3, .number = 31);
	seconds(2);
	GIVE(.trace = 1, .number = 13);
	GIVE(.trace = 2, .number = 22);		/* forgotten: new */
	ck_assert_uint_eq(came(13), 1);
	ck_assert_uint_eq(came(22), 0);
	ck_assert(metric(FRESH) == 4);
	seconds(2);
	ck_assert_uint_eq(came(22), 1);
	end();
}
END_TEST

/* As the Collector: of an id the cache knows the last eight bytes. */
START_TEST(a_cache_knows_ids_by_their_last_bytes)
{
	static const uint8_t one[16] = { 1, [8] = 7, [15] = 9 };
	static const uint8_t other[16] = { 2, [8] = 7, [15] = 9 };

	begin("{decision_wait: 1s, " CACHES ALL "}");
	GIVE(.id = one, .number = 1);
	seconds(2);
	GIVE(.id = other, .number = 2);
	ck_assert_uint_eq(came(2), 1);
	ck_assert(metric(EARLY) == 1);
	end();
}
END_TEST

/* --- Bounds -------------------------------------------------------------- */

START_TEST(the_oldest_trace_gives_way_decided_or_not)
{
	begin("{decision_wait: 2s, num_traces: 2, " ALL "}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 2, .number = 2);
	GIVE(.trace = 3, .number = 3);		/* 1 is gone */
	ck_assert(metric(TOO_EARLY) == 1);
	ck_assert(metric(REMOVED) == 1);
	ck_assert(metric(ON_MEMORY) == 2);
	seconds(3);
	ck_assert_uint_eq(came(1), 0);
	ck_assert_uint_eq(came(2) + came(3), 2);
	GIVE(.trace = 4, .number = 4);		/* 2 is gone, decided */
	GIVE(.trace = 2, .number = 22);		/* new */
	ck_assert_uint_eq(came(22), 0);
	ck_assert(metric(TOO_EARLY) == 1);
	seconds(3);
	ck_assert_uint_eq(came(22), 1);
	end();
}
END_TEST

/* Of empty Resource and scope 2 bytes each, a span of 28: 36. */
static const struct {
	const char *keys;
	size_t came;
	double large;
} sizes[] = {
	{ "maximum_trace_size_bytes: 72", 2, 0 },
	{ "maximum_trace_size_bytes: 71", 0, 1 },
	{ "maximum_trace_size_bytes: 71, on_maximum_trace_size: decide", 3,
	  0 },
	{ "maximum_trace_size_bytes: 71, " CACHES "quiet_time: 0s", 0, 1 },
};

START_TEST(a_trace_that_is_too_large_is_not_sampled_or_decided_at_once)
{
	char yaml[512];

	snprintf(yaml, sizeof(yaml), "{decision_wait: 1s, %s, %s}",
		 sizes[_i].keys, ALL);
	begin(yaml);
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 1, .number = 2);
	if (sizes[_i].came == 3)
		ck_assert_uint_eq(all_that_came(), 2);
	if (sizes[_i].came != 2)
		GIVE(.trace = 1, .number = 3);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), sizes[_i].came);
	ck_assert(metric(TOO_LARGE) == sizes[_i].large);
	ck_assert(metric(DECIDED) == (sizes[_i].came ? 1 : 0));
	ck_assert(metric(LATE_AGE) == (sizes[_i].came == 3));
	end();
}
END_TEST

/* attacks.md 108: a million spans of one trace. */
START_TEST(a_giant_trace_is_decided_at_its_cap_and_streams_on)
{
	uint64_t number = 1;

	begin("{decision_wait: 30s, maximum_trace_size_bytes: 1000000, "
	      "on_maximum_trace_size: decide, memory_limit_mib: 4, " ALL "}");
	for (int k = 0; k < 100; k++) {
		struct traces r = { 0 };

		for (int i = 0; i < 10000; i++)
			traces_span(&r, &(struct a_span){ .trace = 1,
							  .number = number++ });
		send_traces(&r);
		ck_assert_uint_lt(kept(), 5u << 20);
	}
	ck_assert_uint_eq(all_that_came(), 1000000);
	ck_assert(metric(ON_MEMORY) == 1);
	end();
}
END_TEST

/* attacks.md 107: more ids than there can be traces.  A bound in bytes and one
 * in traces; nobody is lost before num_traces. */
START_TEST(a_flood_of_ids_is_bounded_in_bytes)
{
	uint64_t number = 1;

	begin("{decision_wait: 30s, num_traces: 10000000, memory_limit_mib: 2, "
	      ALL "}");
	for (int k = 0; k < 100; k++) {
		struct traces r = { 0 };

		for (int i = 0; i < 1000; i++) {
			traces_span(&r, &(struct a_span){
				.trace = number * 0x9e3779b97f4a7c15u,
				.number = number, .pad = 100 });
			number++;
		}
		send_traces(&r);
		ck_assert_uint_lt(kept(), 3u << 20);
	}
	ck_assert_uint_gt(all_that_came(), 80000);	/* the oldest */
	ck_assert_uint_eq(came(1), 1);
	ck_assert(metric(TOO_EARLY) == 0);
	weir_test_stop(t);
	ck_assert_uint_eq(all_that_came(), 100000);
	end();
}
END_TEST

START_TEST(a_flood_of_ids_is_bounded_in_traces)
{
	uint64_t number = 1;

	begin("{decision_wait: 30s, num_traces: 1000, " ALL "}");
	for (int k = 0; k < 100; k++) {
		struct traces r = { 0 };

		for (int i = 0; i < 1000; i++) {
			traces_span(&r, &(struct a_span){
				.trace = number * 0x9e3779b97f4a7c15u,
				.number = number });
			number++;
		}
		send_traces(&r);
		ck_assert(metric(ON_MEMORY) == 1000);
	}
	ck_assert(metric(TOO_EARLY) == 99000);
	ck_assert_uint_lt(kept(), 1u << 20);
	end();
}
END_TEST

/* attacks.md 109: late spans of very many traces. */
START_TEST(a_flood_of_late_spans_keeps_to_the_caches)
{
	begin("{decision_wait: 1s, decision_cache: {sampled_cache_size: 1000, "
	      "non_sampled_cache_size: 1000}, " ALL "}");
	for (int k = 0; k < 20; k++) {
		struct traces r = { 0 };

		for (uint64_t i = 0; i < 2000; i++)
			traces_span(&r, &(struct a_span){
				.trace = (i + 1) * 0x9e3779b97f4a7c15u,
				.number = (uint64_t)k * 2000 + i });
		send_traces(&r);
		seconds(2);
		ck_assert(metric(ON_MEMORY) == 0);
	}
	ck_assert_uint_eq(all_that_came(), 40000);
	ck_assert_uint_eq(kept(), 0);
	end();
}
END_TEST

/* attacks.md 24: ids of all zeros and none are one trace. */
START_TEST(spans_without_an_id_are_one_trace)
{
	static const uint8_t zeros[16];

	begin("{decision_wait: 1s, " ALL "}");
	GIVE(.number = 1);
	GIVE(.id = zeros, .number = 2);
	GIVE(.number = 3);
	ck_assert(metric(FRESH) == 1);
	seconds(2);
	ck_assert_uint_eq(all_that_came(), 3);
	end();
}
END_TEST

START_TEST(an_id_of_another_length_is_refused)
{
	static const uint8_t request[] = { 0x0a, 8, 0x12, 6, 0x12, 4, 0x0a, 2,
					   1, 2 };
	struct weir_outcome outcome;

	begin("{" ALL "}");
	ck_assert_int_lt(weir_test_send(t, WEIR_SIGNAL_TRACES, request,
					sizeof(request), &outcome), 0);
	ck_assert_int_eq(outcome.status, WEIR_INVALID_ARGUMENT);
	end();
}
END_TEST

/* attacks.md 25. */
START_TEST(times_of_any_size_are_no_trouble)
{
	static const uint64_t times[] = { 0, 1, INT64_MAX,
		(uint64_t)INT64_MAX + 1, UINT64_MAX };
	uint64_t n = 0;

	begin("{decision_wait: 1s, policies: [{name: l, type: latency, latency:"
	      " {threshold_ms: 1}}, {name: u, type: latency, latency: "
	      "{threshold_ms: 1, upper_threshold_ms: 9223372036854775807}}]}");
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 5; k++) {
			n++;
			GIVE(.trace = n, .number = n, .start = times[i],
			     .end = times[k]);
			GIVE(.trace = 100, .number = 100 + n,
			     .start = times[k], .end = times[i]);
		}
	seconds(2);
	ck_assert_uint_eq(came(3), 1);		/* 0 .. INT64_MAX */
	ck_assert_uint_eq(came(1), 0);		/* 0 .. 0 */
	end();
}
END_TEST

START_TEST(at_the_limit_of_memory_the_oldest_is_decided_with_what_is_there)
{
	uint64_t i;

	begin("{decision_wait: 30s, memory_limit_mib: 1, " HALF "}");
	GIVE(.trace = 1, .number = 1, .status = 1);
	GIVE(.trace = 2, .number = 2);
	for (i = 3; !all_that_came(); i++) {
		GIVE(.trace = i, .number = i, .pad = 10000);
		ck_assert_uint_lt(i, 200);
	}
	ck_assert_uint_gt(i, 60);
	ck_assert_uint_eq(came(1), 1);
	ck_assert_uint_eq(all_that_came(), 1);
	ck_assert(metric(DECIDED) >= 1);
	GIVE(.trace = 1, .number = 1000);	/* late, and sampled */
	ck_assert_uint_eq(came(1000), 1);
	end();
}
END_TEST

START_TEST(a_span_larger_than_all_the_memory_is_taken_alone)
{
	struct weir_outcome outcome;

	begin("{decision_wait: 30s, memory_limit_mib: 1, " ALL "}");
	GIVE(.trace = 1, .number = 1);
	ck_assert(is_answered(send_span((struct a_span){ .trace = 2,
				.number = 2, .pad = 2 << 20 }), &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert_uint_eq(came(1), 1);		/* decided, for the room */
	ck_assert_uint_eq(came(2), 0);
	GIVE(.trace = 3, .number = 3);
	ck_assert_uint_eq(came(2), 1);		/* the next to give way */
	seconds(40);
	ck_assert_uint_eq(all_that_came(), 3);
	ck_assert(metric(DROPPED) == 0);
	end();
}
END_TEST

/* --- block_on_overflow --------------------------------------------------- */

#define BLOCKING "{decision_wait: 2s, num_traces: 2, block_on_overflow: true, "

START_TEST(a_full_sampler_lets_senders_wait)
{
	struct weir_outcome outcome;
	int third, fourth;

	begin(BLOCKING ALL "}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 2, .number = 2);
	third = send_span((struct a_span){ .trace = 3, .number = 3 });
	fourth = send_span((struct a_span){ .trace = 1, .number = 4 });
	ck_assert(!is_answered(third, &outcome));
	ck_assert(!is_answered(fourth, &outcome));	/* not overtaken */
	ck_assert_uint_eq(weir_test_held(t), 2);
	seconds(3);		/* decided; without caches they give way */
	ck_assert(is_answered(third, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert(is_answered(fourth, &outcome));
	seconds(3);
	for (uint64_t i = 1; i <= 4; i++)
		ck_assert_uint_eq(came(i), 1);
	ck_assert(metric(TOO_EARLY) == 0);
	end();
}
END_TEST

START_TEST(spans_of_known_traces_need_no_room)
{
	struct weir_outcome outcome;
	struct traces r = { 0 };

	begin(BLOCKING ALL "}");
	GIVE(.trace = 1, .number = 1);
	for (uint64_t i = 2; i < 9; i++)	/* one new trace */
		traces_span(&r, &(struct a_span){ .trace = 1 + i % 2,
						  .number = i });
	ck_assert(is_answered(send_traces(&r), &outcome));
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 8);
	end();
}
END_TEST

START_TEST(a_part_of_more_traces_than_there_can_be_is_let_in_when_it_is_empty)
{
	struct weir_outcome outcome;
	struct traces r = { 0 };
	int number;

	begin(BLOCKING ALL "}");
	GIVE(.trace = 1, .number = 1);
	for (uint64_t i = 2; i < 9; i++)
		traces_span(&r, &(struct a_span){ .trace = i, .number = i });
	number = send_traces(&r);
	ck_assert(!is_answered(number, &outcome));
	seconds(3);
	ck_assert(is_answered(number, &outcome));
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 8);	/* decided, not lost */
	ck_assert(metric(TOO_EARLY) == 0);
	end();
}
END_TEST

START_TEST(who_waits_when_it_ends_is_let_in)
{
	struct weir_outcome outcome;
	int third, fourth;

	begin(BLOCKING ALL "}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 2, .number = 2);
	third = send_span((struct a_span){ .trace = 3, .number = 3 });
	fourth = send_span((struct a_span){ .trace = 4, .number = 4 });
	weir_test_stop(t);
	ck_assert(is_answered(third, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	ck_assert(is_answered(fourth, &outcome));
	ck_assert_uint_eq(all_that_came(), 4);
	end();
}
END_TEST

/* --- span-ingest --------------------------------------------------------- */

#define INGEST "{decision_wait: 2s, sampling_strategy: span-ingest, "

START_TEST(each_piece_may_decide_a_trace)
{
	begin(INGEST NONE "}");
	GIVE(.trace = 1, .number = 11);
	GIVE(.trace = 2, .number = 21);
	ck_assert_uint_eq(all_that_came(), 0);
	GIVE(.trace = 1, .number = 12, .status = 2);
	ck_assert_uint_eq(came(11) + came(12), 2);
	GIVE(.trace = 1, .number = 13);
	ck_assert_uint_eq(came(13), 1);
	ck_assert(metric(TS("count_traces_sampled")) == 3);
	ck_assert(metric(DECIDED) == 1);
	ck_assert(metric(ON_MEMORY) == 2);
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 3);
	ck_assert(metric(DECIDED) == 2);	/* 2 was not sampled */
	ck_assert(metric(ON_MEMORY) == 1);	/* and is forgotten */
	end();
}
END_TEST

START_TEST(a_piece_is_asked_about_with_the_count_of_the_whole_trace)
{
	begin(INGEST "policies: [{name: c, type: span_count, span_count: "
	      "{min_spans: 3}}]}");
	GIVE(.trace = 1, .number = 1);
	GIVE(.trace = 1, .number = 2);
	ck_assert_uint_eq(all_that_came(), 0);
	GIVE(.trace = 1, .number = 3);
	ck_assert_uint_eq(all_that_came(), 3);
	end();
}
END_TEST

/* As in the Collector: such a configuration samples nothing. */
START_TEST(a_drop_policy_leaves_pieces_undecided)
{
	begin(INGEST "policies: [{name: all, type: always_sample}, {name: d1, "
	      "type: drop, drop: {drop_sub_policy: [{type: status_code, "
	      "status_code: {status_codes: [OK]}}]}}, {name: d2, type: drop, "
	      "drop: {drop_sub_policy: [{type: status_code, status_code: "
	      "{status_codes: [ERROR]}}]}}]}");
	GIVE(.trace = 1, .number = 1);
	ck_assert(metric(TS("sampling_policy_execution_count")) == 2);
	ck_assert(metric(DECIDED) == 0);
	GIVE(.trace = 1, .number = 2, .status = 2);	/* the second drops */
	ck_assert(metric(DECIDED) == 1);
	seconds(3);
	ck_assert_uint_eq(all_that_came(), 0);
	ck_assert(metric(DECIDED) == 1);
	end();
}
END_TEST

/* --- Downstream ---------------------------------------------------------- */

START_TEST(what_is_refused_for_now_is_brought_again)
{
	struct weir_outcome no;

	begin("{decision_wait: 1s, " ALL "}");
	weir_outcome_set(&no, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, "later");
	weir_test_next_nacks(t, &no);
	GIVE(.trace = 1, .number = 1);
	seconds(2);
	ck_assert_uint_eq(came(1), 1);
	seconds(2);
	ck_assert_uint_eq(came(1), 3);
	weir_test_next_acks(t);
	seconds(5);
	ck_assert_uint_eq(came(1), 4);
	ck_assert(metric(DROPPED) == 0);
	end();
}
END_TEST

START_TEST(what_is_refused_for_good_is_a_counted_drop)
{
	struct weir_outcome no;

	begin("{decision_wait: 1s, " ALL "}");
	weir_outcome_set(&no, WEIR_INVALID_ARGUMENT, WEIR_REASON_BACKEND, "no");
	weir_test_next_nacks(t, &no);
	GIVE(.trace = 1, .number = 1);
	seconds(5);
	ck_assert_uint_eq(came(1), 1);
	ck_assert(metric(DROPPED) == 1);
	end();
}
END_TEST

START_TEST(at_the_end_it_is_brought_for_ten_seconds)
{
	struct weir_outcome no;

	begin("{decision_wait: 1s, " ALL "}");
	weir_outcome_set(&no, WEIR_UNAVAILABLE, WEIR_REASON_BACKEND, "later");
	weir_test_next_nacks(t, &no);
	GIVE(.trace = 1, .number = 1);
	weir_test_stop(t);
	ck_assert_uint_eq(came(1), 1);
	seconds(9);
	ck_assert_uint_eq(came(1), 10);
	ck_assert(metric(DROPPED) == 0);
	seconds(5);
	ck_assert_uint_eq(came(1), 11);
	ck_assert(metric(DROPPED) == 1);
	end();
}
END_TEST

/* --- The end ------------------------------------------------------------- */

START_TEST(at_the_end_traces_are_decided_with_what_is_there)
{
	begin("{decision_wait: 30s, " NONE "}");
	GIVE(.trace = 1, .number = 1, .status = 2);
	GIVE(.trace = 2, .number = 2);
	weir_test_stop(t);
	ck_assert_uint_eq(came(1), 1);
	ck_assert_uint_eq(came(2), 0);
	ck_assert(metric(DECIDED) == 2);
	end();
}
END_TEST

START_TEST(or_they_are_dropped)
{
	begin("{decision_wait: 30s, drop_pending_traces_on_shutdown: true, " ALL
	      "}");
	GIVE(.trace = 1, .number = 1);
	weir_test_stop(t);
	ck_assert_uint_eq(all_that_came(), 0);
	ck_assert(metric(DECIDED) == 0);
	ck_assert(metric(DROPPED) == 1);
	end();
}
END_TEST

START_TEST(every_tick_is_timed)
{
	begin("{decision_wait: 1s, " ALL "}");
	seconds(5);
	ck_assert(metric(TICKS) == 5);
	ck_assert(metric(TS("sampling_policy_evaluation_error")) == 0);
	end();
}
END_TEST

/* --- The suite ----------------------------------------------------------- */

#define N(a) (int)(sizeof(a) / sizeof(*(a)))

static void add_first(TCase *tests)
{
	tcase_add_loop_test(tests,
			    a_trace_is_decided_a_while_after_its_first_span,
			    0, N(waits));
	tcase_add_test(tests, a_later_root_only_ever_hastens_the_decision);
	tcase_add_test(tests, a_parent_of_zeros_is_none);
	tcase_add_test(tests, a_trace_is_not_quiet_while_spans_come);
	tcase_add_test(tests,
		       a_trace_that_never_is_quiet_is_decided_all_the_same);
	tcase_add_test(tests, the_sender_is_answered_at_once);
	tcase_add_test(tests,
		       a_span_keeps_its_scope_its_resource_and_their_schemas);
	tcase_add_test(tests, what_is_not_understood_goes_on_too);
	tcase_add_test(tests,
		       traces_of_a_tick_share_a_batch_and_their_wrappers);
	tcase_add_test(tests, late_spans_follow_the_decision);
	tcase_add_test(tests, caches_answer_for_traces_that_are_gone);
	tcase_add_test(tests,
		       a_cache_of_one_kind_leaves_the_entries_of_the_other);
	tcase_add_test(tests, a_cache_forgets_what_was_not_used_for_longest);
	tcase_add_test(tests, a_cache_knows_ids_by_their_last_bytes);
}

static void add_bounds(TCase *tests)
{
	tcase_add_test(tests, the_oldest_trace_gives_way_decided_or_not);
	tcase_add_loop_test(tests,
		a_trace_that_is_too_large_is_not_sampled_or_decided_at_once,
		0, N(sizes));
	tcase_add_test(tests,
		       a_giant_trace_is_decided_at_its_cap_and_streams_on);
	tcase_add_test(tests, a_flood_of_ids_is_bounded_in_bytes);
	tcase_add_test(tests, a_flood_of_ids_is_bounded_in_traces);
	tcase_add_test(tests, a_flood_of_late_spans_keeps_to_the_caches);
	tcase_add_test(tests, spans_without_an_id_are_one_trace);
	tcase_add_test(tests, an_id_of_another_length_is_refused);
	tcase_add_test(tests, times_of_any_size_are_no_trouble);
	tcase_add_test(tests,
		at_the_limit_of_memory_the_oldest_is_decided_with_what_is_there);
	tcase_add_test(tests,
		       a_span_larger_than_all_the_memory_is_taken_alone);
	tcase_add_test(tests, a_full_sampler_lets_senders_wait);
	tcase_add_test(tests, spans_of_known_traces_need_no_room);
	tcase_add_test(tests,
		a_part_of_more_traces_than_there_can_be_is_let_in_when_it_is_empty);
	tcase_add_test(tests, who_waits_when_it_ends_is_let_in);
}

static void add_last(TCase *tests)
{
	tcase_add_test(tests, each_piece_may_decide_a_trace);
	tcase_add_test(tests,
		       a_piece_is_asked_about_with_the_count_of_the_whole_trace);
	tcase_add_test(tests, a_drop_policy_leaves_pieces_undecided);
	tcase_add_test(tests, what_is_refused_for_now_is_brought_again);
	tcase_add_test(tests, what_is_refused_for_good_is_a_counted_drop);
	tcase_add_test(tests, at_the_end_it_is_brought_for_ten_seconds);
	tcase_add_test(tests, at_the_end_traces_are_decided_with_what_is_there);
	tcase_add_test(tests, or_they_are_dropped);
	tcase_add_test(tests, every_tick_is_timed);
}

int main(void)
{
	Suite *suite = suite_create("processors/tail_sampling");
	TCase *tests = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, 120);
	add_first(tests);
	add_bounds(tests);
	add_last(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
