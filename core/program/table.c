/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: columns for people, within a page of 100.
 *
 * Holds nothing.  Must never cut a word: what is longer than its room sticks
 * out.
 */
#include "table.h"

#include <string.h>

#define PAGE 100
#define LEAST_ROOM 30	/* a text in less is a column of single words */
#define BELOW 6		/* where a text stands under its row */

void table_fit(struct table *table, const char *const cells[TABLE_CELLS])
{
	for (int i = 0; i < TABLE_CELLS; i++) {
		int len = (int)strlen(cells[i]);

		if (len > table->width[i])
			table->width[i] = len;
	}
}

/* Where the text's column begins. */
static int text_at(const struct table *table)
{
	int at = 2;

	for (int i = 0; i < TABLE_CELLS; i++)
		at += table->width[i] + 2;
	return at;
}

/* How much of the text goes on one line of `room`: up to a blank. */
static int line_of(const char *text, int room)
{
	int fits = 0, i = 0;

	while (text[i]) {
		i += (int)strcspn(text + i, " ");
		if (i > room && fits)
			break;
		fits = i;
		i += (int)strspn(text + i, " ");
	}
	return fits;
}

static void put_text(const char *text, int at, FILE *out)
{
	while (*text) {
		int len = line_of(text, PAGE - at);

		fprintf(out, "%.*s\n", len, text);
		text += len;
		text += strspn(text, " ");
		if (*text)
			fprintf(out, "%*s", at, "");
	}
}

void table_row(const struct table *table, const char *const cells[TABLE_CELLS],
	       const char *text, FILE *out)
{
	int at = text_at(table), written = 0, gap = 2;

	for (int i = 0; i < TABLE_CELLS; i++) {
		if (!*cells[i]) {
			gap += table->width[i] + 2;
			continue;
		}
		written += fprintf(out, "%*s%s", gap, "", cells[i]);
		gap = table->width[i] - (int)strlen(cells[i]) + 2;
	}
	if (PAGE - at < LEAST_ROOM) {
		at = BELOW;
		fprintf(out, "\n%*s", at, "");
	} else {
		fprintf(out, "%*s", at - written, "");
	}
	if (*text)
		put_text(text, at, out);
	else
		fputs("\n", out);
}
