/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writers.h: the files that are open, by path; the least recently used is
 * closed for a new one.
 *
 * On the thread pool, by one job at a time, but for start and destroy.
 */
#ifndef EXPORTERS_FILE_WRITERS_H
#define EXPORTERS_FILE_WRITERS_H

#include "writer.h"

#define FILE_BUCKETS 256

struct file_writers {
	const struct file_config *config;
	struct file_writer *buckets[FILE_BUCKETS];
	struct file_writer *newest, *oldest;
	size_t n, max;
	/* Paths that this run has opened before, as hashes: they are not
	 * emptied when they are opened again. */
	uint64_t *seen;
	size_t n_seen, cap_seen;
};

void file_writers_init(struct file_writers *set,
		       const struct file_config *config);
/* The writer of that path, perhaps not open yet; NULL: out of memory. */
struct file_writer *file_writers_get(struct file_writers *set,
				     const char *path);
/* Closes the least recently used that is open, but not spare; false when there
 * is none. */
bool file_writers_shed(struct file_writers *set,
		       const struct file_writer *spare);
void file_writers_release(struct file_writers *set);

#endif
