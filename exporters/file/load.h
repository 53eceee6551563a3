/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h: what goes to disk in one job: records as bytes, where each is to go,
 * and the batches they came from.
 *
 * Filled on the loop, written on the thread pool, answered on the loop.  All of
 * it is charged to the byte budget before it is allocated.
 */
#ifndef EXPORTERS_FILE_LOAD_H
#define EXPORTERS_FILE_LOAD_H

#include "writers.h"

#include <weir/kit/compress.h>

struct file_load {
	const struct file_config *config;
	struct file_writers *writers;		/* shared by both loads */
	struct weir_compressor *compressor;	/* shared; NULL: none */
	bool proto;
	struct weir_text text;		/* messages; framed unless compressed */
	struct weir_text packed;	/* compressed: frames */
	struct weir_text paths;		/* NUL-terminated */
	struct weir_text records;	/* struct file_record, end to end */
	struct weir_batch_list batches;	/* the loop's only */
};

struct file_record *file_load_records(const struct file_load *load, size_t *n);

/* Appends a message of those field-1 records, bytes long in sum; path is an
 * offset in load->paths. */
void file_load_add(struct file_load *load, enum weir_signal signal,
		   const struct weir_slice *slices, size_t n, size_t path,
		   uint64_t items);
/* A record that will not be written. */
void file_load_add_failed(struct file_load *load, uint64_t items,
			  struct file_failure failed);
/* How much there is of everything, to come back to. */
struct file_load_mark {
	size_t text, paths, records;
};
struct file_load_mark file_load_mark(const struct file_load *load);
/* Takes out what was added since. */
void file_load_cut(struct file_load *load, const struct file_load_mark *mark);
/* Did the byte budget refuse some of what was added? */
bool file_load_refused(const struct file_load *load);
/* Nothing else is on its way: what is added now may pass the hard line, else
 * what waits for this file would never leave memory. */
void file_load_force(struct file_load *load, bool force);
/* Bytes that it holds. */
size_t file_load_size(const struct file_load *load);

/* The job: a struct file_load's records into their files. */
void file_load_write(void *load);

/* Empties it; what has grown large is given back. */
void file_load_clear(struct file_load *load);
void file_load_release(struct file_load *load);

#endif
