/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writers.c: a table of files with an order of use.
 *
 * Holds at most max open files and, with group_by, 8 bytes for each path that
 * was ever opened, up to SEEN_MAX; beyond, every path counts as seen: better a
 * file that keeps what an earlier run wrote than one that loses what this one
 * did.
 */
#include "writers.h"

#include <stdlib.h>

#define SEEN_MAX (1u << 19)

void file_writers_init(struct file_writers *set,
		       const struct file_config *config)
{
	set->config = config;
	set->max = config->group_by.enabled ?
		(size_t)config->group_by.max_open_files : 1;
}

/* FNV-1a, 64 bits; 0 marks a free slot. */
static uint64_t hash_of(const char *path)
{
	uint64_t h = 14695981039346656037u;

	for (; *path; path++)
		h = (h ^ (unsigned char)*path) * 1099511628211u;
	return h ? h : 1;
}

/* --- Paths seen before -------------------------------------------------- */

static bool place(uint64_t *slots, size_t cap, uint64_t hash)
{
	size_t i = hash & (cap - 1);

	while (slots[i] && slots[i] != hash)
		i = (i + 1) & (cap - 1);
	if (slots[i])
		return false;
	slots[i] = hash;
	return true;
}

static bool grow_seen(struct file_writers *set)
{
	size_t cap = set->cap_seen ? set->cap_seen * 2 : 64;
	uint64_t *slots = calloc(cap, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < set->cap_seen; i++)
		if (set->seen[i])
			place(slots, cap, set->seen[i]);
	free(set->seen);
	set->seen = slots;
	set->cap_seen = cap;
	return true;
}

/* Is that path new?  Remembers it. */
static bool is_new(struct file_writers *set, uint64_t hash)
{
	if (set->n_seen >= SEEN_MAX)
		return false;
	if (set->n_seen * 2 >= set->cap_seen && !grow_seen(set))
		return false;
	if (!place(set->seen, set->cap_seen, hash))
		return false;
	set->n_seen++;
	return true;
}

/* --- The table ---------------------------------------------------------- */

static void unlink_writer(struct file_writers *set, struct file_writer *w)
{
	*(w->newer ? &w->newer->older : &set->newest) = w->older;
	*(w->older ? &w->older->newer : &set->oldest) = w->newer;
}

static void link_newest(struct file_writers *set, struct file_writer *w)
{
	w->newer = NULL;
	w->older = set->newest;
	*(w->older ? &w->older->newer : &set->oldest) = w;
	set->newest = w;
}

static void drop(struct file_writers *set, struct file_writer *w)
{
	struct file_writer **at = &set->buckets[w->hash % FILE_BUCKETS];

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	unlink_writer(set, w);
	file_writer_close(w);
	free(w);
	set->n--;
}

static struct file_writer *make(struct file_writers *set, const char *path,
				uint64_t hash)
{
	const struct file_config *config = set->config;
	bool fresh = !config->append && !config->rotation.enabled;
	size_t len = strlen(path) + 1;
	struct file_writer *w = calloc(1, sizeof(*w) + len);

	if (!w)
		return NULL;
	memcpy(w->path, path, len);
	w->hash = hash;
	w->fd = -1;
	w->truncate = fresh && is_new(set, hash);
	w->make_directory = config->create_directory ||
			    config->group_by.enabled ||
			    config->rotation.enabled;
	w->next = set->buckets[hash % FILE_BUCKETS];
	set->buckets[hash % FILE_BUCKETS] = w;
	link_newest(set, w);
	set->n++;
	return w;
}

struct file_writer *file_writers_get(struct file_writers *set,
				     const char *path)
{
	uint64_t hash = hash_of(path);
	struct file_writer *w = set->buckets[hash % FILE_BUCKETS];

	while (w && (w->hash != hash || strcmp(w->path, path) != 0))
		w = w->next;
	if (w) {
		unlink_writer(set, w);
		link_newest(set, w);
		return w;
	}
	while (set->n >= set->max)
		drop(set, set->oldest);
	return make(set, path, hash);
}

bool file_writers_shed(struct file_writers *set,
		       const struct file_writer *spare)
{
	if (!set->oldest || set->oldest == spare)
		return false;
	drop(set, set->oldest);
	return true;
}

void file_writers_release(struct file_writers *set)
{
	while (set->oldest)
		drop(set, set->oldest);
	free(set->seen);
	set->seen = NULL;
	set->n_seen = set->cap_seen = 0;
}
