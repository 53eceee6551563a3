/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracestate.h: the members of a W3C trace state (Trace Context, 3.3).
 */
#ifndef WEIR_KIT_TRACESTATE_H
#define WEIR_KIT_TRACESTATE_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_TRACESTATE_MAX 32		/* members, 3.3.1.1 */

struct weir_tracestate {
	struct { weir_str key, value; } members[WEIR_TRACESTATE_MAX];
	size_t n;
};

/* Takes text apart; the members point into it.  false when it is not valid:
 * other characters, a key twice, too many members.  Empty members are passed
 * over.  Pure, any thread. */
WEIR_API bool weir_tracestate_parse(weir_str text, struct weir_tracestate *out);
/* The value of a key; "" when there is none. */
WEIR_API weir_str weir_tracestate_get(const struct weir_tracestate *state,
				      weir_str key);

#ifdef __cplusplus
}
#endif
#endif
