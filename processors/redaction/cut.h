/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut.h: the beginning of a text, and whether JSON begins there.
 *
 * Pure but for what it appends; cutting is linear in `max`.
 */
#ifndef REDACTION_CUT_H
#define REDACTION_CUT_H

#include <weir/value.h>

/* Bytes of blanks and byte order marks that are in front of a text. */
size_t json_front(weir_str text);
/* Does JSON begin here (a brace or bracket, behind those)? */
bool begins_as_json(weir_str text);
/* The same, or is it a JSON string of a text of which that is true, as often as
 * it was quoted?  One that is broken off counts where a name begins in it:
 * "{\"name.  Linear in the text if it begins with a quote. */
bool holds_json(weir_str text);

/* How many bytes of at most max hold only whole characters. */
size_t cut_utf8(weir_str text, size_t max);

/* Appends what is left of a text: at most max bytes, whole
 * characters only.  What begins as JSON stays JSON: strings become shorter,
 * members and elements at the end go, and what is open is closed; one that is
 * no JSON is cut like any other text. */
void cut_text(weir_str text, size_t max, struct weir_text *out);

#endif
