/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sanitize.h: URLs without ids, queries without literals.
 *
 * All are pure: they append what they make of a text to *out.  A text that
 * comes out as it went in was nothing for them.
 */
#ifndef REDACTION_SANITIZE_H
#define REDACTION_SANITIZE_H

#include <weir/value.h>

/* Path segments that look like an id become "*"; what is behind '?', '&' or
 * '#' is cut off (url.c). */
void sanitize_url(weir_str text, struct weir_text *out);
/* Does a word of letters look like chance? (letters.c) */
bool letters_by_chance(weir_str word);

/* Literals and digits become "?".  mysql: double quotes are strings, backquotes
 * names (sql.c). */
void sanitize_sql(weir_str text, bool mysql, struct weir_text *out);
/* Redis and Valkey: arguments that are values become "?"; memcached: only the
 * command line stays (commands.c). */
void sanitize_redis(weir_str text, struct weir_text *out);
void sanitize_memcached(weir_str text, struct weir_text *out);
/* Every scalar becomes "?"; false: no JSON, and nothing was appended
 * (json.c). */
bool sanitize_json(weir_str text, struct weir_text *out);

/* Without white space at both ends, as Unicode has it. */
weir_str trimmed(weir_str text);

#endif
