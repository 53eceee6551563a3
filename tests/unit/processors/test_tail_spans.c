/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processors/tail_sampling: what becomes of the spans: how they go on, and
 * those that come late.
 */
#include "ts_case.h"

/* --- What goes on --------------------------------------------------------- */

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

/* --- Late spans ----------------------------------------------------------- */

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

int main(void)
{
	const struct ts_test tests[] = {
		{ a_span_keeps_its_scope_its_resource_and_their_schemas, 0 },
		{ what_is_not_understood_goes_on_too, 0 },
		{ traces_of_a_tick_share_a_batch_and_their_wrappers, 0 },
		{ late_spans_follow_the_decision, 0 },
		{ caches_answer_for_traces_that_are_gone, 0 },
		{ a_cache_of_one_kind_leaves_the_entries_of_the_other, 0 },
		{ a_cache_forgets_what_was_not_used_for_longest, 0 },
		{ a_cache_knows_ids_by_their_last_bytes, 0 },
	};

	return TS_MAIN("spans", tests);
}
