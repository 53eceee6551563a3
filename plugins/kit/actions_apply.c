/* SPDX-License-Identifier: Apache-2.0 */
/*
 * actions_apply.c: compiled actions, done to an element (weir/kit/actions.h).
 *
 * Holds nothing: what is reused between elements is in the instance's state.
 * By key only the first attribute of that name is meant, but for delete, which
 * removes all of them: a second copy must not smuggle a secret.
 */
#include <math.h>

#include <weir/kit/digest.h>
#include <weir/log.h>

#include "actions_private.h"

void weir_actions_state_release(struct weir_actions_state *state)
{
	weir_text_release(&state->text);
	weir_digest_free(&state->sha256);
}

static struct weir_value string(weir_str text)
{
	return (struct weir_value){ .type = WEIR_VALUE_STRING, .str = text };
}

/* What was written to the state's text, where the element keeps it. */
static weir_str kept(struct weir_actions_state *state, struct weir_element *e)
{
	return weir_scratch_str(e, (weir_str){ state->text.ptr,
					       state->text.len });
}

static void put(struct weir_element *e, weir_str key,
		const struct weir_value *value)
{
	struct weir_attr *attr = weir_attr_find(e, key);

	if (attr)
		weir_attr_replace(e, attr, value);
	else
		weir_attr_add(e, key, value);
}

/* --- Sources ------------------------------------------------------------------- */

/* "192.0.2.1:4711" and "[::1]:4711" without the port. */
static weir_str address(weir_str peer)
{
	const char *colon = peer.len ? memrchr(peer.ptr, ':', peer.len) : NULL;

	if (peer.len && peer.ptr[0] == '[') {
		const char *close = memchr(peer.ptr, ']', peer.len);

		if (close)
			return (weir_str){ peer.ptr + 1,
					   (size_t)(close - peer.ptr - 1) };
	}
	if (colon)
		peer.len = (size_t)(colon - peer.ptr);
	return peer;
}

/* All values sent under that name, joined by ';'.  They are bytes (-bin, and
 * what a header may hold), an attribute is text. */
static bool metadata(const struct step *step,
		     struct weir_actions_state *state, struct weir_element *e,
		     const struct weir_context *context,
		     struct weir_value *value)
{
	weir_str one;
	size_t i = 0;

	weir_text_clear(&state->text);
	for (; weir_context_metadata(context, step->context_name, i, &one); i++) {
		if (i)
			weir_text_add(&state->text, WEIR_STR(";"));
		weir_text_add_utf8(&state->text, one);
	}
	if (i)
		*value = string(kept(state, e));
	return i > 0;
}

static bool from_context(const struct step *step,
			 struct weir_actions_state *state,
			 struct weir_element *e, struct weir_value *value)
{
	const struct weir_context *context =
		weir_batch_context(weir_element_batch(e));
	weir_str text;

	switch (step->context) {
	case FROM_ADDRESS:
		*value = string(address(weir_context_peer(context)));
		return true;
	case FROM_METADATA:
		return metadata(step, state, e, context, value);
	case FROM_AUTH:
		if (!weir_context_auth(context, step->context_name, &text))
			return false;
		weir_text_clear(&state->text);
		weir_text_add_utf8(&state->text, text);
		*value = string(kept(state, e));
		return true;
	default:
		return false;
	}
}

static bool source(const struct step *step, struct weir_actions_state *state,
		   struct weir_element *e, struct weir_value *value)
{
	struct weir_attr *attr;

	if (step->has_value) {
		*value = step->value;
		return true;
	}
	if (from_context(step, state, e, value))
		return true;
	if (step->from_attribute.len) {
		attr = weir_attr_find(e, step->from_attribute);
		if (attr) {
			*value = attr->value;
			return true;
		}
	}
	*value = step->default_value;
	return step->has_default;
}

static void set(const struct step *step, struct weir_actions_state *state,
		struct weir_element *e)
{
	struct weir_attr *attr = weir_attr_find(e, step->key);
	struct weir_value value;

	if (attr ? step->verb == INSERT : step->verb == UPDATE)
		return;
	if (!source(step, state, e, &value))
		return;
	if (attr)
		weir_attr_replace(e, attr, &value);
	else
		weir_attr_add(e, step->key, &value);
}

/* --- delete and hash --------------------------------------------------------------- */

static void delete(const struct step *step, struct weir_element *e)
{
	struct weir_attr *attr = NULL;

	weir_attr_remove_key(e, step->key);
	if (!step->pattern)
		return;
	while ((attr = weir_attr_next(e, attr)))
		if (weir_regex_match(step->pattern, attr->key))
			weir_attr_remove(e, attr);
}

/* The bytes that are hashed; false for a type that has none. */
static bool bytes_of(const struct weir_value *value, uint8_t room[8],
		     weir_str *bytes)
{
	uint64_t bits;

	switch (value->type) {
	case WEIR_VALUE_STRING:
		*bytes = value->str;
		return true;
	case WEIR_VALUE_BOOL:
		room[0] = value->boolean;
		*bytes = (weir_str){ (const char *)room, 1 };
		return true;
	case WEIR_VALUE_INT:
	case WEIR_VALUE_DOUBLE:		/* both 8 bytes, little-endian */
		memcpy(&bits, &value->integer, sizeof(bits));
		for (int i = 0; i < 8; i++)
			room[i] = (uint8_t)(bits >> (8 * i));
		*bytes = (weir_str){ (const char *)room, 8 };
		return true;
	default:
		return false;
	}
}

/* A value without bytes, or without a digest, becomes "": never stays. */
static void hash_one(struct weir_actions_state *state, struct weir_element *e,
		     struct weir_attr *attr)
{
	struct weir_value value;
	struct weir_error error;
	uint8_t room[8];
	weir_str bytes;

	if (!state->sha256)
		state->sha256 = weir_digest_new(WEIR_DIGEST_SHA256,
						WEIR_STR(""), &error);
	weir_text_clear(&state->text);
	if (state->sha256 && bytes_of(&attr->value, room, &bytes))
		weir_digest_hex(state->sha256, bytes, &state->text);
	value = string(kept(state, e));
	weir_attr_replace(e, attr, &value);
}

/* A key that is named and also matches is hashed twice, as in the Collector. */
static void hash(const struct step *step, struct weir_actions_state *state,
		 struct weir_element *e)
{
	struct weir_attr *attr = weir_attr_find(e, step->key);

	if (attr)
		hash_one(state, e, attr);
	if (!step->pattern)
		return;
	for (attr = NULL; (attr = weir_attr_next(e, attr)); )
		if (weir_regex_match(step->pattern, attr->key))
			hash_one(state, e, attr);
}

/* --- extract ---------------------------------------------------------------------------- */

/* The text is that of before: a group may overwrite the attribute itself. */
static void extract(const struct step *step, struct weir_element *e)
{
	struct weir_attr *attr = weir_attr_find(e, step->key);
	size_t n = weir_regex_groups(step->pattern);
	struct weir_value value;
	weir_str *groups;

	if (!attr || attr->value.type != WEIR_VALUE_STRING)
		return;
	groups = weir_scratch(e, (n + 1) * sizeof(*groups));
	if (!weir_regex_find(step->pattern, attr->value.str, 0, groups, n + 1))
		return;
	for (size_t i = 1; i <= n; i++) {
		value = string(groups[i]);
		put(e, weir_regex_group_name(step->pattern, i), &value);
	}
}

/* --- convert ---------------------------------------------------------------------------- */

/* Toward zero; what does not fit becomes what Go makes of it on x86-64. */
static int64_t truncated(double real)
{
	if (!(real >= -0x1p63 && real < 0x1p63))
		return INT64_MIN;
	return (int64_t)real;
}

static bool to_int(struct weir_value *value)
{
	int64_t integer;

	switch (value->type) {
	case WEIR_VALUE_INT:
		return true;
	case WEIR_VALUE_DOUBLE:
		integer = truncated(value->real);
		break;
	case WEIR_VALUE_BOOL:
		integer = value->boolean;
		break;
	case WEIR_VALUE_STRING:
		if (!weir_parse_int(value->str, &integer))
			return false;
		break;
	default:
		return false;
	}
	value->type = WEIR_VALUE_INT;
	value->integer = integer;
	return true;
}

static bool to_double(struct weir_value *value)
{
	double real;

	switch (value->type) {
	case WEIR_VALUE_DOUBLE:
		return true;
	case WEIR_VALUE_INT:
		real = (double)value->integer;
		break;
	case WEIR_VALUE_BOOL:
		real = value->boolean;
		break;
	case WEIR_VALUE_STRING:
		if (!weir_parse_double(value->str, &real))
			return false;
		break;
	default:
		return false;
	}
	value->type = WEIR_VALUE_DOUBLE;
	value->real = real;
	return true;
}

static bool to_string(struct weir_value *value,
		      struct weir_actions_state *state, struct weir_element *e)
{
	weir_text_clear(&state->text);
	weir_value_text(value, &state->text);
	*value = string(kept(state, e));
	return true;
}

static void convert(const struct step *step, struct weir_actions_state *state,
		    struct weir_element *e)
{
	struct weir_attr *attr = weir_attr_find(e, step->key);
	struct weir_value value;
	bool ok;

	if (!attr || attr->value.type == step->to)
		return;
	value = attr->value;
	if (step->to == WEIR_VALUE_STRING)
		ok = to_string(&value, state, e);
	else
		ok = step->to == WEIR_VALUE_INT ? to_int(&value) :
			to_double(&value);
	if (ok)
		weir_attr_replace(e, attr, &value);
	else	/* not the value: it may be a secret */
		weir_log_debug(state->c, "Attribute could not be converted",
			       "key=%.*s", WEIR_STR_FMT(step->key));
}

/* --- All of them ---------------------------------------------------------------------------- */

void weir_actions_apply(const struct weir_actions *actions,
			struct weir_actions_state *state,
			struct weir_element *e)
{
	for (size_t i = 0; i < actions->n; i++) {
		const struct step *step = &actions->steps[i];

		switch (step->verb) {
		case DELETE: delete(step, e); break;
		case HASH: hash(step, state, e); break;
		case EXTRACT: extract(step, e); break;
		case CONVERT: convert(step, state, e); break;
		default: set(step, state, e);
		}
	}
}
