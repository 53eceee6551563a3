/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress_part.c: opens libweircodecs.so when the first message needs it
 * (codec_wait.c sees to it that a loop does not).
 *
 * Holds its table from then on; it is never closed.  What failed is tried
 * again: somebody may install what is missing.
 */
#include "codec.h"

#include <stdatomic.h>
#include <weir/library.h>

#include "codecs/codecs.h"

#define LIBRARY "libweircodecs.so"

static _Atomic(const struct weircodecs *) opened;

bool codecs_are_open(void)
{
	return atomic_load(&opened) != NULL;
}

const struct weircodecs *codecs_open(struct weir_error *error)
{
	const struct weircodecs *found = atomic_load(&opened);

	if (found)
		return found;
	found = weir_library_open(LIBRARY, WEIRCODECS_SYMBOL, error);
	if (!found)
		return NULL;
	if (found->version != WEIRCODECS_VERSION) {
		weir_fail(error, NULL, LIBRARY " is of another weir");
		return NULL;
	}
	atomic_store(&opened, found);	/* two threads: the same table */
	return found;
}
