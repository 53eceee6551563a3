/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detailed.h: lines that the detailed texts of all signals are made of.
 */
#ifndef EXPORTERS_DEBUG_DETAILED_H
#define EXPORTERS_DEBUG_DETAILED_H

#include "text.h"

/* label, the thing, a newline. */
void detailed_text(struct weir_text *out, const char *label, weir_str text);
void detailed_time(struct weir_text *out, const char *label, uint64_t time);
void detailed_id(struct weir_text *out, const char *label, weir_str id);
/* "header:" and a line for each attribute; nothing when there is none. */
void detailed_attributes(struct weir_text *out, const char *header,
			 const char *indent, struct weir_attribute_list list);

/* A metric below its "Metric #0". */
void detailed_metric(struct weir_text *out, weir_str message);

#endif
