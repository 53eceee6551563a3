/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions.h: the action grammar that `attributes` and `resource` share.
 *
 *	struct my { ... struct weir_list actions; struct weir_actions *made;
 *		    struct weir_actions_state state; };
 *	WEIR_LIST(struct my, actions, struct weir_action, weir_action_rows, ...)
 *
 * validate: weir_actions_new; interest: weir_actions_interest; visit or enter:
 * weir_actions_apply.  The compiled actions are constant and serve all
 * instances; each instance has a state of its own.
 */
#ifndef WEIR_KIT_ACTIONS_H
#define WEIR_KIT_ACTIONS_H

#include <weir/attributes.h>
#include <weir/config.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One entry of the list, as configured. */
struct weir_action {
	weir_str key, action;
	const struct weir_node *value, *default_value;
	weir_str from_attribute, from_context, pattern, converted_type;
};
WEIR_API extern const struct weir_field weir_action_rows[];

struct weir_actions;

/* What an instance needs while it works.  Zero-initialised; c for its logs. */
struct weir_actions_state {
	struct weir_component *c;
	struct weir_text text;
	struct weir_digest *sha256;
};
WEIR_API void weir_actions_state_release(struct weir_actions_state *state);

/* Checks and compiles a list of struct weir_action that outlives the result.
 * NULL and the Collector's sentence; its path is "<list>[i].<key>". */
WEIR_API struct weir_actions *weir_actions_new(struct weir_list configured,
					       const char *list,
					       struct weir_error *error);
WEIR_API void weir_actions_free(struct weir_actions **actions);

/* Declares what has to be there for any of them to act. */
WEIR_API void weir_actions_interest(const struct weir_actions *actions,
				    struct weir_interest *interest,
				    uint32_t where);
/* All of them, in order, on the attributes of e. */
WEIR_API void weir_actions_apply(const struct weir_actions *actions,
				 struct weir_actions_state *state,
				 struct weir_element *e);

/* int64 and double as Go's strconv reads them; false when it would not. */
WEIR_API bool weir_parse_int(weir_str text, int64_t *out);
WEIR_API bool weir_parse_double(weir_str text, double *out);

#ifdef __cplusplus
}
#endif
#endif
