/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget.h: the process's byte budget, charged before allocation.
 *
 * Above the soft line new data is refused, above the hard line nothing is
 * allocated and reading stops.  Any thread.
 */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False over the hard line, unless forced. */
bool budget_charge(size_t bytes, bool force);
void budget_return(size_t bytes);
/* Would so much more stay under the hard line?  Takes nothing. */
bool budget_fits(size_t bytes);
/* All that was ever charged. */
uint64_t budget_ever(void);
/* Above the soft line right now? */
bool budget_soft(void);
/* So near the hard line that nothing more should be read? */
bool budget_hard(void);
/* The lines that hold without a memory_limiter: 3/4 of the memory this
 * process may use. */
void budget_default(void);

#endif
