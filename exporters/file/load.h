/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.h: what goes to disk in one job: records as bytes, where each is to go,
 * and the batches they came from.
 *
 * Filled on the loop, written on the thread pool, answered on the loop.
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
/* Bytes that it holds. */
size_t file_load_size(const struct file_load *load);

/* The job: a struct file_load's records into their files. */
void file_load_write(void *load);

/* Empties it; what has grown large is given back. */
void file_load_clear(struct file_load *load);
void file_load_release(struct file_load *load);

#endif
