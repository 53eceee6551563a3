/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols.h: what a plugin that could not be opened would have needed.
 */
#ifndef CORE_SYMBOLS_H
#define CORE_SYMBOLS_H

#include "base/str.h"

/* The first symbol that the file wants and nobody has (in the arena); NULL when
 * there is none.  kit: libweirkit.so's handle, or NULL.  Where a library was
 * not found by its name (it lies beside the plugin), only weir_ symbols can be
 * judged. */
const char *symbols_missing(struct arena *arena, int fd, void *kit);

#endif
