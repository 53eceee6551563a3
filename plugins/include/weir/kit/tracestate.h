/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracestate.h: the members of a W3C trace state (Trace Context, 3.3), and
 * what samplers keep in its member `ot` (OpenTelemetry, TraceState: Probability
 * Sampling).  Pure functions, any thread.
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

/* --- Sampling ---------------------------------------------------------------- */

/* Randomness is in 0 .. 2^56-1, a threshold in 0 .. 2^56; an item is kept when
 * its threshold is not above its randomness. */
#define WEIR_SAMPLING_DIGITS 14		/* hex digits of 56 bits */
#define WEIR_SAMPLE_ALWAYS UINT64_C(0)
#define WEIR_SAMPLE_NEVER (UINT64_C(1) << 56)

/* Exactly 14 hex digits; 1 to 14, where zeros on the right were left out. */
WEIR_API bool weir_randomness_read(weir_str text, uint64_t *out);
WEIR_API bool weir_threshold_read(weir_str text, uint64_t *out);
/* As text, in out.  "" for a threshold of never, which has none. */
WEIR_API weir_str weir_randomness_text(uint64_t randomness,
				       char out[WEIR_SAMPLING_DIGITS]);
WEIR_API weir_str weir_threshold_text(uint64_t threshold,
				      char out[WEIR_SAMPLING_DIGITS]);

#define WEIR_OT_LENGTH 1024		/* of a trace state that is read */
#define WEIR_OT_MEMBERS 31		/* empty ones count too */
#define WEIR_OT_ROOM (WEIR_OT_LENGTH + 64)	/* for what is written */

/* A trace state as a sampler sees it; members and fields that are not its own
 * stay in the text, which must live as long. */
struct weir_ot_tracestate {
	weir_str text;			/* the members that count */
	weir_str ot;			/* value of the last `ot`; "" none */
	char rv[WEIR_SAMPLING_DIGITS], th[WEIR_SAMPLING_DIGITS];
	uint8_t rv_len, th_len;		/* 0: there is none */
	uint64_t randomness, threshold;
};

/* Reads text as OpenTelemetry's samplers do, which is another reading than
 * weir_tracestate_parse: shorter, and keys may repeat (the last `ot` counts).
 * false when something in it is not valid; *out is then what they make of the
 * rest. */
WEIR_API bool weir_ot_parse(weir_str text, struct weir_ot_tracestate *out);
WEIR_API void weir_ot_set_randomness(struct weir_ot_tracestate *state,
				     uint64_t randomness);
WEIR_API void weir_ot_clear_threshold(struct weir_ot_tracestate *state);
/* A threshold is never lowered: false when there is a greater one, which
 * stays. */
WEIR_API bool weir_ot_raise_threshold(struct weir_ot_tracestate *state,
				      uint64_t threshold);
/* The trace state as text: `ot` first, in it rv and th first, the rest in
 * order, without blanks.  In out. */
WEIR_API weir_str weir_ot_write(const struct weir_ot_tracestate *state,
				char out[WEIR_OT_ROOM]);

#ifdef __cplusplus
}
#endif
#endif
