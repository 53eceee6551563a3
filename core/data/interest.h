/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interest.h: the union of what a run of attribute processors looks for.
 *
 * Built once per run and worker when the graph is made; read by the walk.
 * Keys are found by a bitmap of lengths and a hash; key patterns are decided
 * once per distinct key and remembered in a bounded table, so a batch of known
 * keys costs no regular expression.
 */
#ifndef CORE_INTEREST_H
#define CORE_INTEREST_H

#include <weir/attributes.h>

/* What a plugin's `interest` callback fills. */
struct weir_interest;
struct weir_interest *interest_new(void);
void interest_free(struct weir_interest **interest);

/* Compiled union of n interests; the declared ones may be freed after. */
struct interest_set;
struct interest_set *interest_compile(struct weir_interest *const *declared,
				      size_t n);
void interest_set_free(struct interest_set **set);
/* True when nothing at all is looked for (no walk needed). */
bool interest_set_empty(const struct interest_set *set);

#endif
