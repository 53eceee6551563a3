/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.c: what the process says of itself: its state, its resource, and the
 * first screen.
 *
 * Written by the main thread at start and stop; read by any.
 */
#include "process.h"

#include <stdatomic.h>
#include <stdio.h>

#include "service.h"

/* --- What extensions may ask --------------------------------------------- */

static _Atomic int state = WEIR_SERVICE_STARTING;
/* Written once, by the main thread; workers may be asked before. */
static _Atomic uint64_t ready_wall, ready_now;
static _Atomic int shown = WEIR_SHOW_NORMAL;	/* metrics.level */

enum weir_service_state weir_service_state(void)
{
	return (enum weir_service_state)atomic_load(&state);
}

void service_set_state(enum weir_service_state next)
{
	if (next == WEIR_SERVICE_READY) {
		atomic_store(&ready_wall, weir_wall_now());
		atomic_store(&ready_now, weir_now());
	}
	atomic_store(&state, (int)next);
}

void weir_service_since(uint64_t *wall, uint64_t *now)
{
	*wall = atomic_load(&ready_wall);
	*now = atomic_load(&ready_now);
}

const char *weir_version(void)
{
	return WEIR_VERSION;
}

/* service.name, service.version, service.instance.id, and what the
 * configuration adds, changes or (without a value) takes away. */
static struct {
	struct weir_label v[64];
	size_t n;
	char instance[37];
} resource;

static void set_attribute(weir_str name, weir_str value)
{
	size_t i = 0;

	while (i < resource.n && !weir_str_eq(resource.v[i].name, name))
		i++;
	if (!value.ptr && i < resource.n)
		resource.v[i] = resource.v[--resource.n];
	else if (value.ptr && i < sizeof(resource.v) / sizeof(resource.v[0])) {
		resource.v[i] = (struct weir_label){ name, value };
		resource.n += i == resource.n;
	}
}

/* A random UUID, version 4 (RFC 9562 5.4). */
static void make_instance_id(void)
{
	uint64_t a = weir_random(), b = weir_random();

	snprintf(resource.instance, sizeof(resource.instance),
		 "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
		 (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
		 ((unsigned)(b >> 48) & 0x3fff) | 0x8000,
		 (unsigned long long)b & 0xffffffffffff);
}

static enum weir_metric_level level_of(weir_str name)
{
	static const char *const names[] = { "none", "basic", "normal",
					     "detailed" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (weir_str_eq(name, weir_str_of(names[i])))
			return (enum weir_metric_level)i;
	return WEIR_SHOW_NORMAL;
}

void process_describe(const struct plan_telemetry *telemetry)
{
	atomic_store(&shown, (int)level_of(telemetry->metrics_level));
	make_instance_id();
	resource.n = 0;
	set_attribute(WEIR_STR("service.name"), WEIR_STR("weir"));
	set_attribute(WEIR_STR("service.version"), weir_str_of(WEIR_VERSION));
	set_attribute(WEIR_STR("service.instance.id"),
		      weir_str_of(resource.instance));
	for (size_t i = 0; i < telemetry->n_resource; i++)
		set_attribute(telemetry->resource[i].name,
			      telemetry->resource[i].value);
}

const struct weir_label *weir_service_resource(size_t *n)
{
	*n = resource.n;
	return resource.v;
}

enum weir_metric_level service_metrics_level(void)
{
	return (enum weir_metric_level)atomic_load(&shown);
}

/* --- The first screen ---------------------------------------------------- */

struct notice {
	char what[64], where[160], hint[640];
};

/* Filled by worker 0 while the main thread waits for it to start. */
static struct {
	struct notice v[32];
	size_t n;
} notices;

void weir_announce(struct weir_component *c, const char *what,
		   const char *where, const char *hint)
{
	struct notice *notice;

	if (c->worker || notices.n == sizeof(notices.v) / sizeof(notices.v[0]))
		return;		/* every worker says the same */
	notice = &notices.v[notices.n++];
	snprintf(notice->what, sizeof(notice->what), "%s", what);
	snprintf(notice->where, sizeof(notice->where), "%s", where);
	snprintf(notice->hint, sizeof(notice->hint), "%s", hint);
}

/* Receivers start last and are what a user looks for first. */
void process_first_screen(const char *config_path)
{
	bool hinted = false;

	printf("weir %s runs %s\n\n", WEIR_VERSION, config_path);
	for (size_t i = notices.n; i--;)
		printf("  %-10s %s\n", notices.v[i].what, notices.v[i].where);
	for (size_t i = notices.n; i--;) {
		if (!notices.v[i].hint[0])
			continue;
		if (!hinted)
			printf("\nIn an application's environment:\n\n");
		hinted = true;
		printf("%s\n", notices.v[i].hint);
	}
	printf("\n");
	fflush(stdout);
}
