/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h: columns for people: three short ones and a text that is wrapped.
 */
#ifndef CORE_TABLE_H
#define CORE_TABLE_H

#include <stdio.h>

#define TABLE_CELLS 3

struct table {
	int width[TABLE_CELLS];
};

/* Makes the columns wide enough for these cells. */
void table_fit(struct table *table, const char *const cells[TABLE_CELLS]);
/* One row.  The text stands in a column of its own, or below where that would
 * be too narrow to read. */
void table_row(const struct table *table, const char *const cells[TABLE_CELLS],
	       const char *text, FILE *out);

#endif
