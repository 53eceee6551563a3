/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: writes every batch to a file, as a line of OTLP/JSON or as a protobuf
 * message behind its length.
 *
 * A batch is encoded into memory when it comes and acked when its bytes have
 * been written.  One write is under way at a time, on the thread pool; what
 * comes meanwhile goes with the next.  Holds the open file and at most
 * PENDING_MAX bytes of text, and the batches that they came from.
 *
 * Must never write on the loop, and never leave half a record behind: a write
 * that failed is cut off again.
 */
#include <weir/kit/otlp_json.h>
#include <weir/plugin.h>

#include "open.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define PENDING_MAX (64u << 20)	/* bytes waiting to be written */
#define KEEP_MAX (4u << 20)	/* a buffer grown larger is given back */

/* What goes to the file in one write; the pool's while it is written. */
struct load {
	int fd;
	int error;			/* errno of the write, 0: all written */
	struct weir_text text;
	struct weir_batch_list batches;	/* the loop's only */
};

struct file {
	struct weir_component base;
	struct file_config config;
	bool proto;
	bool is_open, busy;
	struct load filling, writing;
};

static const struct weir_field group_fields[] = {
	WEIR_FIELD(struct file_group, enabled, "false",
		   "One file per value of a resource attribute."),
	WEIR_FIELD(struct file_group, resource_attribute,
		   "fileexporter.path_segment",
		   "The attribute whose value takes the place of * in path."),
	WEIR_FIELD(struct file_group, max_open_files, "100",
		   "Files kept open at a time."),
	WEIR_END
};

static const struct weir_field compression_fields[] = {
	WEIR_FIELD(struct file_compression, level, "0",
		   "Accepted; has no effect."),
	WEIR_END
};

static const struct weir_field config_fields[] = {
	WEIR_FIELD(struct file_config, path, "",
		   "The file to write; required."),
	WEIR_FIELD(struct file_config, format, "json",
		   "json: a line per batch; proto: length-prefixed messages."),
	WEIR_FIELD(struct file_config, append, "false",
		   "Keep what the file holds; else it is emptied at start."),
	WEIR_FIELD(struct file_config, flush_interval, "1s",
		   "The longest that data may stay in memory; it is in fact "
		   "written at once."),
	WEIR_FIELD(struct file_config, create_directory, "false",
		   "Make the directories of path at start."),
	WEIR_FIELD(struct file_config, directory_permissions, "",
		   "Octal mode of directories that are made; 0755 when empty."),
	WEIR_FIELD(struct file_config, rotation, NULL,
		   "Rotation by size and age; refused, not available."),
	WEIR_FIELD(struct file_config, compression, "",
		   "zstd; refused, not available."),
	WEIR_BLOCK(struct file_config, compression_params, compression_fields,
		   "Settings of the compression."),
	WEIR_FIELD(struct file_config, encoding, "",
		   "An encoding extension; refused, not available."),
	WEIR_BLOCK(struct file_config, group_by, group_fields,
		   "Several files; refused when enabled, not available."),
	WEIR_END
};

static const struct weir_field fields[] = {
	WEIR_INCLUDE(struct file, config, config_fields),
	WEIR_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	return file_validate(&WEIR_SELF(c, struct file)->config, error);
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct file *self = WEIR_SELF(c, struct file);
	int fd = file_open(&self->config, error);

	if (fd < 0)
		return -1;
	self->proto = weir_str_eq(self->config.format, WEIR_STR("proto"));
	self->is_open = true;
	self->filling.fd = self->writing.fd = fd;
	return 0;
}

/* --- On the thread pool ------------------------------------------------- */

static int write_all(int fd, const char *ptr, size_t len)
{
	while (len) {
		ssize_t n = write(fd, ptr, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		ptr += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The senders will come again: take back what got in.  Only a regular file
 * can; what a disk fault does not let us cut off stays. */
static void cut_off(int fd, off_t before)
{
	struct stat st;

	if (before < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (ftruncate(fd, before) < 0)
		errno = 0;
}

static void write_load(void *arg)
{
	struct load *load = arg;
	off_t before = lseek(load->fd, 0, SEEK_END);

	load->error = write_all(load->fd, load->text.ptr, load->text.len);
	if (load->error)
		cut_off(load->fd, before);
}

/* --- On the loop -------------------------------------------------------- */

static void answer(struct weir_component *c, struct load *load,
		   const struct weir_outcome *failed)
{
	struct weir_batch *batch;

	while ((batch = weir_batch_shift(&load->batches))) {
		enum weir_signal signal = weir_batch_signal(batch);
		uint64_t items = weir_batch_items(batch);

		if (failed) {
			weir_count_send_failed(c, signal, failed, items);
			weir_batch_nack(batch, failed);
		} else {
			weir_count_sent(c, signal, items);
			weir_batch_ack(batch);
		}
	}
	if (load->text.cap > KEEP_MAX)
		weir_text_release(&load->text);
	weir_text_clear(&load->text);
}

static void flush(struct weir_component *c);

static void written(struct weir_component *c, void *arg)
{
	struct file *self = WEIR_SELF(c, struct file);
	struct load *load = arg;

	if (load->error) {
		struct weir_outcome failed;

		weir_outcome_set(&failed, WEIR_UNAVAILABLE,
				 WEIR_REASON_STORAGE, "write %.*s: %s",
				 WEIR_STR_FMT(self->config.path),
				 strerror(load->error));
		weir_log_error(c, "Writing the file failed", "error=%s",
			       failed.text);
		answer(c, load, &failed);
	} else {
		answer(c, load, NULL);
	}
	self->busy = false;
	flush(c);
}

/* Starts the next write, unless one is under way or there is nothing. */
static void flush(struct weir_component *c)
{
	struct file *self = WEIR_SELF(c, struct file);
	struct load swap;

	if (self->busy || !self->filling.batches.len)
		return;
	swap = self->writing;	/* not before: a thread may be at it */
	self->writing = self->filling;
	self->filling = swap;
	if (weir_work(c, write_load, written, &self->writing) < 0) {
		struct weir_outcome failed;

		weir_outcome_set(&failed, WEIR_UNAVAILABLE, WEIR_REASON_FULL,
				 "no thread is free to write the file");
		answer(c, &self->writing, &failed);
		return;
	}
	self->busy = true;
}

/* 4 bytes of length, big-endian, then the message. */
static void add_proto(struct weir_text *text, const struct weir_batch *batch)
{
	size_t n, len = weir_batch_bytes(batch);
	const struct weir_slice *slices = weir_batch_slices(batch, &n);
	const char head[4] = { (char)(len >> 24), (char)(len >> 16),
			       (char)(len >> 8), (char)len };

	weir_text_add(text, (weir_str){ head, sizeof(head) });
	for (size_t i = 0; i < n; i++)
		weir_text_add(text, (weir_str){ (const char *)slices[i].ptr,
						slices[i].len });
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	struct file *self = WEIR_SELF(c, struct file);
	struct load *load = &self->filling;

	if (load->text.len >= PENDING_MAX) {
		struct weir_outcome full;

		weir_outcome_set(&full, WEIR_UNAVAILABLE, WEIR_REASON_FULL,
				 "the file is written too slowly");
		weir_count_send_failed(c, weir_batch_signal(batch), &full,
				       weir_batch_items(batch));
		weir_batch_nack(batch, &full);
		return;
	}
	if (self->proto) {
		add_proto(&load->text, batch);
	} else {
		weir_otlp_json_write(batch, &load->text);
		weir_text_add(&load->text, WEIR_STR("\n"));
	}
	weir_batch_push(&load->batches, batch);
	flush(c);
}

/* Core waits until the last write is answered; nothing comes after this. */
static void stop(struct weir_component *c)
{
	flush(c);
}

static void destroy(struct weir_component *c)
{
	struct file *self = WEIR_SELF(c, struct file);

	if (self->is_open)
		close(self->filling.fd);
	self->is_open = false;
	weir_text_release(&self->filling.text);
	weir_text_release(&self->writing.text);
}

WEIR_PLUGIN(WEIR_EXPORTER, "file", "",
	.about     = "Writes batches to a file, as OTLP/JSON or protobuf.",
	.signals   = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_ALPHA,
	.placement = WEIR_ONE,
	.size      = sizeof(struct file),
	.fields    = fields,
	.validate  = validate,
	.start     = start,
	.consume   = consume,
	.stop      = stop,
	.destroy   = destroy,
);
