/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.h: may code be loaded from this path?
 */
#ifndef CORE_TRUST_H
#define CORE_TRUST_H

#include "base/str.h"

/* path: absolute, without symlinks (realpath).  The file and every directory
 * above it must belong to root, to us, or to the owner of the weir program,
 * and be writable for nobody else; sticky directories and the owner's private
 * group are fine.  False and a sentence in *why (arena). */
bool trust_path(struct arena *arena, const char *path, const char **why);

#endif
