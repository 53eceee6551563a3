/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut.h: the beginning of a text.
 *
 * Pure but for what it appends; linear in `max`.
 */
#ifndef REDACTION_CUT_H
#define REDACTION_CUT_H

#include <weir/value.h>

/* Does JSON begin here (a brace or bracket, behind blanks)? */
bool begins_as_json(weir_str text);

/* How many bytes of at most max hold only whole characters. */
size_t cut_utf8(weir_str text, size_t max);

/* Appends what is left of a text of more than max bytes: at most max, whole
 * characters only.  What begins as JSON stays JSON: strings become shorter,
 * members and elements at the end go, and what is open is closed; one that is
 * no JSON is cut like any other text. */
void cut_text(weir_str text, size_t max, struct weir_text *out);

#endif
