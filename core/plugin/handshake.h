/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.h: do a plugin and this weir speak the same ABI?
 */
#ifndef CORE_HANDSHAKE_H
#define CORE_HANDSHAKE_H

#include <weir/plugin.h>

#include "base/str.h"

/* Before any code of the plugin runs: NULL, or a sentence why not, without the
 * file's name (constant, or in the arena). */
const char *handshake_note(struct arena *arena, const struct weir_note *note);
/* Once it is there: the descriptor, in full size (the arena's where the plugin
 * has a shorter one); or NULL and such a sentence in *why. */
const struct weir_plugin *handshake_descriptor(struct arena *arena,
					       const struct weir_plugin *found,
					       const struct weir_note *note,
					       const char **why);

#endif
