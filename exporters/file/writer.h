/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h: one file that records are appended to, rotated when it has grown.
 *
 * On the thread pool, by one job at a time, but for the first opening at
 * start.
 */
#ifndef EXPORTERS_FILE_WRITER_H
#define EXPORTERS_FILE_WRITER_H

#include "config.h"

/* What went wrong with a record. */
struct file_failure {
	int error;		/* errno; 0: nothing; FILE_TOO_LONG */
	const char *verb;	/* "open", "write"; a literal */
};
#define FILE_TOO_LONG (-1)	/* longer than a rotated file may be */

/* A message and its frame: where it lies and how it went. */
struct file_record {
	size_t at, len;		/* in the text of its load */
	size_t path;		/* offset in the load's paths */
	uint64_t items;		/* spans, points or log records in it */
	uint64_t dropped;	/* of its batch, before it was a record */
	bool last;		/* of its batch */
	struct file_failure failed;
};

struct file_writer {
	struct file_writer *newer, *older;	/* by last use */
	struct file_writer *next;		/* in its bucket */
	uint64_t hash;
	int fd;				/* -1: not open */
	bool truncate;			/* empty it when it is opened */
	bool make_directory;
	char path[];
};

/* Opens the file for appending, unless it is open.  0 or an errno; *verb says
 * at what. */
int file_writer_open(struct file_writer *w, const struct file_config *config,
		     const char **verb);

/* Appends records that lie end to end in text, and says in each how it went.
 * Only whole ones stay in the file. */
void file_writer_put(struct file_writer *w, const struct file_config *config,
		     const char *text, struct file_record *records, size_t n);

void file_writer_close(struct file_writer *w);

#endif
