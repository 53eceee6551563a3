/* SPDX-License-Identifier: Apache-2.0 */
/*
 * items.h: a span or log record as the sampler reads and changes it.
 */
#ifndef PROBABILISTIC_SAMPLER_ITEMS_H
#define PROBABILISTIC_SAMPLER_ITEMS_H

#include <weir/views.h>

#include "config.h"
#include "sampler.h"

struct item_settings {
	struct sampler sampler;
	bool by_trace_id;		/* logs: attribute_source */
	weir_str from_attribute, sampling_priority;
	struct weir_text *scratch;	/* for values as text */
};

/* Decides, and changes the item when it is kept.  What came of it is in the
 * decision; *raised false: the item had a greater threshold, which stayed. */
struct decision sample_span(const struct item_settings *settings,
			    const struct weir_span *span,
			    struct weir_element *e, bool *raised);
struct decision sample_log(const struct item_settings *settings,
			   const struct weir_log_record *record,
			   struct weir_element *e, bool *raised);

#endif
