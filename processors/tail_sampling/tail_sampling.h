/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tail_sampling.h: an instance, as the files of this plugin share it.
 *
 *	tail_sampling.c	rows, metrics, start and stop
 *	room.c		what is given up for who waits
 *	ingest.c	spans of a part find their traces
 *	piece.c		what concerns several of one trace
 *	decide.c	a trace is asked about, kept or let go
 *	out.c		what was kept goes on, and is brought again
 */
#ifndef TAIL_SAMPLING_H
#define TAIL_SAMPLING_H

#include <weir/credits.h>
#include <weir/metric.h>
#include <weir/plugin.h>
#include <weir/timer.h>

#include "buckets.h"
#include "cache.h"
#include "emit.h"
#include "policy.h"
#include "store.h"
#include "table.h"

#define GOING 16		/* traces whose spans are let go together */

struct cache_config {
	int64_t sampled_cache_size, non_sampled_cache_size;
};

struct settings {
	weir_duration decision_wait, decision_wait_after_root_received;
	uint64_t num_traces, expected_new_traces_per_sec;
	struct weir_list policies;
	struct cache_config decision_cache;
	bool sample_on_first_match, block_on_overflow,
	     drop_pending_traces_on_shutdown;
	uint64_t maximum_trace_size_bytes;
	weir_str sampling_strategy;
	const struct weir_node *tail_storage;
	/* ours */
	uint64_t memory_limit_mib;
	weir_duration quiet_time;
	weir_str on_maximum_trace_size;
};

struct policy_counts {			/* of one policy */
	weir_counter sampled, not_sampled, dropped;
	weir_counter executions, microseconds;
	uint64_t ns;			/* not in microseconds yet */
};

struct tallies {
	weir_counter sampled, not_sampled, dropped;	/* decided traces */
	weir_counter late_sampled, late_not_sampled;	/* spans, by cache */
	weir_counter new_traces, too_early, too_large, errors;
	weir_histogram tick_ms, late_age, removal_age;
	weir_gauge traces;
};

struct head_size {			/* piece.c: with tag and length */
	uint32_t index;			/* of the scope or resource */
	size_t size;
};

struct tail_sampling {
	struct weir_component base;
	struct settings set;		/* config */
	struct tallies count;
	struct policies *policies;	/* the prototype's; shared */
	struct policy_counts *counts;	/* by policy */
	struct policy_said *said;	/* what each said of one trace */
	char **labels;			/* text of labels, by policy */
	bool span_ingest, decide_large;
	uint64_t wait, root_wait, quiet;	/* in ticks; root_wait and
						 * quiet: UINT64_MAX, off */
	struct weir_credits *traces;	/* num_traces, of the process */
	struct weir_credits *room;	/* bytes, of the process */
	struct table table;
	struct store store;
	struct cache sampled, rejected;
	struct buckets buckets;
	struct weir_timer timer;
	uint64_t decided;		/* traces that were settled */
	size_t places;			/* of the part: reserved, not used */
	uint64_t reserved;		/* ... bytes; 0: not added up yet */
	span_ref going[GOING];		/* the last spans of some that go */
	size_t n_going;
	uint64_t asked;			/* times that policies were */
	uint64_t now, wall;		/* ns; when this part or tick began */
	/* out.c */
	struct emitter emitter;
	struct span_list out;		/* to be passed on */
	uint64_t short_at;		/* `now` when memory was short last */
	struct weir_batch_list back;	/* refused for now; brought again */
	uint64_t patience;		/* stopping: until then; 0: running */
	/* ingest.c, piece.c */
	struct piece *pieces;		/* of the resource that is taken in */
	size_t n_pieces, cap_pieces;
	uint32_t n_resources;		/* so far; tells what came late once */
	struct head_size scope, resource;	/* of the span that comes */
	uint64_t *resource_marks;	/* what it has that policies look for */
};

/* Rows of histograms, in the table of metrics. */
enum { ROW_TICK_MS, ROW_LATE_AGE, ROW_REMOVAL_AGE };
extern const struct weir_metric_def tail_sampling_metrics[];

/* --- tail_sampling.c ----------------------------------------------------- */


/* --- room.c -------------------------------------------------------------- */

/* Gives up what this worker can for those who wait. */
void give_way(struct tail_sampling *self);
/* Bytes of spans and entries: of the room. */
uint64_t room_taken(const struct tail_sampling *self);
/* Forgets decided traces, or decides those that are due next: until less is
 * taken, or there is a batch worth passing on.  False when that changes
 * nothing. */
bool decide_some(struct tail_sampling *self);
/* struct weir_part_needs: new traces of the part, each once. */
size_t count_places(struct weir_component *c, const struct weir_part *part);

/* --- ingest.c ------------------------------------------------------------ */

/* Takes the spans of the part in. */
void ingest(struct tail_sampling *self, const struct weir_batch *batch);
void ingest_init(struct tail_sampling *self);
void ingest_release(struct tail_sampling *self);

/* --- piece.c ------------------------------------------------------------- */

/* A part begins: nothing is known of its scopes. */
void begin_pieces(struct tail_sampling *self);
/* A span of the entry, which is undecided. */
void piece_add(struct tail_sampling *self, const struct weir_part *part,
	       const struct weir_part_span *span, struct entry *entry,
	       bool root);
/* The resource has ended. */
void end_pieces(struct tail_sampling *self);
/* The part has: a flood of traces leaves none of its memory behind. */
void trim_pieces(struct tail_sampling *self);
/* The entry goes while spans of it come. */
void leave_piece(struct tail_sampling *self, const struct pending *pending);

/* --- decide.c ------------------------------------------------------------ */

/* Asks the policies about what was seen of the trace, or (span-ingest) of the
 * piece. */
enum verdict ask(struct tail_sampling *self, const struct entry *entry);
void count_verdict(struct tail_sampling *self, enum verdict verdict);
/* Ends the waiting of a trace: its spans go on or go, its id is remembered.
 * The entry may be gone then.  out_flush follows some time. */
void settle(struct tail_sampling *self, struct entry *entry,
	    enum verdict verdict);
/* Asks and settles. */
void decide(struct tail_sampling *self, struct entry *entry);
/* Spans of traces that were settled or forgotten are let go now; until then
 * some may still take room. */
void let_all_go(struct tail_sampling *self);
/* Forgets an entry, and the spans it still has: lost, for that reason. */
void forget(struct tail_sampling *self, struct entry *entry,
	    enum weir_reason reason);

/* --- out.c --------------------------------------------------------------- */

/* Passes on what settle has gathered: all, or only when it is a lot. */
void out_flush(struct tail_sampling *self, bool all);
/* Descriptor: .answered. */
void out_answered(struct weir_component *c, struct weir_batch *batch,
		  const struct weir_outcome *outcome, void *cookie);
/* Brings again what was refused. */
void out_again(struct tail_sampling *self);
void out_release(struct tail_sampling *self);

#endif
