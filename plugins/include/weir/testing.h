/* SPDX-License-Identifier: Apache-2.0 */
/*
 * testing.h: a plugin alone in a glass box.
 *
 * Loads one .so into a core with one worker, no threads, a clock and chance
 * that the test owns, and a consumer that remembers what was passed on.
 * For tests; not for programs.
 */
#ifndef WEIR_TESTING_H
#define WEIR_TESTING_H

#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_test;

/* Opens the plugin (a path to the .so) as one component wired for `signals`,
 * with the YAML text as its block ("" = none), binds and validates it.
 * NULL and a sentence when that fails.  start() comes separately. */
WEIR_API struct weir_test *weir_test_open(const char *so, const char *yaml,
					  uint32_t signals,
					  struct weir_error *error);
/* Puts further processors of the same kind of .so behind the first, in
 * pipeline order, before start. */
WEIR_API int weir_test_append(struct weir_test *t, const char *so,
			      const char *yaml, struct weir_error *error);
WEIR_API int weir_test_start(struct weir_test *t, struct weir_error *error);
WEIR_API struct weir_component *weir_test_component(struct weir_test *t);

/* Sends the bytes of an export request, as a receiver would.  The outcome
 * comes later: run turns, then ask.  Returns a number for the batch, -1 when
 * it was refused at decoding (see *outcome). */
WEIR_API int weir_test_send(struct weir_test *t, enum weir_signal signal,
			    const void *bytes, size_t len,
			    struct weir_outcome *outcome);
/* Was it answered, and how? */
WEIR_API bool weir_test_answer(struct weir_test *t, int number,
			       struct weir_outcome *outcome);
/* Metadata and peer of the batches sent from now on; "k=v" pairs. */
WEIR_API void weir_test_context(struct weir_test *t, const char *peer,
				const char *const *metadata, size_t n);

/* What the next consumer does with a batch: ack (default), nack with this, or
 * hold until weir_test_release. */
WEIR_API void weir_test_next_acks(struct weir_test *t);
WEIR_API void weir_test_next_nacks(struct weir_test *t,
				   const struct weir_outcome *outcome);
WEIR_API void weir_test_next_holds(struct weir_test *t);
WEIR_API void weir_test_release(struct weir_test *t,
				const struct weir_outcome *outcome_or_null);

/* What arrived there so far: number of batches; bytes of one as an export
 * request laid end to end; its items. */
WEIR_API size_t weir_test_passed(struct weir_test *t);
WEIR_API weir_str weir_test_bytes(struct weir_test *t, size_t i);
WEIR_API size_t weir_test_items(struct weir_test *t, size_t i);

/* Turns of the loop until nothing is left to do now; time does not pass. */
WEIR_API void weir_test_run(struct weir_test *t);
/* Moves the clock and runs what becomes due. */
WEIR_API void weir_test_advance(struct weir_test *t, weir_duration by);
/* Value of a metric by published name, summed over its labels; -1 if none. */
WEIR_API double weir_test_metric(struct weir_test *t, const char *name);
/* Batches the component holds now. */
WEIR_API size_t weir_test_held(struct weir_test *t);
WEIR_API void weir_test_stop(struct weir_test *t);
/* Stops, destroys, and fails (returns -1, sentence in *error) on a leaked or
 * unanswered batch. */
WEIR_API int weir_test_close(struct weir_test **t, struct weir_error *error);

#ifdef __cplusplus
}
#endif
#endif
