/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probabilistic sampler against an obvious model: random spans through
 * random settings.  The model takes the long way: digits one by one, hashes by
 * their definition, no bits.  And what sampling promises: the same share, and
 * what a small share keeps a larger one keeps too.
 */
#include <math.h>

#include "../../support/otlp_gen.h"
#include "../../support/seeds.h"
#include "sampler_box.h"

#define SEEDS SEEDS_OF(150)
#define SPANS 200
#define NEVER 72057594037927936ull	/* 2^56 */

enum { HASH, EQUALIZING, PROPORTIONAL };
static const char *const modes[] = { "hash_seed", "equalizing",
				     "proportional" };

struct setting {
	int mode, precision;
	float percentage;
	uint32_t seed;
	bool closed;
};

struct span {
	uint8_t id[16];
	bool has_id, has_rv, has_th;
	uint64_t rv, th;
	int priority;		/* -1: none */
};

/* --- The model ---------------------------------------------------------------- */

/* How often 16 goes into 1/p. */
static int zeros(double p)
{
	int n = 0;

	for (; p * 16 < 1 && n < 14; p *= 16)
		n++;
	return n;
}

static uint64_t model_threshold(double p, int precision)
{
	uint64_t t = NEVER - (uint64_t)llround(p * (double)NEVER), unit = 1;
	int more = zeros(p) > zeros(1 - p) ? zeros(p) : zeros(1 - p);

	if (p == 1)
		return 0;
	for (int digits = precision + more; digits < 14; digits++)
		unit *= 16;
	if (t % unit * 2 >= unit && unit > 1)
		t += unit;
	return t / unit * unit;
}

static uint64_t model_hash(const struct setting *s, const struct span *span,
			   uint32_t *low)
{
	uint32_t hash = 2166136261u, seed = s->seed;
	uint64_t high;

	for (int i = 0; i < 4; i++, seed /= 256) {
		hash ^= seed % 256;
		hash *= 16777619u;
	}
	for (int i = 0; i < 16; i++) {
		hash ^= span->id[i];
		hash *= 16777619u;
	}
	*low = hash % 16384;
	high = hash / 262144;
	return (16383 - *low) * 4398046511104ull +
		(high ^ (high * 1024)) * 16384 + *low;
}

static uint64_t model_id(const struct span *span)
{
	uint64_t r = 0;

	for (int i = 9; i < 16; i++)
		r = r * 256 + span->id[i];
	return r;
}

static void model_text(bool has_rv, uint64_t rv, bool has_th, uint64_t th,
		       char *out)
{
	char text[32];

	strcpy(out, has_rv || has_th ? "ot=" : "");
	if (has_rv)
		sprintf(out + strlen(out), "rv:%014llx%s",
			(unsigned long long)rv, has_th ? ";" : "");
	if (!has_th)
		return;
	sprintf(text, "%014llx", (unsigned long long)th);
	while (text[1] && text[strlen(text) - 1] == '0')
		text[strlen(text) - 1] = 0;
	sprintf(out + strlen(out), "th:%s", text);
}

/* A span that the hash may decide about. */
static bool model_fresh(const struct setting *s, const struct span *span,
			char *out)
{
	float share = s->percentage * 163.84f;
	uint32_t accepted = (uint32_t)share, low = 0;
	uint64_t r = NEVER - 1;
	bool kept = !s->closed;

	if (span->has_id)
		r = model_hash(s, span, &low);
	if (span->has_id)
		kept = low < accepted;
	if (span->priority >= 0)
		kept = span->priority > 0;
	model_text(true, r, true, span->has_id && span->priority < 0 ?
		   (uint64_t)(16384 - accepted) * 4398046511104ull : 0, out);
	return kept;
}

/* Nothing passes but by priority; randomness is not asked for. */
static bool model_nothing(const struct span *span, char *out)
{
	model_text(span->has_rv, span->rv, true, span->has_th ? span->th : 0,
		   out);
	return span->priority > 0;
}

static bool model_share(const struct setting *s, const struct span *span,
			char *out)
{
	double p = (double)s->percentage / 100;
	uint64_t r = span->has_rv ? span->rv : model_id(span), t;
	bool missing = !span->has_rv && !span->has_id;
	bool lie = !missing && span->has_th && span->th > r;
	bool kept;

	if (missing)
		r = NEVER - 1;
	if (s->mode == PROPORTIONAL && span->has_th)
		p *= (double)(NEVER - span->th) / (double)NEVER;
	t = p * (double)NEVER < 1 ? NEVER : model_threshold(p, s->precision);
	if (s->mode == EQUALIZING && span->has_th && span->th > t)
		t = span->th;
	if (missing || lie)
		t = s->closed ? NEVER : 0;
	if (span->priority >= 0)
		t = span->priority ? 0 : NEVER;
	kept = r >= t;
	if (span->has_th && !lie && span->th > t)
		t = span->th;
	model_text(span->has_rv, span->rv, true, t, out);
	return kept;
}

/* What it becomes, in out; false: dropped. */
static bool model(const struct setting *s, const struct span *span,
		  const char *state, char *out)
{
	if (s->mode == HASH && (uint32_t)(s->percentage * 163.84f) == 0)
		return model_nothing(span, out);
	if (s->percentage == 0)
		return model_nothing(span, out);
	if (s->mode != HASH)
		return model_share(s, span, out);
	if (!span->has_rv && !span->has_th)
		return model_fresh(s, span, out);
	strcpy(out, state);	/* takes part in something else: untouched */
	return span->priority < 0 ? !s->closed : span->priority > 0;
}

/* --- Chance ------------------------------------------------------------------- */

static struct setting some_setting(struct gen *gen)
{
	static const float shares[] = { 0, 0.003f, 0.1f, 1, 6.25f, 25, 33.333f,
					50, 75, 99.9f, 100 };
	struct setting s = { .mode = (int)gen_below(gen, 3), .precision = 4 };

	s.percentage = shares[gen_below(gen, sizeof(shares) / sizeof(float))];
	if (gen_one_in(gen, 2))
		s.percentage = (float)gen_below(gen, 1000000) / 10000;
	if (gen_one_in(gen, 2))
		s.precision = 1 + (int)gen_below(gen, 14);
	if (gen_one_in(gen, 2))
		s.seed = (uint32_t)gen_next(gen);
	s.closed = gen_one_in(gen, 2);
	return s;
}

static struct span some_span(struct gen *gen)
{
	struct span span = { .has_id = !gen_one_in(gen, 12) };

	for (int i = 0; i < 16; i++)
		span.id[i] = (uint8_t)gen_next(gen);
	span.has_rv = gen_one_in(gen, 4);
	span.rv = gen_next(gen) % NEVER;
	span.has_th = gen_one_in(gen, 3);
	span.th = gen_next(gen) % NEVER;
	if (gen_one_in(gen, 2))		/* mostly consistent, and round */
		span.th = span.th >> 52 << 48;
	span.priority = (int)gen_below(gen, 12) - 10;
	if (span.priority < 0)
		span.priority = -1;
	return span;
}

static void to_item(const struct span *span, struct box_item *item,
		    char state[64])
{
	struct weir_value priority = { WEIR_VALUE_INT,
				       .integer = span->priority };

	*item = (struct box_item){ .has_id = span->has_id, .state = state };
	memcpy(item->id, span->id, 16);
	model_text(span->has_rv, span->rv, span->has_th, span->th, state);
	if (span->priority >= 0)
		box_attribute(WEIR_SIGNAL_TRACES, item, "sampling.priority",
			      &priority);
}

static struct box open_setting(const struct setting *s)
{
	char yaml[256];

	snprintf(yaml, sizeof(yaml), "mode: %s\nsampling_percentage: %.9g\n"
		 "hash_seed: %u\nsampling_precision: %d\nfail_closed: %s\n",
		 modes[s->mode], (double)s->percentage, s->seed, s->precision,
		 s->closed ? "true" : "false");
	return box_open(WEIR_SIGNAL_TRACES, yaml);
}

static void check_seed(uint64_t seed)
{
	static struct box_item items[SPANS];
	static struct span spans[SPANS];
	static char states[SPANS][64];
	struct gen gen = { seed };
	struct setting s = some_setting(&gen);
	struct box box = open_setting(&s);

	for (int i = 0; i < SPANS; i++) {
		spans[i] = some_span(&gen);
		to_item(&spans[i], &items[i], states[i]);
	}
	box_send(&box, items, SPANS);
	for (int i = 0; i < SPANS; i++) {
		char want[80];
		bool kept = model(&s, &spans[i], states[i], want);

		ck_assert_msg(kept == (box.kept[i] != NULL) &&
			      (!kept || !strcmp(box.kept[i], want)),
			      "seed %llu, span %d, %s %.9g %%: \"%s\" is %s, "
			      "not %s", (unsigned long long)seed, i,
			      modes[s.mode], (double)s.percentage, states[i],
			      box.kept[i] ? box.kept[i] : "dropped",
			      kept ? want : "dropped");
		weir_text_release(&items[i].attributes);
	}
	box_close(&box);
}

START_TEST(decides_as_the_model_does)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		check_seed(seed);
}
END_TEST

/* --- What sampling promises --------------------------------------------------- */

#define PLAIN 500
#define ROUNDS 20

static void some_ids(struct gen *gen, struct box_item *items)
{
	memset(items, 0, PLAIN * sizeof(*items));
	for (int i = 0; i < PLAIN; i++) {
		items[i].has_id = true;
		for (int j = 0; j < 16; j++)
			items[i].id[j] = (uint8_t)gen_next(gen);
	}
}

/* Within five standard deviations of n times p. */
START_TEST(keeps_the_share_that_it_should)
{
	static const float shares[] = { 1, 10, 33.333f, 50, 90 };
	static struct box_item items[PLAIN];
	struct gen gen = { 4711 };

	for (size_t k = 0; k < sizeof(shares) / sizeof(*shares); k++) {
		struct setting s = { .mode = _i, .precision = 4,
				     .percentage = shares[k], .closed = true };
		double p = (double)shares[k] / 100, n = PLAIN * ROUNDS;
		size_t kept = 0;

		for (int round = 0; round < ROUNDS; round++) {
			struct box box = open_setting(&s);

			some_ids(&gen, items);
			box_send(&box, items, PLAIN);
			kept += box.n_kept;
			box_close(&box);
		}
		ck_assert_double_le(fabs((double)kept - n * p),
				    5 * sqrt(n * p * (1 - p)));
	}
}
END_TEST

START_TEST(what_a_small_share_keeps_a_larger_one_keeps)
{
	static const float shares[] = { 0.5f, 3, 25, 33.3f, 60, 99.5f, 100 };
	static struct box_item items[PLAIN];
	bool before[PLAIN] = { false };
	struct gen gen = { 42 };

	some_ids(&gen, items);
	for (size_t k = 0; k < sizeof(shares) / sizeof(*shares); k++) {
		struct setting s = { .mode = _i, .precision = 4, .seed = 7,
				     .percentage = shares[k], .closed = true };
		struct box box = open_setting(&s);

		box_send(&box, items, PLAIN);
		for (int i = 0; i < PLAIN; i++) {
			ck_assert(!before[i] || box.kept[i]);
			before[i] = box.kept[i];
		}
		if (shares[k] == 100)
			ck_assert_uint_eq(box.n_kept, PLAIN);
		box_close(&box);
	}
}
END_TEST

/* Proportional, with all digits; what is kept goes to kept. */
static void take_share(float percentage, const struct box_item *items,
		       char *kept[PLAIN])
{
	struct setting s = { .mode = PROPORTIONAL, .precision = 14,
			     .percentage = percentage, .closed = true };
	struct box box = open_setting(&s);

	box_send(&box, items, PLAIN);
	memcpy(kept, box.kept, PLAIN * sizeof(*kept));
	memset(box.kept, 0, sizeof(box.kept));
	box_close(&box);
}

/* One sampler behind another keeps what one with the product would, and says
 * the same. */
static void check_twice(float in, float share, float product)
{
	static struct box_item items[PLAIN];
	char *first[PLAIN], *second[PLAIN], *once[PLAIN];
	struct gen gen = { 77 };
	size_t n = 0;

	some_ids(&gen, items);
	take_share(in, items, first);
	take_share(product, items, once);
	for (int i = 0; i < PLAIN; i++)	/* nobody keeps what is not valid */
		items[i].state = first[i] ? first[i] : "A";
	take_share(share, items, second);
	for (int i = 0; i < PLAIN; i++) {
		ck_assert(!once[i] == !second[i]);
		if (once[i])
			ck_assert_str_eq(once[i], second[i]);
		n += once[i] != NULL;
		free(first[i]);
		free(second[i]);
		free(once[i]);
	}
	ck_assert_uint_gt(n, 0);
}

START_TEST(a_half_of_a_half_is_a_quarter)
{
	check_twice(50, 50, 25);
	check_twice(25, 12.5f, 3.125f);
	check_twice(100, 12.5f, 12.5f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/probabilistic_model");
	TCase *c = tcase_create("probabilistic_model");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(c, 240);
	tcase_add_test(c, decides_as_the_model_does);
	EACH(keeps_the_share_that_it_should, modes);
	EACH(what_a_small_share_keeps_a_larger_one_keeps, modes);
	tcase_add_test(c, a_half_of_a_half_is_a_quarter);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
