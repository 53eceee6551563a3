/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gates.h: --feature-gates, as the Collector has them.
 */
#ifndef CORE_GATES_H
#define CORE_GATES_H

#include <stdbool.h>
#include <stdio.h>

#define GATES_MAX 48

/* What is switched, by row of the table; gates_init makes the defaults. */
struct gates {
	bool on[GATES_MAX];
};

void gates_init(struct gates *gates);
/* "a,-b,+c".  NULL, or a sentence to be freed that names every one that is
 * unknown or cannot be switched so; the good ones are set all the same. */
char *gates_set(struct gates *gates, const char *list);
/* id is one of the table: anything else is a mistake of ours. */
bool gates_on(const struct gates *gates, const char *id);
/* One WARN that names what was switched and changes nothing here. */
void gates_tell(const struct gates *gates);
/* `weir featuregate [id]`; -1 when there is no such id. */
int gates_print(const struct gates *gates, const char *id, FILE *out);

#endif
