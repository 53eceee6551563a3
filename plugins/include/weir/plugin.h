/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin.h: the contract between weir and a plugin.
 *
 * A plugin is one shared object that exports one symbol, weir_plugin: a
 * descriptor whose first member never changes.  The same facts stand in an ELF
 * note, so that the loader knows type and ABI before any code of it runs.
 *
 * Life of a component (one instance per worker, unless .placement says
 * otherwise; a component lives on one thread and is never re-entered):
 *
 *	 bind config -> validate      once, on the prototype; `weir validate`
 *	   |                          stops here
 *	 start                        on its worker; exporters first
 *	   |
 *	 consume / answered / timers / streams
 *	   |
 *	 stop                         flush, take nothing new; receivers first.
 *	   |                          core waits until it holds no batch, or the
 *	   |                          deadline
 *	 destroy                      each instance: free what it made; also
 *	   |                          after a failed start, and without any.
 *	   |                          What it still holds it nacks
 *	 destroy, of the prototype    once, when no instance is left: c->node is
 *	                              NULL; free what validate made, of which
 *	                              the instances had copies of the pointers;
 *	                              also after a failed validate
 *
 * ABI diary.  A plugin loads when its major equals the host's and its minor is
 * not newer.  New members go at the end of struct weir_plugin and raise minor;
 * anything else raises major.  A change of a view struct raises WEIR_VIEWS.
 *	1.0	first release
 */
#ifndef WEIR_PLUGIN_H
#define WEIR_PLUGIN_H

#include <weir/attributes.h>
#include <weir/base.h>
#include <weir/batch.h>
#include <weir/config.h>
#include <weir/credits.h>
#include <weir/extension.h>
#include <weir/log.h>
#include <weir/metric.h>
#include <weir/net.h>
#include <weir/regex.h>
#include <weir/service.h>
#include <weir/status.h>
#include <weir/timer.h>
#include <weir/value.h>
#include <weir/views.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_MAGIC 0x52494557u	/* "WEIR", little-endian */
#define WEIR_ABI_MAJOR 1
#define WEIR_ABI_MINOR 0
#define WEIR_VIEWS 1

struct weir_abi {
	uint32_t magic;		/* this is one of ours */
	uint16_t major, minor;	/* major equal; minor not newer than the host's */
	uint32_t size;		/* sizeof(struct weir_plugin) then: read no further */
	uint32_t views;		/* generation of the view structs' layouts */
};

enum weir_kind {
	WEIR_RECEIVER, WEIR_PROCESSOR, WEIR_EXPORTER, WEIR_CONNECTOR,
	WEIR_EXTENSION, WEIR_KIND_COUNT
};
/* "receiver", "processor"... */
WEIR_API const char *weir_kind_name(enum weir_kind kind);

enum weir_placement {
	WEIR_PER_WORKER,	/* an instance on each worker */
	WEIR_BY_TRACE,		/* batches are split by trace id among them */
	WEIR_ONE		/* one instance in the process */
};

enum weir_stability {
	WEIR_STABILITY_DEVELOPMENT, WEIR_STABILITY_ALPHA, WEIR_STABILITY_BETA,
	WEIR_STABILITY_STABLE
};

struct weir_node_instance;	/* core's */

/* First member of every plugin's struct.  Core fills it; read only. */
struct weir_component {
	const struct weir_plugin *plugin;
	const char *id;			/* "otlp/2", as the user spelled it */
	const char *pipeline;		/* processors: "traces/x"; else NULL */
	uint32_t signals;		/* mask: the signals it is wired for */
	uint32_t worker;		/* number of its worker, from 0 */
	struct weir_node_instance *node;	/* core's; NULL: the prototype */
	void *reserved[4];
};

#define WEIR_SELF(c, type) ((type *)(void *)(c))

struct weir_plugin {
	struct weir_abi abi;
	uint32_t kind;			/* enum weir_kind */
	uint32_t placement;		/* enum weir_placement */
	const char *type;		/* "batch": folder, file and YAML type */
	const char *aliases;		/* blank-separated other spellings, "" */
	const char *about;		/* one sentence */
	uint32_t signals;		/* mask of WEIR_TRACES ... */
	uint32_t stability;		/* enum weir_stability */
	size_t size;			/* of the struct, base included */
	const struct weir_field *fields;	/* NULL: takes no keys */
	const struct weir_metric_def *metrics;	/* NULL: none */
	bool custodian;			/* takes batches into its own memory */
	bool counts_items;		/* processors: core emits incoming and
					 * outgoing items for it */

	/* Checks what the rows cannot say.  The struct holds the bound
	 * configuration and is the prototype that instances are copied from:
	 * it may be completed here (compiled patterns; freed in destroy of
	 * the prototype).  0, or weir_fail(). */
	int (*validate)(struct weir_component *c, struct weir_error *error);

	/* Attribute processors: what to look for, and the stages.  With
	 * `visit` or `enter` there is no `consume`.  Either may be absent. */
	void (*interest)(struct weir_component *c, enum weir_signal signal,
			 struct weir_interest *interest);
	uintptr_t (*enter)(struct weir_component *c, struct weir_element *e,
			   uintptr_t parent);
	uintptr_t (*visit)(struct weir_component *c, struct weir_element *e,
			   uintptr_t parent);

	/* Admission processors: yes, or no and why.  No `consume` either. */
	bool (*admit)(struct weir_component *c, const struct weir_batch *batch,
		      struct weir_outcome *refused);

	int (*start)(struct weir_component *c, struct weir_error *error);
	void (*consume)(struct weir_component *c, struct weir_batch *batch);
	/* A tracked batch ended downstream; c owns it again.  On OK its bytes
	 * may be gone (a custodian has them). */
	void (*answered)(struct weir_component *c, struct weir_batch *batch,
			 const struct weir_outcome *outcome, void *cookie);
	void (*stop)(struct weir_component *c);
	/* For each instance, then for the prototype: see above. */
	void (*destroy)(struct weir_component *c);

	const struct weir_capabilities *capabilities;	/* extensions */
	/* Refreshes gauges just before a snapshot reads them. */
	void (*measure)(struct weir_component *c);
};

/* The ELF note: name "Weir", type 1, this as its descriptor.  No relocations:
 * it is read from the file. */
struct weir_note {
	uint32_t namesz, descsz, type;	/* 8, 272, 1 */
	char name[8];			/* "Weir" */
	uint32_t magic;
	uint16_t major, minor;
	uint32_t size;
	uint32_t views;
	uint32_t kind;
	uint32_t spare[3];
	char plugin_type[64];
	char aliases[176];
};
#define WEIR_NOTE_DESCSZ (sizeof(struct weir_note) - 20)

#if defined(__clang__)
#define WEIR_NOTE_ATTR							\
	__attribute__((section(".note.weir"), used, aligned(4),		\
		       no_sanitize("address")))
#else	/* gcc puts no red zone around what has a section of its own */
#define WEIR_NOTE_ATTR							\
	__attribute__((section(".note.weir"), used, aligned(4)))
#endif

/*
 * Closes a plugin like a signature under a letter:
 *	WEIR_PLUGIN(WEIR_PROCESSOR, "drop_short", "",
 *		.about = "...", .signals = WEIR_TRACES, ...);
 */
#define WEIR_PLUGIN(kind_, type_, aliases_, ...)			\
	static const struct weir_note weir_note WEIR_NOTE_ATTR = {	\
		.namesz = 5, .descsz = WEIR_NOTE_DESCSZ, .type = 1,	\
		.name = "Weir", .magic = WEIR_MAGIC,			\
		.major = WEIR_ABI_MAJOR, .minor = WEIR_ABI_MINOR,	\
		.size = sizeof(struct weir_plugin), .views = WEIR_VIEWS,	\
		.kind = (kind_), .plugin_type = type_,			\
		.aliases = aliases_ };					\
	WEIR_API extern const struct weir_plugin weir_plugin;		\
	const struct weir_plugin weir_plugin = {			\
		.abi = { WEIR_MAGIC, WEIR_ABI_MAJOR, WEIR_ABI_MINOR,	\
			 sizeof(struct weir_plugin), WEIR_VIEWS },	\
		.kind = (kind_), .type = (type_), .aliases = (aliases_),	\
		__VA_ARGS__ }

/* --- Calls that did not fit elsewhere ---------------------------------------------- */

/* A receiver counts what it refused before it was a batch (undecodable, too
 * big): by items when known, else 0 items; transport "grpc", "http"... .
 * Accepted and refused batches core counts itself. */
WEIR_API void weir_count_refused(struct weir_component *c,
				 enum weir_signal signal,
				 enum weir_reason reason, uint64_t items);
/* The label `transport` of a receiver's counters; string literal.  It is that of
 * what the receiver tracks and refuses from here on: one with several says it
 * before each request.  At most four. */
WEIR_API void weir_set_transport(struct weir_component *c,
				 const char *transport);
/* Exporters: items that reached the backend / were given up. */
WEIR_API void weir_count_sent(struct weir_component *c,
			      enum weir_signal signal, uint64_t items);
WEIR_API void weir_count_send_failed(struct weir_component *c,
				     enum weir_signal signal,
				     const struct weir_outcome *outcome,
				     uint64_t items);
/* Extra labels of an exporter's sent and failed counters (server_address,
 * server_port); from start, strings live as long as the component. */
WEIR_API void weir_label_exporter(struct weir_component *c,
				  const struct weir_label *labels, size_t n);
/* The same of one signal, where they differ (url_path). */
WEIR_API void weir_label_exporter_signal(struct weir_component *c,
					 enum weir_signal signal,
					 const struct weir_label *labels,
					 size_t n);

/* The process's byte budget (payloads in flight).  memory_limiter sets the
 * lines; soft: refuse, hard: stop reading; 0: none. */
WEIR_API void weir_budget_limit(uint64_t soft, uint64_t hard);
WEIR_API uint64_t weir_budget_used(void);
/* The hard line; UINT64_MAX: none.  It stands when all components have started:
 * memory_limiter may start later than who asks. */
WEIR_API uint64_t weir_budget_total(void);
/* Is the hard line reached, so that accepted streams are not read?  A server
 * then lets go of requests that have come only in part: they cannot end. */
WEIR_API bool weir_budget_full(void);
/* For memory whose size a peer chooses and that is no payload: taken before it
 * is allocated, given back after it was freed.  false: it would pass the hard
 * line, and nothing was taken.  Any thread. */
WEIR_API bool weir_budget_take(size_t bytes);
WEIR_API void weir_budget_give(size_t bytes);
/* Resident bytes of the process, as the kernel counts them. */
WEIR_API uint64_t weir_process_rss(void);
/* Memory this process may use: cgroup limit, else physical. */
WEIR_API uint64_t weir_memory_total(void);
/* For the first screen, from start: "OTLP/gRPC", "127.0.0.1:4317" and what to
 * do with it (shell text, may be ""); copied. */
WEIR_API void weir_announce(struct weir_component *c, const char *what,
			    const char *where, const char *hint);
/* While this is so the drain waits for c, until its deadline: for a component
 * that holds no batch and has something left to do after stop. */
WEIR_API void weir_set_busy(struct weir_component *c, bool busy);
/* Workers of the process; from start on. */
WEIR_API uint32_t weir_workers(void);
/* Is anyone wired for that signal behind this receiver? */
WEIR_API bool weir_has_pipeline(const struct weir_component *c,
				enum weir_signal signal);

#ifdef __cplusplus
}
#endif
#endif
