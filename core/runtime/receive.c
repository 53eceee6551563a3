/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receive.c: bytes from outside become a batch, or a refusal.
 *
 * One walk decides: canonical bytes go on as they came, legal but unusual ones
 * are put into canonical form first, malformed ones are refused.  The same
 * walk notes what the first run of attribute processors asked for.
 */
#include "data/batch.h"
#include "base/budget.h"
#include "graph.h"
#include "data/walk.h"

/* Messages of any kind in one request.  A real span has a dozen and takes
 * hundreds of bytes; 64 MiB of empty ones would be 33 million. */
#define MAX_ELEMENTS (16u << 20)

static bool too_big(const struct walk_result *result)
{
	return result->too_big || (result->verdict != WALK_MALFORMED &&
				   result->elements > MAX_ELEMENTS);
}

static struct weir_batch *refuse(struct weir_payload **payload,
				 const struct walk_result *result,
				 struct weir_outcome *refused)
{
	weir_payload_free(payload);
	if (too_big(result)) {
		weir_outcome_set(refused, WEIR_RESOURCE_EXHAUSTED,
				 WEIR_REASON_TOO_BIG,
				 "request holds too many elements");
		return NULL;
	}
	weir_outcome_set(refused, WEIR_INVALID_ARGUMENT, WEIR_REASON_MALFORMED,
			 "malformed request: %s at byte %u", result->why,
			 result->offset);
	return NULL;
}

/* Replaces *payload by its canonical form; false when memory fails. */
static bool canonical_form(enum weir_signal signal,
			   struct weir_payload **payload, size_t *len)
{
	struct buf out = { 0 };
	struct weir_payload *better = NULL;

	if (canon_request(signal, (*payload)->bytes, *len, &out))
		better = payload_new(out.len, false);
	if (better) {
		memcpy(better->bytes, out.ptr, out.len);
		*len = out.len;
	}
	buf_release(&out);
	weir_payload_free(payload);
	*payload = better;
	return better != NULL;
}

static struct weir_batch *no_memory(struct weir_outcome *refused)
{
	weir_outcome_set(refused, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
			 "out of memory for this request");
	return NULL;
}

/* What a run takes, at most, for each noted message while it edits: asked of
 * the budget before, so that nobody gets memory that is not counted. */
#define RUN_BYTES 96

struct weir_batch *weir_batch_decode(struct weir_component *c,
	enum weir_signal signal, struct weir_payload **payload, size_t len,
	struct weir_context *context, uint64_t deadline,
	struct weir_outcome *refused)
{
	struct weir_node_instance *node = c->node;
	struct notes *notes = &node->graph->notes;
	struct run *run = node->first_run[signal];
	const struct interest_set *set = run ? run_interest(run) : NULL;
	struct walk_result result;
	struct weir_batch *batch;

	node->received_bytes += len;
	result = walk_request(signal, (*payload)->bytes, len, set, notes);
	if (result.verdict == WALK_MALFORMED || too_big(&result))
		return refuse(payload, &result, refused);
	if (result.verdict == WALK_UNUSUAL) {
		node->mended++;
		if (!canonical_form(signal, payload, &len))
			return no_memory(refused);
		result = walk_request(signal, (*payload)->bytes, len, set,
				      notes);
		if (result.verdict != WALK_CANONICAL)
			return refuse(payload, &result, refused);
	}
	if (set && !budget_fits((size_t)notes->n * RUN_BYTES)) {
		weir_payload_free(payload);
		return no_memory(refused);
	}
	batch = batch_new(signal);
	batch_add(batch, *payload, (*payload)->bytes, len, result.items);
	batch_set_context(batch, context);
	batch->deadline = deadline;
	if (set)
		batch->notes = notes;
	notes->base = (*payload)->bytes;
	weir_payload_free(payload);	/* the batch has its own reference */
	node_hold(node, batch);
	return batch;
}
