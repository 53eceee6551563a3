/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library.c: parts of weir that are opened on first use (weir/library.h).
 *
 * Holds nothing: the loader counts.  Must never look where a working directory
 * or a configuration says.
 */
#include <dlfcn.h>
#include <unistd.h>

#include <weir/library.h>

#include "base/str.h"

/* Where a part may be, from the folder that this code was loaded from. */
static const char *const places[] = {
	"%.*s%s", "%.*sweir/%s", "%.*s../lib/%s", "%.*s../lib/weir/%s",
};

static void *open_beside(const char *self, const char *file)
{
	const char *slash = strrchr(self, '/');
	int folder = slash ? (int)(slash + 1 - self) : 0;

	if (!folder)
		return dlopen(file, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		struct buf path = { 0 };
		void *handle = NULL;
		bool there;

		buf_addf(&path, places[i], folder, self, file);
		buf_add(&path, "", 1);
		there = !access((char *)path.ptr, F_OK);
		if (there)	/* or dlerror says what is wrong with it */
			handle = dlopen((char *)path.ptr,
					RTLD_NOW | RTLD_LOCAL);
		buf_release(&path);
		if (there)
			return handle;
	}
	/* What the system's loader knows, or has already. */
	return dlopen(file, RTLD_NOW | RTLD_LOCAL);
}

const void *weir_library_open(const char *file, const char *symbol,
			      struct weir_error *error)
{
	const void *found;
	void *handle;
	Dl_info self;

	if (!dladdr((void *)(uintptr_t)weir_library_open, &self))
		self.dli_fname = "";
	handle = open_beside(self.dli_fname, file);
	if (!handle) {
		weir_fail(error, NULL, "%s cannot be opened: %s", file,
			  dlerror());
		return NULL;
	}
	found = dlsym(handle, symbol);
	if (!found)
		weir_fail(error, NULL, "%s is of another weir", file);
	return found;
}
