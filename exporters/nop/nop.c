/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nop: an exporter that takes everything and sends nothing.
 *
 * For pipelines that are measured or tried out.  Counts what it takes as sent.
 * Holds nothing.
 */
#include <weir/plugin.h>

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	weir_count_sent(c, weir_batch_signal(batch), weir_batch_items(batch));
	weir_batch_ack(batch);
}

WEIR_PLUGIN(WEIR_EXPORTER, "nop", "",
	.about     = "Takes everything and sends nothing.",
	.signals   = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_BETA,
	.size      = sizeof(struct weir_component),
	.consume   = consume,
);
