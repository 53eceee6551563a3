/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library.h: parts of weir that are opened on first use.
 *
 * What few configurations need, and what would cost memory in all of them,
 * lies in a library of its own beside libweir.so.
 */
#ifndef WEIR_LIBRARY_H
#define WEIR_LIBRARY_H

#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens the library `file` ("libweircurl.so", no slash) from the folder that
 * libweir.so lies in, or from where the system's loader looks, and returns the
 * address of its `symbol`.  It is never closed.  NULL and a sentence when there
 * is none.  Any thread; reads files, so not while data flows if that can be
 * helped. */
WEIR_API const void *weir_library_open(const char *file, const char *symbol,
				       struct weir_error *error);

#ifdef __cplusplus
}
#endif
#endif
