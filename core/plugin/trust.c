/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust.c: who could have written a plugin.
 *
 * Whoever can write the file, or rename one of the directories above it, runs
 * code as us.  Asks the user and group databases only when a group may write.
 */
#include "trust.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_trusted_owner(uid_t owner)
{
	struct stat program;

	return owner == 0 || owner == geteuid() ||
	       (!stat("/proc/self/exe", &program) && owner == program.st_uid);
}

/* Is anybody but the owner in that group? */
static bool is_private_group(uid_t owner, gid_t gid)
{
	struct group *group = getgrgid(gid);
	struct passwd *user = getpwuid(owner);
	char *name = user ? xstrdup(user->pw_name) : NULL;
	bool alone = group || gid == owner;

	for (char **m = group ? group->gr_mem : NULL; m && *m; m++)
		alone &= name && !strcmp(*m, name);
	setpwent();
	while (alone && (user = getpwent()))
		alone = user->pw_gid != gid || user->pw_uid == owner;
	endpwent();
	free(name);
	return alone;
}

/* Sentences are written for what is refused only: this runs for every folder
 * above every plugin, at every start. */
static bool trust_one(struct arena *arena, const char *path, const char **why)
{
	struct stat st;

	if (lstat(path, &st))
		*why = arena_printf(arena, "%s cannot be read", path);
	else if (!is_trusted_owner(st.st_uid))
		*why = arena_printf(arena, "%s belongs to user %u: wanted root, "
				    "the owner of weir, or the user who runs "
				    "it", path, (unsigned)st.st_uid);
	else if (S_ISDIR(st.st_mode) && st.st_mode & S_ISVTX)
		return true;
	else if (st.st_mode & S_IWOTH)
		*why = arena_printf(arena, "%s is writable for everybody "
				    "(mode %04o)", path,
				    (unsigned)st.st_mode & 07777);
	else if (st.st_mode & S_IWGRP && !is_private_group(st.st_uid, st.st_gid))
		*why = arena_printf(arena, "%s is writable for group %u "
				    "(mode %04o)", path, (unsigned)st.st_gid,
				    (unsigned)st.st_mode & 07777);
	else
		return true;
	return false;
}

bool trust_path(struct arena *arena, const char *path, const char **why)
{
	char *copy = arena_printf(arena, "%s", path);

	for (char *slash = copy; slash; slash = strrchr(copy, '/')) {
		if (slash != copy)
			*slash = 0;
		else if (strcmp(copy, path)) {
			copy[1] = 0;	/* the root itself */
			return trust_one(arena, copy, why);
		}
		if (!trust_one(arena, copy, why))
			return false;
	}
	return true;
}
