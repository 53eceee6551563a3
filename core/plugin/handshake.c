/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handshake.c: magic, versions and sizes, of a plugin's note and of its
 * descriptor.
 *
 * Holds nothing.  Must never read a descriptor past the size that it states.
 */
#include "handshake.h"

static const char *check_abi(struct arena *arena, const struct weir_abi *abi)
{
	if (abi->magic != WEIR_MAGIC)
		return arena_printf(arena, "wrong magic 0x%08x, wanted 0x%08x",
				    abi->magic, WEIR_MAGIC);
	if (abi->major != WEIR_ABI_MAJOR || abi->minor > WEIR_ABI_MINOR)
		return arena_printf(arena, "built for plugin ABI %u.%u, this "
				    "weir speaks %u.%u; rebuild it",
				    abi->major, abi->minor, WEIR_ABI_MAJOR,
				    WEIR_ABI_MINOR);
	if (abi->views != WEIR_VIEWS)
		return arena_printf(arena, "built for views of generation %u, "
				    "this weir has %u; rebuild it", abi->views,
				    WEIR_VIEWS);
	/* Older minors end earlier; the same minor has one size. */
	if (abi->size < sizeof(struct weir_abi) + 8 ||
	    abi->size > sizeof(struct weir_plugin) ||
	    (abi->minor == WEIR_ABI_MINOR &&
	     abi->size != sizeof(struct weir_plugin)))
		return arena_printf(arena, "its descriptor has %u bytes, "
				    "wanted %zu; rebuild it", abi->size,
				    sizeof(struct weir_plugin));
	return NULL;
}

const char *handshake_note(struct arena *arena, const struct weir_note *note)
{
	struct weir_abi abi = { note->magic, note->major, note->minor,
				note->size, note->views };
	const char *why = check_abi(arena, &abi);

	if (why)
		return why;
	if (note->kind >= WEIR_KIND_COUNT || !note->plugin_type[0])
		return "its note names no kind or type";
	return NULL;
}

/* An older minor's descriptor is shorter than ours: what it lacks is zero. */
static const struct weir_plugin *full_size(struct arena *arena,
					   const struct weir_plugin *found)
{
	struct weir_plugin *copy;

	if (found->abi.size == sizeof(*found))
		return found;
	copy = arena_alloc(arena, sizeof(*copy));
	memcpy(copy, found, found->abi.size);
	return copy;
}

static const char *check_descriptor(const struct weir_plugin *plugin,
				    const struct weir_note *note)
{
	if (plugin->abi.size != note->size || plugin->kind != note->kind ||
	    !plugin->type || strcmp(plugin->type, note->plugin_type))
		return "its descriptor and its ELF note disagree";
	if (plugin->size < sizeof(struct weir_component))
		return "its struct is smaller than its base";
	if (plugin->placement != WEIR_PER_WORKER &&
	    (plugin->visit || plugin->enter || plugin->admit))
		return "a stage or an admission lives on every worker; it "
		       "cannot be placed otherwise";
	if (plugin->placement == WEIR_BY_TRACE &&
	    (plugin->kind != WEIR_PROCESSOR ||
	     plugin->signals != WEIR_TRACES))
		return "only a processor of traces can be placed by trace";
	return NULL;
}

const struct weir_plugin *handshake_descriptor(struct arena *arena,
					       const struct weir_plugin *found,
					       const struct weir_note *note,
					       const char **why)
{
	const struct weir_plugin *plugin;

	*why = check_abi(arena, &found->abi);
	if (*why)
		return NULL;
	plugin = full_size(arena, found);
	*why = check_descriptor(plugin, note);
	return *why ? NULL : plugin;
}
