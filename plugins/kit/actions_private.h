/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions_private.h: compiled actions, between actions.c that makes them and
 * actions_apply.c that does them.
 */
#ifndef KIT_ACTIONS_PRIVATE_H
#define KIT_ACTIONS_PRIVATE_H

#include <weir/kit/actions.h>

enum verb { INSERT, UPDATE, UPSERT, DELETE, HASH, EXTRACT, CONVERT, VERBS };

/* Where a value comes from; asked before from_attribute. */
enum from_context {
	FROM_NOTHING,
	FROM_ADDRESS,		/* the peer's address without the port */
	FROM_METADATA,		/* what the client sent under that name */
	FROM_AUTH		/* what the authenticator said of it */
};

struct step {
	enum verb verb;
	weir_str key;
	bool has_value, has_default;
	struct weir_value value, default_value;
	void *value_memory, *default_memory;
	enum from_context context;
	weir_str context_name;	/* lower case */
	weir_str from_attribute;
	struct weir_regex *pattern;
	enum weir_value_type to;	/* CONVERT */
};

struct weir_actions {
	size_t n;
	struct step steps[];
};

#endif
