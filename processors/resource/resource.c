/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resource: insert, change and remove attributes of resources.
 *
 * Each resource is looked at once, whatever is below it.  Two that become equal
 * stay two.  Holds nothing between batches.
 */
#include <weir/kit/actions.h>
#include <weir/plugin.h>

struct resource {
	struct weir_component base;
	struct weir_list attributes;		/* config: struct weir_action */
	struct weir_actions *actions;		/* the prototype's, shared */
	struct weir_actions_state state;
};

static const struct weir_field fields[] = {
	WEIR_LIST(struct resource, attributes, struct weir_action,
		  weir_action_rows,
		  "What to do to the attributes of every resource, in order."),
	WEIR_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct resource *self = WEIR_SELF(c, struct resource);

	if (!self->attributes.len)
		return weir_fail(error, NULL,
				 "missing required field \"attributes\"");
	self->actions = weir_actions_new(self->attributes, "attributes", error);
	return self->actions ? 0 : -1;
}

static void interest(struct weir_component *c, enum weir_signal signal,
		     struct weir_interest *interest)
{
	struct resource *self = WEIR_SELF(c, struct resource);

	(void)signal;
	weir_actions_interest(self->actions, interest, WEIR_AT_RESOURCE);
}

static uintptr_t enter(struct weir_component *c, struct weir_element *e,
		       uintptr_t parent)
{
	struct resource *self = WEIR_SELF(c, struct resource);

	self->state.c = c;
	if (weir_element_level(e) == WEIR_LEVEL_RESOURCE)
		weir_actions_apply(self->actions, &self->state, e);
	return parent;
}

static void destroy(struct weir_component *c)
{
	struct resource *self = WEIR_SELF(c, struct resource);

	weir_actions_state_release(&self->state);
	if (!c->node)	/* the prototype */
		weir_actions_free(&self->actions);
}

WEIR_PLUGIN(WEIR_PROCESSOR, "resource", "",
	.about = "Inserts, changes and removes attributes of resources.",
	.signals = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_BETA,
	.size = sizeof(struct resource),
	.fields = fields,
	.counts_items = true,
	.validate = validate,
	.interest = interest,
	.enter = enter,
	.destroy = destroy,
);
