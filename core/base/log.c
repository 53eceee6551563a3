/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.c: one line per call, in the form that Collector users know.
 *
 *	console  time \t level \t file:line \t words \t {"key": value}
 *	json     {"level":...,"ts":...,"caller":...,"msg":...,"key":value}
 *
 * Each call site (per thread) writes ten lines in ten seconds, then every
 * hundredth, unless told otherwise, and says how many it kept back.  Holds the
 * open files, the severity and the constant fields between calls.  Must never block on anything but the files it
 * writes to, and never fail.
 */
#include "log.h"

#include "log_fields.h"

#include <weir/plugin.h>
#include <weir/service.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 8

struct sinks {
	int fd[FILES_MAX];
	size_t n;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sinks lines = { { STDERR_FILENO }, 1 };	/* under lock */
static struct sinks errors = { { STDERR_FILENO }, 1 };	/* under lock */
static struct buf constant;	/* initial_fields as JSON; under lock */
static _Atomic int least = WEIR_INFO;
static _Atomic bool json_lines, no_caller, show_resource;
/* Of equal lines; a window of 0 counts none. */
static _Atomic uint64_t window_ns = 10000000000u, first_lines = 10,
			then_each = 100;

static const char *const names[] = { "debug", "info", "warn", "error" };

/* --- set-up ----------------------------------------------------------------------- */

static int level_of(weir_str level)
{
	if (!level.len)
		return WEIR_INFO;
	for (int i = 0; i <= WEIR_ERROR; i++)
		if (weir_str_eq(level, weir_str_of(names[i])))
			return i;
	return WEIR_ERROR + 1;	/* dpanic, panic, fatal: never written */
}

#define LOGS "service.telemetry.logs"

/* key: where the path stands, for an error. */
static int open_path(weir_str path, const char *key, struct weir_error *error)
{
	static const char scheme[] = "file://";
	char name[4096];
	int fd;

	if (weir_str_eq(path, WEIR_STR("stderr")))
		return STDERR_FILENO;
	if (weir_str_eq(path, WEIR_STR("stdout")))
		return STDOUT_FILENO;
	if (path.len > strlen(scheme) &&
	    !memcmp(path.ptr, scheme, strlen(scheme))) {
		path.ptr += strlen(scheme);
		path.len -= strlen(scheme);
	}
	if (path.len >= sizeof(name))
		return weir_fail(error, key, "log path too long");
	memcpy(name, path.ptr, path.len);
	name[path.len] = 0;
	fd = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0)
		return weir_fail(error, key, "open sink \"%s\": open %s: %s",
				 name, name, strerror(errno));
	return fd;
}

static void close_sinks(struct sinks *sinks)
{
	while (sinks->n) {
		int fd = sinks->fd[--sinks->n];

		if (fd != STDERR_FILENO && fd != STDOUT_FILENO)
			close(fd);
	}
}

/* No paths: stderr.  list: their key. */
static int open_sinks(const struct weir_strs *paths, const char *list,
		      struct sinks *sinks, struct weir_error *error)
{
	for (sinks->n = 0; sinks->n < paths->len; sinks->n++) {
		char key[80];
		int fd = -1;

		snprintf(key, sizeof(key), LOGS ".%s[%zu]", list, sinks->n);
		if (sinks->n == FILES_MAX)
			weir_fail(error, key, "more than %d log files",
				  FILES_MAX);
		else
			fd = open_path(paths->items[sinks->n], key, error);
		if (fd < 0) {
			close_sinks(sinks);
			return -1;
		}
		sinks->fd[sinks->n] = fd;
	}
	if (!paths->len)
		sinks->fd[sinks->n++] = STDERR_FILENO;
	return 0;
}

static void take_sampling(const struct log_sampling *sampling)
{
	static const struct log_sampling standard = {
		true, { 10000000000 }, 10, 100
	};

	if (!sampling)
		sampling = &standard;
	window_ns = sampling->enabled && sampling->tick.ns > 0
			    ? (uint64_t)sampling->tick.ns : 0;
	first_lines = sampling->initial > 0 ? (uint64_t)sampling->initial : 0;
	then_each = sampling->thereafter > 0
			    ? (uint64_t)sampling->thereafter : 0;
}

/* `"key": value` of all, as they stand in a line of that encoding. */
static void write_constant(struct buf *out, const struct weir_node *fields,
			   bool spaced)
{
	struct log_json json = { .out = out, .spaced = spaced };

	for (size_t i = 0; i < weir_node_len(fields); i++)
		log_json_node(&json, weir_node_key(fields, i),
			      weir_node_at(fields, i));
}

int log_setup(const struct log_options *options, struct weir_error *error)
{
	bool json = weir_str_eq(options->encoding, WEIR_STR("json"));
	struct sinks new_lines, new_errors, old_lines, old_errors;
	struct buf fields = { 0 };

	if (open_sinks(&options->paths, "output_paths", &new_lines, error))
		return -1;
	if (open_sinks(&options->error_paths, "error_output_paths",
		       &new_errors, error)) {
		close_sinks(&new_lines);
		return -1;
	}
	if (options->nowhere)
		close_sinks(&new_lines);
	write_constant(&fields, options->initial_fields, !json);
	pthread_mutex_lock(&lock);
	old_lines = lines;
	old_errors = errors;
	lines = new_lines;
	errors = new_errors;
	buf_release(&constant);
	constant = fields;
	pthread_mutex_unlock(&lock);
	close_sinks(&old_lines);
	close_sinks(&old_errors);
	least = level_of(options->level);
	json_lines = json;
	no_caller = options->disable_caller;
	show_resource = options->resource;
	take_sampling(options->sampling);
	return 0;
}

bool weir_log_enabled(enum weir_severity severity)
{
	return (int)severity >= atomic_load_explicit(&least,
						     memory_order_relaxed);
}

/* --- limits ------------------------------------------------------------------------ */

/* May this line be written?  *kept_back: how many were not since the last. */
static bool may_write(struct weir_log_site *site, uint32_t *kept_back)
{
	uint64_t tick = window_ns, first = first_lines, each = then_each;
	uint64_t window;

	*kept_back = 0;
	if (!site || !tick)
		return true;
	window = weir_now() / tick;
	if (site->window != window) {
		site->window = window;
		site->count = 0;
	}
	site->count++;
	if (site->count > first && (!each || (site->count - first) % each)) {
		site->suppressed++;
		return false;
	}
	*kept_back = site->suppressed;
	site->suppressed = 0;
	return true;
}

/* --- parts of a line ------------------------------------------------------------------ */

/* 2006-01-02T15:04:05.000Z, or with +0100 where the zone is not UTC. */
static void stamp(char *out, size_t size)
{
	uint64_t now = weir_wall_now();
	time_t seconds = (time_t)(now / 1000000000);
	char zone[8] = "Z";
	struct tm tm;
	size_t len;

	localtime_r(&seconds, &tm);
	len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	if (tm.tm_gmtoff)
		strftime(zone, sizeof(zone), "%z", &tm);
	snprintf(out + len, size - len, ".%03u%s",
		 (unsigned)(now / 1000000 % 1000), zone);
}

/* The last two parts of the path: "core/config/plan.c". */
static const char *short_name(const char *file)
{
	const char *cut = file;

	for (const char *p = file; *p; p++)
		if (*p == '/' && strchr(p + 1, '/'))
			cut = p + 1;
	return cut;
}

static void caller(char *out, size_t size, const struct weir_log_site *site)
{
	*out = 0;
	if (site && site->file && !no_caller)
		snprintf(out, size, "%s:%d", short_name(site->file),
			 site->line);
}

/* The signal when it is one: a processor's pipeline names it, others are wired
 * for several. */
static const char *signal_of(const struct weir_component *c)
{
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++) {
		const char *name = weir_signal_name((enum weir_signal)i);

		if (c->pipeline ? !strncmp(c->pipeline, name, strlen(name))
				: c->signals == 1u << i)
			return name;
	}
	return NULL;
}

static void component_fields(struct log_json *json,
			     const struct weir_component *c)
{
	const char *signal = signal_of(c);

	if (c->id)
		log_json_str(json, "otelcol.component.id", weir_str_of(c->id));
	if (c->plugin)
		log_json_str(json, "otelcol.component.kind", weir_str_of(
			weir_kind_name((enum weir_kind)c->plugin->kind)));
	if (c->pipeline)
		log_json_str(json, "otelcol.pipeline.id",
			     weir_str_of(c->pipeline));
	if (signal)
		log_json_str(json, "otelcol.signal", weir_str_of(signal));
}

/* --- lines ------------------------------------------------------------------------------ */

struct line {
	struct weir_component *c;
	const struct weir_log_site *site;
	enum weir_severity severity;
	const char *words, *fields;
	uint32_t kept_back;
};

static void add_constant(struct log_json *json)
{
	pthread_mutex_lock(&lock);
	if (constant.len)
		log_json_raw(json, constant.ptr, constant.len);
	pthread_mutex_unlock(&lock);
}

static void add_resource(struct log_json *json)
{
	struct log_json inner = { .out = json->out, .spaced = json->spaced };
	size_t n;
	const struct weir_label *resource = weir_service_resource(&n);

	if (!n)
		return;
	log_json_key(json, WEIR_STR("resource"));
	buf_add(json->out, "{", 1);
	for (size_t i = 0; i < n; i++)
		log_json_text(&inner, resource[i].name, resource[i].value);
	buf_add(json->out, "}", 1);
}

static void add_fields(struct log_json *json, const struct line *line,
		       va_list args)
{
	add_constant(json);
	if (show_resource)
		add_resource(json);
	if (line->c)
		component_fields(json, line->c);
	if (line->fields)
		log_json_fields(json, line->fields, args);
	if (line->kept_back)
		log_json_uint(json, "suppressed", line->kept_back);
}

static void write_console(struct buf *out, const struct line *line,
			  va_list args)
{
	struct log_json json = { .out = out, .spaced = true };
	char when[40], where[160];
	size_t start;

	stamp(when, sizeof(when));
	caller(where, sizeof(where), line->site);
	buf_addf(out, "%s\t%s\t%s%s%s", when, names[line->severity], where,
		 where[0] ? "\t" : "", line->words);
	start = out->len;
	buf_add(out, "\t{", 2);
	add_fields(&json, line, args);
	buf_add(out, "}", 1);
	if (!json.more)
		out->len = start;
}

static void write_json(struct buf *out, const struct line *line, va_list args)
{
	struct log_json json = { .out = out };
	char when[40], where[160];

	stamp(when, sizeof(when));
	caller(where, sizeof(where), line->site);
	buf_add(out, "{", 1);
	log_json_str(&json, "level", weir_str_of(names[line->severity]));
	log_json_str(&json, "ts", weir_str_of(when));
	if (where[0])
		log_json_str(&json, "caller", weir_str_of(where));
	log_json_str(&json, "msg", weir_str_of(line->words));
	add_fields(&json, line, args);
	buf_add(out, "}", 1);
}

/* 0, or an errno value: a full or broken log is no reason to stop. */
static int write_all(int fd, const uint8_t *p, size_t left)
{
	while (left) {
		ssize_t n = write(fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		p += n;
		left -= (size_t)n;
	}
	return 0;
}

/* Under lock. */
static void write_sinks(const struct buf *out)
{
	for (size_t i = 0; i < lines.n; i++) {
		int failed = write_all(lines.fd[i], out->ptr, out->len);
		char when[40], text[200];
		int n;

		if (!failed)
			continue;
		stamp(when, sizeof(when));
		n = snprintf(text, sizeof(text), "%s write error: %s\n", when,
			     strerror(failed));
		for (size_t j = 0; j < errors.n; j++)
			write_all(errors.fd[j], (const uint8_t *)text,
				  (size_t)n);
	}
}

void weir_log(struct weir_component *c, struct weir_log_site *site,
	      enum weir_severity severity, const char *words,
	      const char *fields, ...)
{
	struct line line = { c, site, severity, words, fields, 0 };
	struct buf out = { 0 };
	va_list args;

	if (!weir_log_enabled(severity) || !may_write(site, &line.kept_back))
		return;
	va_start(args, fields);
	if (json_lines)
		write_json(&out, &line, args);
	else
		write_console(&out, &line, args);
	va_end(args);
	buf_add(&out, "\n", 1);
	pthread_mutex_lock(&lock);
	write_sinks(&out);
	pthread_mutex_unlock(&lock);
	buf_release(&out);
}
