/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: writes every batch to a file, as a line of OTLP/JSON or as a protobuf
 * message behind its length; or to one of several, by a resource attribute.
 *
 *	consume -> filling (a load) -> writing, on the thread pool -> answer
 *
 * A batch is encoded into memory when it comes and answered when its bytes have
 * been written.  One load is under way at a time; what comes meanwhile goes
 * with the next.  Holds the open files and at most PENDING_MAX bytes, and the
 * batches that they came from.
 *
 * Must never open, write, rename or remove on the loop once it is started.
 */
#include "backup.h"
#include "group.h"
#include "load.h"
#include "path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#define PENDING_MAX (64u << 20)	/* bytes waiting to be written */
#define PATH_SHOWN 128		/* bytes of a path that an error repeats */

struct file {
	struct weir_component base;
	struct file_config config;
	struct file_writers writers;
	struct weir_compressor *compressor;
	struct file_groups *groups;	/* NULL: one file */
	weir_str prefix, suffix;	/* with groups: around the * of path */
	bool busy;
	struct file_load filling, writing;
};

static const struct weir_field fields[] = {
	WEIR_INCLUDE(struct file, config, file_config_fields),
	WEIR_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	return file_validate(&WEIR_SELF(c, struct file)->config, error);
}

/* --- Start -------------------------------------------------------------- */

/* The one file: its directory, its backups, and itself unless it is rotated:
 * then it is opened when something is written. */
static int start_one(struct file *self, struct weir_error *error)
{
	const struct file_config *config = &self->config;
	char path[PATH_MAX];
	struct file_writer *w;
	const char *verb;
	int failed;

	memcpy(path, config->path.ptr, config->path.len);
	path[config->path.len] = '\0';
	if (config->create_directory) {
		failed = file_make_parents(path, file_directory_mode(config));
		if (failed)
			return file_fail(error, "mkdir for", path, failed);
	}
	if (config->rotation.enabled)
		return file_backups_migrate(path, &config->rotation, error);
	w = file_writers_get(&self->writers, path);
	failed = w ? file_writer_open(w, config, &verb) : ENOMEM;
	return failed ? file_fail(error, "open", path, failed) : 0;
}

static int start_groups(struct file *self, struct weir_error *error)
{
	weir_str path = self->config.path;
	const char *star = memchr(path.ptr, '*', path.len);

	self->groups = calloc(1, sizeof(*self->groups));
	if (!self->groups)
		return weir_fail(error, "group_by", "out of memory");
	self->groups->attribute = self->config.group_by.resource_attribute;
	self->prefix = (weir_str){ path.ptr, (size_t)(star - path.ptr) };
	self->suffix = (weir_str){ star + 1,
				   path.len - self->prefix.len - 1 };
	return 0;
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct file *self = WEIR_SELF(c, struct file);

	tzset();		/* localtime_r need not */
	file_writers_init(&self->writers, &self->config);
	if (self->config.compression.len) {
		self->compressor = weir_compressor_new(WEIR_ENCODING_ZSTD, 0);
		if (!self->compressor)
			return weir_fail(error, "compression",
					 "out of memory");
	}
	self->filling = (struct file_load){
		.config = &self->config, .writers = &self->writers,
		.compressor = self->compressor,
		.proto = weir_str_eq(self->config.format, WEIR_STR("proto")),
		.text.charged = true, .packed.charged = true,
		.paths.charged = true, .records.charged = true,
	};
	self->writing = self->filling;
	return self->config.group_by.enabled ? start_groups(self, error) :
					       start_one(self, error);
}

/* --- Answers ------------------------------------------------------------ */

/* How the records of one batch went. */
struct verdict {
	uint64_t sent, failed, dropped;		/* items */
	bool any_written;
	const struct file_record *first;	/* that failed; NULL: none */
};

static struct verdict judge(const struct file_record **record)
{
	struct verdict v = { 0 };

	for (bool more = true; more; ++*record) {
		const struct file_record *r = *record;

		more = !r->last;
		v.dropped += r->dropped;
		if (!r->failed.error) {
			v.sent += r->items;
			v.any_written = true;
			continue;
		}
		v.failed += r->items;
		if (!v.first)
			v.first = r;
	}
	return v;
}

/* A path made from data that no file can have: that passes for no one. */
static bool is_final(const struct file *self, int error)
{
	static const int errors[] = { EINVAL, ENAMETOOLONG, ENOTDIR, EISDIR,
				      ELOOP };

	for (size_t i = 0; self->groups && i < sizeof(errors) / sizeof(int);
	     i++)
		if (errors[i] == error)
			return true;
	return error == FILE_TOO_LONG;
}

static void say_why(const struct file *self, const struct file_load *load,
		    const struct verdict *v, struct weir_outcome *outcome)
{
	const struct file_record *r = v->first;
	weir_str path = self->config.path;

	if (r->path != SIZE_MAX)
		path = weir_str_of(load->paths.ptr + r->path);
	if (path.len > PATH_SHOWN)
		path.len = PATH_SHOWN;
	if (r->failed.error == FILE_TOO_LONG) {
		weir_outcome_set(outcome, WEIR_RESOURCE_EXHAUSTED,
				 WEIR_REASON_TOO_BIG, "write length %zu "
				 "exceeds maximum file size %lld", r->len,
				 (long long)file_max_size(
					&self->config.rotation));
		return;
	}
	/* Of a batch that is in part written, the rest cannot come again
	 * without the part. */
	weir_outcome_set(outcome, v->any_written ||
				  is_final(self, r->failed.error) ?
			 WEIR_INTERNAL : WEIR_UNAVAILABLE,
			 WEIR_REASON_STORAGE, "%s %.*s: %s", r->failed.verb,
			 WEIR_STR_FMT(path), strerror(r->failed.error));
}

static void answer_one(struct file *self, const struct file_load *load,
		       struct weir_batch *batch, const struct verdict *v)
{
	enum weir_signal signal = weir_batch_signal(batch);
	struct weir_component *c = &self->base;
	struct weir_outcome failed = { 0 };

	if (v->first)
		say_why(self, load, v, &failed);
	/* What comes again is counted then. */
	if (v->dropped && !(v->first && weir_outcome_retryable(&failed)))
		weir_count_dropped(c, signal, WEIR_REASON_FILTERED,
				   v->dropped);
	if (v->sent || !v->first)
		weir_count_sent(c, signal, v->sent);
	if (!v->first) {
		weir_batch_ack(batch);
		return;
	}
	weir_log_error(c, "Writing the file failed",
		       "error=%s items=%llu", failed.text,
		       (unsigned long long)v->failed);
	weir_count_send_failed(c, signal, &failed, v->failed);
	weir_batch_nack(batch, &failed);
}

static void answer(struct file *self, struct file_load *load)
{
	const struct file_record *record;
	struct weir_batch *batch;
	size_t n;

	record = file_load_records(load, &n);
	while ((batch = weir_batch_shift(&load->batches))) {
		struct verdict v = judge(&record);

		answer_one(self, load, batch, &v);
	}
	file_load_clear(load);
}

static void refuse(struct weir_component *c, struct weir_batch *batch,
		   enum weir_reason reason, const char *why)
{
	struct weir_outcome full;

	weir_outcome_set(&full, WEIR_UNAVAILABLE, reason, "%s", why);
	weir_count_send_failed(c, weir_batch_signal(batch), &full,
			       weir_batch_items(batch));
	weir_batch_nack(batch, &full);
}

/* --- The way through ---------------------------------------------------- */

static void flush(struct weir_component *c);

static void written(struct weir_component *c, void *arg)
{
	struct file *self = WEIR_SELF(c, struct file);

	answer(self, arg);
	self->busy = false;
	flush(c);
}

/* Starts the next write, unless one is under way or there is nothing. */
static void flush(struct weir_component *c)
{
	struct file *self = WEIR_SELF(c, struct file);
	struct weir_batch *batch;
	struct file_load swap;

	if (self->busy || !self->filling.batches.len)
		return;
	swap = self->writing;	/* not before: a thread may be at it */
	self->writing = self->filling;
	self->filling = swap;
	if (weir_work(c, file_load_write, written, &self->writing) < 0) {
		while ((batch = weir_batch_shift(&self->writing.batches)))
			refuse(c, batch, WEIR_REASON_FULL,
			       "no thread is free to write the file");
		file_load_clear(&self->writing);
		return;
	}
	self->busy = true;
}

static void add_whole(struct file *self, const struct weir_batch *batch)
{
	struct file_load *load = &self->filling;
	const struct weir_slice *slices;
	size_t n;

	if (!load->paths.len) {
		weir_text_add(&load->paths, self->config.path);
		weir_text_add(&load->paths, (weir_str){ "", 1 });
	}
	slices = weir_batch_slices(batch, &n);
	file_load_add(load, weir_batch_signal(batch), slices, n, 0,
		      weir_batch_items(batch));
}

static void add_groups(struct file *self, const struct weir_batch *batch)
{
	struct file_load *load = &self->filling;
	struct file_group_of group;

	file_groups_begin(self->groups, batch);
	while (file_groups_next(self->groups, &group)) {
		size_t path = load->paths.len;
		int error = file_group_path(&load->paths, self->prefix,
					    group.segment, self->suffix);

		if (error)
			file_load_add_failed(load, group.items,
				(struct file_failure){ error, "open" });
		else
			file_load_add(load, weir_batch_signal(batch),
				      group.slices, group.n, path,
				      group.items);
	}
	if (self->groups->dropped)
		weir_log_debug(&self->base, "Resource does not contain the "
			       "attribute of group_by, dropping it",
			       "attribute=%.*s items=%llu",
			       WEIR_STR_FMT(self->groups->attribute),
			       (unsigned long long)self->groups->dropped);
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	struct file *self = WEIR_SELF(c, struct file);
	struct file_load *load = &self->filling;
	const struct file_load_mark before = file_load_mark(load);
	struct file_record *records;
	size_t n;

	if (file_load_size(load) >= PENDING_MAX) {
		refuse(c, batch, WEIR_REASON_FULL,
		       "the file is written too slowly");
		return;
	}
	file_load_force(load, !self->busy && !load->batches.len);
	if (self->groups)
		add_groups(self, batch);
	else
		add_whole(self, batch);
	if (file_load_refused(load)) {
		file_load_cut(load, &before);
		refuse(c, batch, WEIR_REASON_MEMORY,
		       "no memory to write the file");
		return;
	}
	records = file_load_records(load, &n);
	if (load->records.len == before.records) {	/* no resource had the attribute */
		weir_count_dropped(c, weir_batch_signal(batch),
				   WEIR_REASON_FILTERED,
				   weir_batch_items(batch));
		weir_batch_ack(batch);
		return;
	}
	records[n - 1].last = true;
	records[n - 1].dropped = self->groups ? self->groups->dropped : 0;
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

	file_writers_release(&self->writers);
	weir_compressor_free(&self->compressor);
	file_load_release(&self->filling);
	file_load_release(&self->writing);
	free(self->groups);
	self->groups = NULL;
}

WEIR_PLUGIN(WEIR_EXPORTER, "file", "",
	.about     = "Writes batches to files, as OTLP/JSON or protobuf.",
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
