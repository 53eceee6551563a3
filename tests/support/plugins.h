/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugins.h: folders of plugins made for a test, by the C compiler.
 */
#ifndef TESTS_PLUGINS_H
#define TESTS_PLUGINS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Also outside of a test's process, where Check's own cannot be used. */
static inline void plugins_must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "plugins: failed: %s\n", what);
	abort();
}

/* A fresh folder with the five kinds' folders in it. */
static inline void plugins_dir(char *dir, size_t size)
{
	static const char *const kinds[] = { "receivers", "processors",
					     "exporters", "connectors",
					     "extensions" };
	char path[512];

	snprintf(dir, size, "/tmp/weir-plugins-XXXXXX");
	plugins_must(mkdtemp(dir), dir);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, kinds[i]);
		plugins_must(!mkdir(path, 0755), path);
	}
}

static inline void plugins_remove(const char *dir)
{
	char command[600];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	plugins_must(!system(command), command);
}

/* Builds tests/data/plugins/plugin.c to dir/name with these flags. */
static inline void plugins_build(const char *dir, const char *name,
				 const char *flags)
{
	const char *cc = getenv("CC");
	char command[2048];

	snprintf(command, sizeof(command),
		 "%s -std=gnu11 -O1 -shared -fPIC -fvisibility=hidden "
		 "-Iplugins/include %s -o '%s/%s' tests/data/plugins/plugin.c",
		 cc ? cc : "cc", flags, dir, name);
	plugins_must(!system(command), command);
}

#endif
