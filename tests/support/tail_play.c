/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_play.c: configurations, requests, and what came back, for tail_play.h.
 */
#include "tail_play.h"

#include <stdarg.h>

void text_add(struct text *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	out->len += (size_t)vsnprintf(out->at + out->len,
				      sizeof(out->at) - out->len, format, args);
	va_end(args);
}

/* Two of a length, two that are long, none of a length that is not here. */
const char *const play_keys[PLAY_KEYS] = {
	"k", "kk", "k2",
	"a.key.of.sixty.three.letters.and.more.than.that.so.that.it.is.long",
	"a.key.of.sixty.three.letters.and.more.than.that.that.is.longer.yet"
};

const char *play_key(struct gen *gen)
{
	return play_keys[gen_one_in(gen, 2) ? 0 : gen_below(gen, PLAY_KEYS)];
}

/* --- The configuration ---------------------------------------------------- */

static bool maybe(struct tail_play *play, unsigned n)
{
	return gen_one_in(&play->gen, n);
}

static uint64_t below(struct tail_play *play, uint32_t n)
{
	return gen_below(&play->gen, n);
}

static void make_times(struct tail_play *play)
{
	struct m_config *config = &play->config;

	config->wait = below(play, 5);
	text_add(&play->yaml, "decision_wait: %ds", (int)config->wait);
	config->wait += !config->wait;
	if (maybe(play, 3)) {
		config->root_wait = below(play, 4);
		text_add(&play->yaml, ", decision_wait_after_root_received: "
			 "%dms", (int)config->root_wait * 1000 + 400);
	}
	if (maybe(play, 3)) {
		config->quiet = below(play, 3);
		text_add(&play->yaml, ", quiet_time: %dms",
			 (int)config->quiet * 1000 + 1);
	}
}

static void make_bounds(struct tail_play *play)
{
	struct m_config *config = &play->config;
	bool by_id = play->has & TAIL_BY_ID;

	config->num_traces = MODEL_TRACES - 4;
	if (play->has & (TAIL_EVICTS | TAIL_BLOCKS) && !maybe(play, 3))
		config->num_traces = 2 + below(play, 12);
	config->decide_large = by_id || maybe(play, 2);
	config->drop_pending = !by_id && maybe(play, 4);
	text_add(&play->yaml, ", num_traces: %zu, block_on_overflow: %s, "
		 "drop_pending_traces_on_shutdown: %s", config->num_traces,
		 play->has & TAIL_BLOCKS ? "true" : "false",
		 config->drop_pending ? "true" : "false");
	if (play->has & TAIL_SMALL)
		text_add(&play->yaml, ", memory_limit_mib: 1");
	if (!maybe(play, 3))
		return;
	config->max_size = 60 + below(play, 600);
	text_add(&play->yaml, ", maximum_trace_size_bytes: %d, "
		 "on_maximum_trace_size: %s", (int)config->max_size,
		 config->decide_large ? "decide" : "drop");
}

static void make_caches(struct tail_play *play)
{
	size_t *cache = play->config.cache;

	for (int i = 0; i < 2; i++)
		if (maybe(play, 2))
			cache[i] = play->has & TAIL_EVICTS ? below(play, 8) :
				   MODEL_TRACES;
	text_add(&play->yaml, ", decision_cache: {sampled_cache_size: %zu, "
		 "non_sampled_cache_size: %zu}", cache[0], cache[1]);
}

static void make_config(struct tail_play *play)
{
	struct m_config *config = &play->config;

	*config = (struct m_config){ .root_wait = NEVER, .quiet = NEVER };
	config->first_match = maybe(play, 3);
	config->span_ingest = !(play->has & TAIL_BY_ID) && maybe(play, 4);
	play->yaml.len = 0;
	text_add(&play->yaml, "{");
	make_times(play);
	make_bounds(play);
	make_caches(play);
	text_add(&play->yaml, ", sample_on_first_match: %s, "
		 "sampling_strategy: %s, ",
		 config->first_match ? "true" : "false",
		 config->span_ingest ? "span-ingest" : "trace-complete");
	tail_random_policies(play);
	text_add(&play->yaml, "}");
}

/* --- Spans ---------------------------------------------------------------- */

static void make_attrs(struct tail_play *play, struct attr attrs[MAX_ATTRS])
{
	static const struct attr some[] = {
		TEXT("k", "a"), TEXT("k", "ab"), TEXT("k", "xb"), TEXT("k", ""),
		TEXT("k", "buzz"), TEXT("k", "A"), INT("k", -1), INT("k", 0),
		INT("k", 1), INT("k", 3), BOOL("k", 0), BOOL("k", 1),
		DOUBLE("k", 2.0), EMPTY("k"), TEXT("other", "a"), INT("K", 1)
	};
	size_t n = below(play, MAX_ATTRS + 1);

	memset(attrs, 0, MAX_ATTRS * sizeof(*attrs));
	for (size_t i = 0; i < n; i++) {
		attrs[i] = some[below(play, 16)];
		if (!strcmp(attrs[i].key, "k"))
			attrs[i].key = play_key(&play->gen);
	}
}

static size_t make_pad(struct tail_play *play)
{
	if (play->has & TAIL_SMALL && maybe(play, 2))
		return below(play, 60000);
	return maybe(play, 8) ? below(play, 300) : 0;
}

/* In nanoseconds: a whole millisecond, or not. */
static uint64_t make_time(struct tail_play *play)
{
	uint64_t time = 1700000000000000000u + below(play, 400) * 1000000u;

	return maybe(play, 2) ? time : time + below(play, 1000000);
}

static void make_span(struct tail_play *play, struct m_span *s, uint64_t trace)
{
	static const char *const states[] = { NULL, NULL, "k=v", "a=1,k=w",
					      "k=v,k=v", "k=v,B=1", "k" };
	static const uint8_t zeros[16];

	s->span = (struct a_span){ .trace = trace, .number = play->n,
		.id = !trace && maybe(play, 2) ? zeros : NULL,
		.child = !maybe(play, 4), .status = (uint32_t)below(play, 3),
		.flags = (uint32_t)below(play, 4),
		.state = states[below(play, 7)], .pad = make_pad(play) };
	if (!maybe(play, 10))
		s->span.start = make_time(play);
	if (!maybe(play, 10))
		s->span.end = make_time(play);
	make_attrs(play, s->span.attrs);
}

static size_t attrs_len(const struct attr *attrs)
{
	struct bytes b = { 0 };
	size_t len;

	bytes_attrs(&b, 1, attrs);
	len = b.len;
	bytes_free(&b);
	return len;
}

/* The lengths that the model counts with. */
static void measure(struct tail_play *play, struct m_span *s,
		    const char *scope)
{
	struct bytes *body = &play->bodies[s->span.number];

	body->len = 0;
	span_body(body, &s->span);
	s->len = body->len;
	s->resource_len = attrs_len(s->resource);
	s->scope_len = *scope ? strlen(scope) + 2 : 0;
}

/* --- A request ------------------------------------------------------------ */

struct making {
	struct traces *r;
	uint64_t first;
	uint32_t n;
	struct attr resource[MAX_ATTRS];
};

static const struct m_span *add_span(struct tail_play *play,
				     struct making *making, const char *scope)
{
	struct m_span *s = &play->spans[play->n];

	make_span(play, s, making->first + below(play, making->n));
	memcpy(s->resource, making->resource, sizeof(s->resource));
	s->scope = play->scopes;
	measure(play, s, scope);
	traces_span(making->r, &s->span);
	play->n++;
	return s;
}

void tail_play_request(struct tail_play *play, struct traces *r,
		       uint64_t first, uint32_t n,
		       void (*tell)(void *arg, const struct m_span *span),
		       void *arg)
{
	static const char *const scopes[] = { "", "a", "library" };
	struct making making = { .r = r, .first = first, .n = n };
	uint64_t n_resources = below(play, 4);

	while (n_resources--) {
		uint64_t n_scopes = below(play, 3);

		make_attrs(play, making.resource);
		traces_resource(r, making.resource, NULL);
		while (n_scopes--) {
			const char *scope = scopes[below(play, 3)];
			uint64_t n_spans = below(play, 6);

			traces_scope(r, scope, NULL);
			play->scopes++;
			while (n_spans-- && play->n < MODEL_SPANS)
				tell(arg, add_span(play, &making, scope));
		}
		tell(arg, NULL);
	}
	traces_end(r);
}

/* --- What came back ------------------------------------------------------- */

static weir_str head(weir_str wrapper)
{
	struct weir_message_cursor cursor = weir_messages(wrapper, 1);

	return weir_message_next(&cursor) ? cursor.message : WEIR_STR("");
}

static bool same(weir_str text, const struct bytes *b)
{
	return text.len == b->len &&
	       (!text.len || !memcmp(text.ptr, b->ptr, text.len));
}

static void check_span(void *arg, weir_str resource, weir_str scope,
		       weir_str span, uint64_t number)
{
	struct tail_play *play = arg;
	const struct m_span *s = &play->spans[number % MODEL_SPANS];
	struct bytes b = { 0 };

	if (number >= play->n || !same(span, &play->bodies[number])) {
		play->wrong = "a span is not as it was";
		return;
	}
	bytes_attrs(&b, 1, s->resource);
	if (!same(head(resource), &b))
		play->wrong = "a span has another resource";
	if (head(scope).len != s->scope_len)
		play->wrong = "a span has another scope";
	bytes_free(&b);
	atomic_fetch_add(&play->came[number], 1);
}

void tail_play_came(struct tail_play *play, weir_str request)
{
	traces_each(request, check_span, play);
}

const char *tail_play_differs(struct tail_play *play)
{
	static char text[512];

	if (play->wrong)
		return play->wrong;
	for (size_t i = 0; i < play->n; i++) {
		if (play->came[i] == play->due[i])
			continue;
		snprintf(text, sizeof(text), "seed %llu: span %zu of trace "
			 "%llu came out %u times, not %u",
			 (unsigned long long)play->seed, i,
			 (unsigned long long)play->spans[i].span.trace,
			 play->came[i], play->due[i]);
		return text;
	}
	return NULL;
}

/* --- Life ----------------------------------------------------------------- */

static void free_policies(struct tail_play *play)
{
	for (size_t i = 0; i < play->config.n; i++)
		m_policy_free(&play->config.policies[i]);
	play->config.n = 0;
}

void tail_play_begin(struct tail_play *play, uint64_t seed, unsigned has)
{
	free_policies(play);
	play->seed = seed;
	play->gen.state = seed * 0x9e3779b97f4a7c15u + 1;
	play->has = has;
	play->scopes = 0;
	play->wrong = NULL;
	memset(play->due, 0, play->n * sizeof(*play->due));
	for (size_t i = 0; i < play->n; i++)
		play->came[i] = 0;
	play->n = 0;
	make_config(play);
}

void tail_play_release(struct tail_play *play)
{
	free_policies(play);
	for (size_t i = 0; i < MODEL_SPANS; i++)
		bytes_free(&play->bodies[i]);
}
