/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drop_short: drop spans that ended too soon to matter.
 *
 * A span shorter than min_duration is removed; a scope or resource left
 * without spans goes with it.  Traces only.  Holds nothing between batches.
 */
#include <weir/plugin.h>

struct drop_short {
	struct weir_component base;
	weir_duration min_duration;	/* config */
};

static const struct weir_field fields[] = {
	WEIR_FIELD(struct drop_short, min_duration, "1ms",
		   "Spans that lasted less than this are dropped."),
	WEIR_END
};

static bool long_enough(const struct weir_span_at *at, void *arg)
{
	const struct drop_short *self = arg;
	uint64_t start = at->span.start_unix_nano;
	uint64_t end = at->span.end_unix_nano;

	/* No end yet (0), or a clock that stepped back: odd, but not short. */
	return end < start || end - start >= (uint64_t)self->min_duration.ns;
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	weir_count_dropped(c, WEIR_SIGNAL_TRACES, WEIR_REASON_FILTERED,
			   weir_spans_filter(batch, long_enough, c));
	weir_forward(c, batch);		/* acks a batch left empty */
}

WEIR_PLUGIN(WEIR_PROCESSOR, "drop_short", "",	/* kind, type, aliases */
	.about = "Drops spans that ended too soon to matter.",
	.signals = WEIR_TRACES,
	.counts_items = true,
	.size = sizeof(struct drop_short),
	.fields = fields,
	.consume = consume,
);
