/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_play.h: a random play for the tail sampler: its configuration, as YAML
 * and for the model, and requests of random spans; and what came out of it,
 * by the numbers of spans.
 *
 * tail_random.c	policies
 * tail_play.c		the rest
 *
 * The same seed gives the same play.  One thread makes requests; any may say
 * what came.
 */
#ifndef TESTS_TAIL_PLAY_H
#define TESTS_TAIL_PLAY_H

#include <stdatomic.h>
#include <weir/base.h>

#include "otlp_gen.h"
#include "tail_model.h"

/* What a play may have. */
enum {
	/* What depends on the order in which traces come: */
	TAIL_RATES = 1,		/* limits, composite */
	TAIL_EVICTS = 2,	/* fewer places than traces */
	/* The verdict hangs on the trace's id and on nothing else; no trace is
	 * forgotten before it was decided. */
	TAIL_BY_ID = 4,
	TAIL_BLOCKS = 8,	/* with BY_ID: block_on_overflow */
	TAIL_SMALL = 16,	/* with BY_ID: little memory */
};

/* Of attributes; more often than not the first. */
#define PLAY_KEYS 5
extern const char *const play_keys[PLAY_KEYS];
const char *play_key(struct gen *gen);

struct text {
	char at[16384];
	size_t len;
};
void text_add(struct text *out, const char *format, ...) WEIR_PRINTF(2, 3);

struct tail_play {
	uint64_t seed;
	struct gen gen;
	unsigned has;
	struct text yaml;
	struct m_config config;
	int scopes;			/* their numbers */
	struct m_span spans[MODEL_SPANS];	/* by number */
	struct bytes bodies[MODEL_SPANS];
	size_t n;			/* of these */
	unsigned due[MODEL_SPANS];	/* times that the model let it out */
	atomic_uint came[MODEL_SPANS];	/* and the sampler */
	_Atomic(const char *) wrong;	/* NULL: nothing yet */
};

/* Makes up the configuration; frees what the play before left. */
void tail_play_begin(struct tail_play *play, uint64_t seed, unsigned has);
void tail_play_release(struct tail_play *play);
/* Another request, of traces first .. first + n - 1.  Tells the spans as they
 * come, and with NULL that a resource ends.  traces_free(r) is the caller's. */
void tail_play_request(struct tail_play *play, struct traces *r,
		       uint64_t first, uint32_t n,
		       void (*tell)(void *arg, const struct m_span *span),
		       void *arg);
/* An export request came out.  Any thread. */
void tail_play_came(struct tail_play *play, weir_str request);
/* NULL: what came is what was due, unaltered.  Else a sentence, which stays
 * until the next call. */
const char *tail_play_differs(struct tail_play *play);

/* --- tail_random.c -------------------------------------------------------- */

/* config.policies and their YAML. */
void tail_random_policies(struct tail_play *play);

#endif
