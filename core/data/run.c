/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run.c: shows what a walk noted to the stages, and applies what they changed.
 *
 * Holds between batches only memory that is used again.  Never walks when the
 * batch has notes, never copies when nothing changed, and never lets a batch
 * pass unedited: a slice whose notes or new bytes find no memory is dropped
 * whole.
 */
#include "run.h"

#include <stdlib.h>

#include "element.h"
#include "fields.h"
#include "notes.h"
#include "walk.h"

#define KEPT (256u << 10)	/* notes and edits, from batch to batch */
#define KEPT_BYTES (8u << 20)

struct run {
	struct weir_component **stages;
	size_t n;
	enum weir_signal signal;
	struct interest_set *interest;
	uintptr_t *cookies;		/* [level * n + stage] */

	/* Of the slice that is being edited. */
	struct weir_batch *batch;
	const uint8_t *base;
	uint32_t len;
	struct notes own_notes;
	const struct notes *notes;
	uint32_t *node_of;		/* edit node of each note */
	uint32_t cap_nodes;
	struct edit_list edits;
	struct weir_element element;
	uint32_t at[NOTE_EXEMPLAR + 1];	/* note of each open kind */
	bool shown[WEIR_LEVEL_COUNT];	/* the open one has been */
	enum weir_metric_data data;
};

/* --- Making ------------------------------------------------------------------ */

static struct interest_set *declare(const struct run *run)
{
	struct weir_interest **declared = xcalloc(run->n, sizeof(*declared));
	struct interest_set *set;

	for (size_t i = 0; i < run->n; i++) {
		const struct weir_plugin *plugin = run->stages[i]->plugin;

		declared[i] = interest_new();
		if (plugin->interest)
			plugin->interest(run->stages[i], run->signal,
					 declared[i]);
	}
	set = interest_compile(declared, run->n);
	for (size_t i = 0; i < run->n; i++)
		interest_free(&declared[i]);
	free(declared);
	return set;
}

struct run *run_new(struct weir_component *const *stages, size_t n,
		    enum weir_signal signal)
{
	struct run *run = xcalloc(1, sizeof(*run));

	run->stages = xcalloc(n, sizeof(struct weir_component *));
	memcpy(run->stages, stages, n * sizeof(*stages));
	run->n = n;
	run->signal = signal;
	run->cookies = xcalloc(n * WEIR_LEVEL_COUNT, sizeof(*run->cookies));
	run->interest = declare(run);
	return run;
}

void run_free(struct run **run)
{
	struct run *gone = *run;

	*run = NULL;
	if (!gone)
		return;
	interest_set_free(&gone->interest);
	notes_release(&gone->own_notes);
	element_release(&gone->element);
	edit_release(&gone->edits);
	free(gone->node_of);
	free(gone->cookies);
	free(gone->stages);
	free(gone);
}

const struct interest_set *run_interest(const struct run *run)
{
	return run->interest;
}

/* --- One element ----------------------------------------------------------------- */

static weir_str note_body(const struct run *run, uint32_t i)
{
	const struct note *note = &run->notes->v[i];

	return (weir_str){ (const char *)run->base + note->offset, note->len };
}

/* The edit node of a note, and before it those of its ancestors. */
static uint32_t node_of(struct run *run, uint32_t i)
{
	const struct note *note = &run->notes->v[i];
	uint32_t parent = EDIT_TOP;

	if (run->node_of[i] != PART_UNKNOWN)
		return run->node_of[i];
	if (note->parent != NOTE_NONE)
		parent = node_of(run, note->parent);
	run->node_of[i] = edit_node(&run->edits, parent, note->offset,
				    note->len, note->len_width);
	return run->node_of[i];
}

static void write_changes(struct run *run, uint32_t outer, uint32_t own)
{
	struct weir_element *e = &run->element;

	if (!e->changed)
		return;
	if (own != NOTE_NONE)
		e->own.node = node_of(run, own);
	if (outer != NOTE_NONE)
		e->outer.node = node_of(run, outer);
	if (own == NOTE_NONE && e->own.present)
		e->own.node = edit_node_body(&run->edits, e->outer.node,
					     e->own.body);
	element_write(e, &run->edits);
}

typedef uintptr_t (*callback)(struct weir_component *c,
			      struct weir_element *e, uintptr_t parent);

/* Stages with `enter` see resources, scopes and metrics, those with `visit`
 * what is below. */
static callback callback_of(const struct weir_component *stage,
			    enum weir_level level)
{
	return level <= WEIR_LEVEL_METRIC ? stage->plugin->enter :
					    stage->plugin->visit;
}

/* The open message is shown to all stages.  Their cookies become those of the
 * level; the parent's are handed in. */
static void show(struct run *run, enum weir_level level,
		 enum weir_level parent)
{
	uintptr_t *cookies = run->cookies + level * run->n;
	const uintptr_t *parents = run->cookies + parent * run->n;

	for (size_t i = 0; i < run->n; i++) {
		callback call = callback_of(run->stages[i], level);
		uintptr_t cookie = level == parent ? 0 : parents[i];

		cookies[i] = call ? call(run->stages[i], &run->element, cookie)
				  : 0;
	}
}

/* --- Levels, each once and after its parent -------------------------------------- */

static void show_resource(struct run *run)
{
	uint32_t wrapper = run->at[NOTE_WRAPPER];

	if (run->shown[WEIR_LEVEL_RESOURCE])
		return;
	run->shown[WEIR_LEVEL_RESOURCE] = true;
	element_open_wrapped(&run->element, WEIR_LEVEL_RESOURCE,
			     note_body(run, wrapper));
	show(run, WEIR_LEVEL_RESOURCE, WEIR_LEVEL_RESOURCE);
	write_changes(run, wrapper, NOTE_NONE);
}

static void show_scope(struct run *run)
{
	uint32_t wrapper = run->at[NOTE_SCOPE_WRAPPER];

	if (run->shown[WEIR_LEVEL_SCOPE])
		return;
	show_resource(run);
	run->shown[WEIR_LEVEL_SCOPE] = true;
	element_open_wrapped(&run->element, WEIR_LEVEL_SCOPE,
			     note_body(run, wrapper));
	show(run, WEIR_LEVEL_SCOPE, WEIR_LEVEL_RESOURCE);
	write_changes(run, wrapper, NOTE_NONE);
}

static void show_metric(struct run *run)
{
	uint32_t metric = run->at[NOTE_METRIC];

	if (run->shown[WEIR_LEVEL_METRIC])
		return;
	show_scope(run);
	run->shown[WEIR_LEVEL_METRIC] = true;
	element_open(&run->element, WEIR_LEVEL_METRIC, run->data,
		     note_body(run, metric));
	show(run, WEIR_LEVEL_METRIC, WEIR_LEVEL_SCOPE);
	write_changes(run, NOTE_NONE, metric);
}

static void show_record(struct run *run)
{
	bool metrics = run->signal == WEIR_SIGNAL_METRICS;
	uint32_t record = run->at[NOTE_RECORD];

	if (run->shown[WEIR_LEVEL_RECORD])
		return;
	if (metrics)
		show_metric(run);
	else
		show_scope(run);
	run->shown[WEIR_LEVEL_RECORD] = true;
	element_open(&run->element, WEIR_LEVEL_RECORD, run->data,
		     note_body(run, record));
	show(run, WEIR_LEVEL_RECORD,
	     metrics ? WEIR_LEVEL_METRIC : WEIR_LEVEL_SCOPE);
	write_changes(run, NOTE_NONE, record);
}

static void show_part(struct run *run, enum weir_level level, uint32_t i)
{
	show_record(run);
	element_open(&run->element, level, run->data,
		     note_body(run, i));
	show(run, level, WEIR_LEVEL_RECORD);
	write_changes(run, NOTE_NONE, i);
}

static void show_wanted(struct run *run, uint32_t i, enum note_kind kind)
{
	switch (kind) {
	case NOTE_WRAPPER:	/* its Resource is absent, or its schema_url */
	case NOTE_RESOURCE:
		show_resource(run);
		break;
	case NOTE_SCOPE_WRAPPER:
	case NOTE_SCOPE:
		show_scope(run);
		break;
	case NOTE_METRIC:
		show_metric(run);
		break;
	case NOTE_DATA:
		break;
	case NOTE_RECORD:
		show_record(run);
		break;
	case NOTE_EVENT:
		show_part(run, WEIR_LEVEL_EVENT, i);
		break;
	case NOTE_LINK:
		show_part(run, WEIR_LEVEL_LINK, i);
		break;
	case NOTE_EXEMPLAR:
		show_part(run, WEIR_LEVEL_EXEMPLAR, i);
		break;
	}
}

/* --- One slice ---------------------------------------------------------------------- */

/* A message was opened: what is below it has not been shown. */
static void open_note(struct run *run, uint32_t i, enum note_kind kind)
{
	run->at[kind] = i;
	switch (kind) {
	case NOTE_WRAPPER:
		run->shown[WEIR_LEVEL_RESOURCE] = false;
		break;
	case NOTE_SCOPE_WRAPPER:
		run->shown[WEIR_LEVEL_SCOPE] = false;
		break;
	case NOTE_METRIC:
		run->shown[WEIR_LEVEL_METRIC] = false;
		run->data = WEIR_DATA_NONE;
		break;
	case NOTE_DATA:
		run->data = (enum weir_metric_data)run->notes->v[i].field;
		break;
	case NOTE_RECORD:
		run->shown[WEIR_LEVEL_RECORD] = false;
		break;
	default:
		break;
	}
}

static void forget_nodes(struct run *run)
{
	uint32_t n = run->notes->n;

	if (n > run->cap_nodes) {
		run->cap_nodes = run->notes->cap;
		run->node_of = xrealloc(run->node_of,
					run->cap_nodes * sizeof(uint32_t));
	}
	memset(run->node_of, 0xff, n * sizeof(uint32_t));
}

static void visit_notes(struct run *run)
{
	edit_begin(&run->edits, run->base, run->len);
	forget_nodes(run);
	run->element.batch = run->batch;
	run->element.signal = run->signal;
	run->element.base = run->base;
	run->element.base_len = run->len;
	for (uint32_t i = 0; i < run->notes->n; i++) {
		const struct note *note = &run->notes->v[i];

		open_note(run, i, note->kind);
		if (note->wanted)
			show_wanted(run, i, note->kind);
	}
}

/* What could not be edited must not pass.  Returns the items that went. */
static size_t drop_slice(struct run *run, uint32_t i)
{
	size_t items = run->batch->pieces[i].items;

	batch_replace(run->batch, i, NULL, NULL, 0, 0);
	return items;
}

static size_t write_slice(struct run *run, uint32_t i)
{
	size_t len = edit_measure(&run->edits);
	struct weir_payload *payload = payload_new(len, true);

	if (!payload)
		return drop_slice(run, i);
	edit_write(&run->edits, payload->bytes);
	batch_replace(run->batch, i, payload, payload->bytes, len,
		      run->batch->pieces[i].items);
	return 0;
}

/* The notes of the validating walk, when they are about these bytes; else
 * those of a walk of its own: false when it could not note all. */
static bool find_notes(struct run *run, size_t *walked)
{
	const struct notes *noted = run->batch->notes;

	if (noted && noted->base == run->base && run->batch->n == 1) {
		run->notes = noted;
		return true;
	}
	*walked += run->len;
	run->notes = &run->own_notes;
	return walk_interest(run->signal, run->base, run->len, run->interest,
			     &run->own_notes);
}

/* Returns the items that had to be dropped, and the slice with them. */
static size_t apply_slice(struct run *run, uint32_t i, size_t *walked)
{
	run->base = run->batch->slices[i].ptr;
	run->len = (uint32_t)run->batch->slices[i].len;
	if (!find_notes(run, walked))
		return drop_slice(run, i);
	if (!run->notes->n)
		return 0;
	visit_notes(run);
	return edit_empty(&run->edits) ? 0 : write_slice(run, i);
}

/* What one hostile slice has made grow (4 MiB of empty spans: sixty times as
 * much) is not kept for the next. */
static void give_back(struct run *run)
{
	const struct edit_list *edits = &run->edits;

	if (run->cap_nodes > KEPT) {
		free(run->node_of);
		run->node_of = NULL;
		run->cap_nodes = 0;
	}
	if (edits->cap_nodes > KEPT || edits->edits.cap > KEPT ||
	    edits->bytes.cap > KEPT_BYTES)
		edit_release(&run->edits);
	if (element_is_large(&run->element))
		element_release(&run->element);
}

struct run_outcome run_apply(struct run *run, struct weir_batch *batch)
{
	struct run_outcome outcome = { 0 };

	run->batch = batch;
	if (interest_set_empty(run->interest))
		return outcome;
	for (uint32_t i = 0; i < batch->n; ) {
		uint32_t n = batch->n;

		outcome.dropped += apply_slice(run, i, &outcome.walked);
		i += batch->n == n;	/* else it was dropped */
	}
	batch->notes = NULL;
	give_back(run);
	return outcome;
}
