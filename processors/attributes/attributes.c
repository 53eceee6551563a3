/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attributes: insert, change and remove attributes of spans, log records and
 * data points.
 *
 * include and exclude choose the records; the actions then run in order.  Holds
 * nothing between batches.  Never touches resources, scopes, events, links,
 * exemplars or bodies.
 */
#include <weir/kit/actions.h>
#include <weir/kit/match.h>
#include <weir/plugin.h>

struct attributes {
	struct weir_component base;
	struct weir_list actions;		/* config: struct weir_action */
	struct weir_match_config include, exclude;
	struct weir_actions *made;		/* the prototype's, shared */
	struct weir_match *match[WEIR_SIGNAL_COUNT];	/* likewise */
	struct weir_actions_state state;
	struct weir_text text;
};

static const struct weir_field fields[] = {
	WEIR_LIST(struct attributes, actions, struct weir_action,
		  weir_action_rows, "What to do to the attributes, in order."),
	WEIR_OPTIONAL(struct attributes, include, weir_match_rows,
		      WEIR_BLOCK_NONE,
		      "Act only on what matches; on everything when absent."),
	WEIR_OPTIONAL(struct attributes, exclude, weir_match_rows,
		      WEIR_BLOCK_NONE, "Do not act on what matches."),
	WEIR_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct attributes *self = WEIR_SELF(c, struct attributes);

	if (!self->actions.len)
		return weir_fail(error, NULL,
				 "missing required field \"actions\"");
	self->made = weir_actions_new(self->actions, "actions", error);
	if (!self->made)
		return -1;
	for (unsigned signal = 0; signal < WEIR_SIGNAL_COUNT; signal++) {
		if (!(c->signals & 1u << signal))
			continue;
		self->match[signal] = weir_match_new(&self->include,
			&self->exclude, signal, error);
		if (!self->match[signal])
			return -1;
	}
	return 0;
}

static void interest(struct weir_component *c, enum weir_signal signal,
		     struct weir_interest *interest)
{
	struct attributes *self = WEIR_SELF(c, struct attributes);

	(void)signal;
	weir_actions_interest(self->made, interest, WEIR_AT_RECORD);
}

static uintptr_t enter(struct weir_component *c, struct weir_element *e,
		       uintptr_t parent)
{
	struct attributes *self = WEIR_SELF(c, struct attributes);

	return weir_match_enter(self->match[weir_element_signal(e)],
				&self->text, e, parent);
}

static uintptr_t visit(struct weir_component *c, struct weir_element *e,
		       uintptr_t parent)
{
	struct attributes *self = WEIR_SELF(c, struct attributes);

	self->state.c = c;
	if (weir_element_level(e) == WEIR_LEVEL_RECORD &&
	    weir_match_record(self->match[weir_element_signal(e)],
			      &self->text, e, parent))
		weir_actions_apply(self->made, &self->state, e);
	return parent;
}

static void destroy(struct weir_component *c)
{
	struct attributes *self = WEIR_SELF(c, struct attributes);

	weir_actions_state_release(&self->state);
	weir_text_release(&self->text);
	if (c->node)	/* the prototype's */
		return;
	weir_actions_free(&self->made);
	for (unsigned signal = 0; signal < WEIR_SIGNAL_COUNT; signal++)
		weir_match_free(&self->match[signal]);
}

WEIR_PLUGIN(WEIR_PROCESSOR, "attributes", "",
	.about = "Inserts, changes and removes attributes of spans, log "
		 "records and data points.",
	.signals = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_BETA,
	.size = sizeof(struct attributes),
	.fields = fields,
	.counts_items = true,
	.validate = validate,
	.interest = interest,
	.enter = enter,
	.visit = visit,
	.destroy = destroy,
);
