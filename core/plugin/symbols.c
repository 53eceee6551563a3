/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symbols.c: what a plugin that could not be opened would have needed.
 *
 * Holds nothing; the libraries it opens stay open.  Asked once the system's
 * loader has refused a file, to say why in words of ours.
 */
#include "symbols.h"

#include <dlfcn.h>

#include "elf_note.h"

#define NEEDED_MAX 32

/* Opens what the plugin links; true when all of it was found by name.  These
 * are libraries of the system: dlopen of the plugin would open them too. */
static bool open_needed(void *kit, const struct elf *elf, void **handles,
			size_t *n)
{
	const char *name;
	size_t i = 0;
	bool all = true;

	while ((name = elf_needed(elf, &i))) {
		void *handle = strcmp(name, "libweirkit.so")
				       ? dlopen(name, RTLD_LAZY | RTLD_LOCAL)
				       : kit;

		if (handle && *n < NEEDED_MAX)
			handles[(*n)++] = handle;
		else
			all = false;
	}
	return all;
}

static bool provides(void *const *handles, size_t n, const char *symbol)
{
	if (dlsym(RTLD_DEFAULT, symbol))
		return true;
	for (size_t i = 0; i < n; i++)
		if (dlsym(handles[i], symbol))
			return true;
	return false;
}

static const char *first_missing(const struct elf *elf, void *kit)
{
	void *handles[NEEDED_MAX];
	size_t n = 0, i = 0;
	bool all = open_needed(kit, elf, handles, &n);
	const char *symbol;

	while ((symbol = elf_undefined(elf, &i)))
		if (!provides(handles, n, symbol) &&
		    (all || !strncmp(symbol, "weir_", 5)))
			return symbol;
	return NULL;
}

const char *symbols_missing(struct arena *arena, int fd, void *kit)
{
	const char *symbol, *why;
	struct elf elf;

	if (!elf_open(&elf, fd, &why))
		return NULL;
	symbol = first_missing(&elf, kit);
	if (symbol)
		symbol = arena_printf(arena, "%s", symbol);
	elf_close(&elf);
	return symbol;
}
