/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load.c: messages, frames, and the job that writes them.
 *
 *	json		{...}\n
 *	proto		length, export request
 *	compressed	length, one zstd frame of either
 *
 * A length is 4 bytes, big-endian.  Holds the bytes of a load between filling
 * and answering; the buffers are used again.
 */
#include "load.h"

#include <weir/kit/otlp_json.h>

#include <errno.h>
#include <stdlib.h>

#define KEEP_MAX (4u << 20)	/* a buffer grown larger is given back */
#define PREFIX 4

/* --- On the loop -------------------------------------------------------- */

struct file_record *file_load_records(const struct file_load *load, size_t *n)
{
	*n = load->records.len / sizeof(struct file_record);
	return (struct file_record *)(void *)load->records.ptr;
}

static void add_record(struct file_load *load, const struct file_record *record)
{
	weir_text_add(&load->records,
		      (weir_str){ (const char *)record, sizeof(*record) });
}

void file_load_add_failed(struct file_load *load, uint64_t items,
			  struct file_failure failed)
{
	struct file_record record = {
		.at = load->text.len, .path = SIZE_MAX, .items = items,
		.failed = failed
	};

	add_record(load, &record);
}

static void put_length(char *out, size_t len)
{
	for (int i = 0; i < PREFIX; i++)
		out[i] = (char)(len >> (24 - 8 * i));
}

static void add_proto(struct file_load *load, const struct weir_slice *slices,
		      size_t n)
{
	size_t at = load->text.len;

	if (!load->compressor)
		weir_text_add(&load->text, (weir_str){ "\0\0\0", PREFIX });
	for (size_t i = 0; i < n; i++)
		weir_text_add(&load->text,
			      (weir_str){ (const char *)slices[i].ptr,
					  slices[i].len });
	if (!load->compressor && !load->text.refused)
		put_length(load->text.ptr + at, load->text.len - at - PREFIX);
}

void file_load_add(struct file_load *load, enum weir_signal signal,
		   const struct weir_slice *slices, size_t n, size_t path,
		   uint64_t items)
{
	struct file_record record = {
		.at = load->text.len, .path = path, .items = items
	};

	if (load->proto)
		add_proto(load, slices, n);
	else
		weir_otlp_json_write_slices(signal, slices, n, &load->text);
	if (!load->proto && !load->compressor)
		weir_text_add(&load->text, WEIR_STR("\n"));
	record.len = load->text.len - record.at;
	add_record(load, &record);
}

struct file_load_mark file_load_mark(const struct file_load *load)
{
	return (struct file_load_mark){ load->text.len, load->paths.len,
					load->records.len };
}

void file_load_cut(struct file_load *load, const struct file_load_mark *mark)
{
	weir_text_cut(&load->text, mark->text);
	weir_text_cut(&load->paths, mark->paths);
	weir_text_cut(&load->records, mark->records);
}

bool file_load_refused(const struct file_load *load)
{
	return load->text.refused || load->paths.refused ||
	       load->records.refused;
}

/* What compressing adds is less than what it was made of, and the batch has
 * been taken by then. */
void file_load_force(struct file_load *load, bool force)
{
	load->text.forced = load->paths.forced = load->records.forced = force;
	load->packed.forced = true;
}

size_t file_load_size(const struct file_load *load)
{
	return load->text.len + load->paths.len + load->records.len;
}

static void clear(struct weir_text *text)
{
	if (text->cap > KEEP_MAX)
		weir_text_release(text);
	weir_text_clear(text);
}

void file_load_clear(struct file_load *load)
{
	clear(&load->text);
	clear(&load->packed);
	clear(&load->paths);
	clear(&load->records);
}

void file_load_release(struct file_load *load)
{
	weir_text_release(&load->text);
	weir_text_release(&load->packed);
	weir_text_release(&load->paths);
	weir_text_release(&load->records);
}

/* --- On the thread pool ------------------------------------------------- */

static void compress_one(struct file_load *load, struct file_record *record)
{
	struct weir_iovec in = { load->text.ptr + record->at, record->len };
	uint8_t *frame;
	size_t len;

	record->at = load->packed.len;
	frame = weir_compress(load->compressor, &in, 1, PREFIX, &len);
	if (!frame) {
		record->len = 0;
		record->failed = (struct file_failure){ ENOMEM, "compress for" };
		return;
	}
	put_length((char *)frame, len - PREFIX);
	weir_text_add(&load->packed, (weir_str){ (char *)frame, len });
	record->len = len;
	free(frame);
}

/* Opens the file; when there are no descriptors left, others are closed. */
static void write_to(struct file_load *load, const char *path,
		     const char *text, struct file_record *records, size_t n)
{
	struct file_writer *w = file_writers_get(load->writers, path);
	const char *verb = "open";
	int error = ENOMEM;

	while (w && ((error = file_writer_open(w, load->config, &verb)) ==
		     EMFILE || error == ENFILE))
		if (!file_writers_shed(load->writers, w))
			break;
	if (!error) {
		file_writer_put(w, load->config, text, records, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		records[i].failed = (struct file_failure){ error, verb };
}

void file_load_write(void *arg)
{
	struct file_load *load = arg;
	const char *text = load->text.ptr;
	struct file_record *records;
	size_t n, k;

	records = file_load_records(load, &n);
	for (size_t i = 0; load->compressor && i < n; i++)
		if (!records[i].failed.error)
			compress_one(load, &records[i]);
	if (load->compressor)
		text = load->packed.ptr;
	for (size_t i = 0; i < n; i += k) {
		k = 1;
		if (records[i].failed.error)
			continue;
		while (i + k < n && !records[i + k].failed.error &&
		       !strcmp(load->paths.ptr + records[i + k].path,
			       load->paths.ptr + records[i].path))
			k++;
		write_to(load, load->paths.ptr + records[i].path, text,
			 records + i, k);
	}
}
