/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch.c: one pass over the fields of a span.
 *
 * Times, status and flags are read as they pass by.  An attribute is looked at
 * further when some key has its length and is equal; only the first of a key
 * counts, as for whoever looks it up.
 */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "policy_parts.h"

#define NO_KEY UINT8_MAX
#define SPAN_ATTRIBUTES TAG_BYTES(9)
#define RESOURCE_ATTRIBUTES TAG_BYTES(1)

static bool is_set(const uint64_t *marks, uint32_t mark)
{
	return marks[mark / 64] >> mark % 64 & 1;
}

static void set(uint64_t *marks, uint32_t mark)
{
	marks[mark / 64] |= UINT64_C(1) << mark % 64;
}

/* --- Making --------------------------------------------------------------- */

static size_t slot_of_length(size_t len)
{
	return len < 63 ? len : 63;
}

static struct watched_key *key_of(struct watch *watch, weir_str name)
{
	struct watched_key *key;

	for (size_t i = 0; i < watch->n_keys; i++)
		if (weir_str_eq(watch->keys[i].name, name))
			return &watch->keys[i];
	watch->keys = realloc(watch->keys,
			      (watch->n_keys + 1) * sizeof(*watch->keys));
	if (!watch->keys)
		abort();
	key = &watch->keys[watch->n_keys++];
	*key = (struct watched_key){ .name = name, .next = NO_KEY };
	return key;
}

static const struct policy **list_of(struct watch *watch,
				     const struct policy *policy)
{
	const struct basic_config *c = policy->config;

	switch (policy->kind) {
	case POLICY_LATENCY:
		return &watch->latency;
	case POLICY_STATUS:
		return &watch->status;
	case POLICY_FLAGS:
		return &watch->flags;
	case POLICY_STATE:
		return &watch->state;
	case POLICY_NUMERIC:
		return &key_of(watch, c->numeric_attribute.key)->first;
	case POLICY_BOOLEAN:
		return &key_of(watch, c->boolean_attribute.key)->first;
	case POLICY_STRING:
		return &key_of(watch, c->string_attribute.key)->first;
	default:
		return NULL;
	}
}

void watch_add(struct watch *watch, struct policy *policy)
{
	const struct policy **list = list_of(watch, policy);

	for (size_t i = 0; i < policy->n_subs; i++)
		watch_add(watch, &policy->subs[i]);
	if (!list)
		return;
	policy->beside = *list;
	*list = policy;
	policy->mark = (uint32_t)watch->n++;
}

void watch_finish(struct watch *watch)
{
	memset(watch->by_length, NO_KEY, sizeof(watch->by_length));
	for (size_t i = 0; i < watch->n_keys && i < WATCH_KEYS; i++) {
		struct watched_key *key = &watch->keys[i];
		size_t at = slot_of_length(key->name.len);

		key->next = watch->by_length[at];
		watch->by_length[at] = (uint8_t)i;
		/* "" is also the key of what has none */
		watch->lengths |= at ? UINT64_C(1) << at : UINT64_MAX;
	}
	watch->all = calloc(watch_words(watch) + 1, sizeof(*watch->all));
	if (!watch->all)
		abort();
	for (uint32_t i = 0; i < watch->n; i++)
		set(watch->all, i);
}

void watch_release(struct watch *watch)
{
	free(watch->keys);
	free(watch->all);
}

/* --- Attributes ----------------------------------------------------------- */

/* Which resource or span an attribute is of, and what was found in it. */
struct look {
	const struct watch *watch;
	uint64_t *marks;
	bool of_span;
	uint64_t seen;			/* keys, of which it is the first */
};

static void mark_value(const struct look *look, const struct watched_key *key,
		       const struct weir_value *value)
{
	const struct policy *policy = key->first;

	for (; policy; policy = policy->beside)
		if (!is_set(look->marks, policy->mark) &&
		    policy_matches(policy, value, look->of_span))
			set(look->marks, policy->mark);
}

/* record: body of KeyValue, at least one key of its length is watched. */
static void look_at(struct look *look, weir_str name, weir_str record)
{
	const struct watch *watch = look->watch;
	uint8_t i = watch->by_length[slot_of_length(name.len)];
	/* the record as the only value of a map */
	struct field f;
	const uint8_t *p = (const uint8_t *)record.ptr, *end = p + record.len;
	struct weir_value value = { 0 };

	while (i != NO_KEY && !weir_str_eq(watch->keys[i].name, name))
		i = watch->keys[i].next;
	if (i == NO_KEY || look->seen >> i & 1)
		return;
	look->seen |= UINT64_C(1) << i;
	while ((p = next_field(p, end, &f)))
		if (f.tag == TAG_BYTES(2))
			value = weir_value_read(field_body(&f));
	mark_value(look, &watch->keys[i], &value);
}

/* KeyValue.key = 1, wherever it stands. */
static weir_str name_of(weir_str record)
{
	const uint8_t *p = (const uint8_t *)record.ptr, *end = p + record.len;
	weir_str name = WEIR_STR("");
	struct field f;

	while ((p = next_field(p, end, &f)))
		if (f.tag == TAG_BYTES(1))
			name = field_body(&f);
	return name;
}

/* f: a KeyValue. */
static void attribute(struct look *look, const struct field *f)
{
	weir_str name = name_of(field_body(f));

	if (look->watch->lengths >> slot_of_length(name.len) & 1)
		look_at(look, name, field_body(f));
}

/* Keys beyond WATCH_KEYS. */
static inline void look_for_rest(struct look *look, weir_str message,
				 uint32_t tag)
{
	const struct watch *watch = look->watch;
	struct weir_attribute_list list = { message, tag };
	struct weir_value value;

	for (size_t i = WATCH_KEYS; i < watch->n_keys; i++)
		if (weir_attribute_find(list, watch->keys[i].name, &value))
			mark_value(look, &watch->keys[i], &value);
}

void watch_resource(const struct watch *watch, weir_str resource,
		    uint64_t *marks)
{
	struct look look = { .watch = watch, .marks = marks };
	const uint8_t *p = (const uint8_t *)resource.ptr;
	const uint8_t *end = p + resource.len;
	struct field f;

	while (resource.len && (p = next_field(p, end, &f)))
		if (f.tag == RESOURCE_ATTRIBUTES)
			attribute(&look, &f);
	look_for_rest(&look, resource, RESOURCE_ATTRIBUTES);
}

/* --- Spans ---------------------------------------------------------------- */

struct facts {
	uint64_t start, end;		/* ns */
	uint64_t status, flags;
	weir_str state;
};

static uint64_t status_code(weir_str status)
{
	const uint8_t *p = (const uint8_t *)status.ptr, *end = p + status.len;
	uint64_t code = 0;
	struct field f;

	while ((p = next_field(p, end, &f)))
		if (f.tag == TAG(3, 0))		/* Status.code = 3 */
			code = f.value;
	return code;
}

static void read_field(const struct field *f, struct look *look,
		       struct facts *facts)
{
	switch (f->tag) {
	case SPAN_ATTRIBUTES:
		attribute(look, f);
		break;
	case TAG_BYTES(3):		/* trace_state */
		facts->state = field_body(f);
		break;
	case TAG(7, 1):			/* start_time_unix_nano */
		facts->start = f->value;
		break;
	case TAG(8, 1):			/* end_time_unix_nano */
		facts->end = f->value;
		break;
	case TAG_BYTES(15):		/* status */
		facts->status = status_code(field_body(f));
		break;
	case TAG(16, 5):		/* flags */
		facts->flags = f->value;
		break;
	}
}

/* Most fields are attributes with a short key in front, and most keys have a
 * length that no key has which is looked for: passed over four bytes at a time,
 * tag, length, tag of the key and its length. */
static inline const uint8_t *pass_attributes(const uint8_t *p,
					     const uint8_t *end,
					     uint64_t lengths)
{
	static const uint8_t plain[] = { SPAN_ATTRIBUTES, 0, TAG_BYTES(1), 0 };
	static const uint8_t fixed[] = { 0xff, 0x80, 0xff, 0 };
	uint32_t four, want, mask;

	memcpy(&want, plain, 4);
	memcpy(&mask, fixed, 4);
	while (end - p >= 4) {
		memcpy(&four, p, 4);
		if ((four & mask) != want || p[3] >= 63 ||
		    lengths >> p[3] & 1 || p[1] > end - p - 2)
			break;
		p += 2 + p[1];
	}
	return p;
}

/* What stands before the attributes, as every SDK writes it: passed over step
 * by step, without a look at what else it may be.  Ends where it is not so. */
static inline const uint8_t *pass_usual(const uint8_t *p, const uint8_t *end,
					struct facts *facts)
{
	if (end - p < 40)
		return p;
	if (p[0] == TAG_BYTES(1) && p[1] == 16)		/* trace_id */
		p += 18;
	if (p[0] == TAG_BYTES(2) && p[1] == 8)		/* span_id */
		p += 10;
	if (p[0] == TAG_BYTES(4) && p[1] == 8)		/* parent_span_id */
		p += 10;
	if (p[0] == TAG_BYTES(5) && p[1] < 0x80 && p[1] <= end - p - 2)
		p += 2 + p[1];				/* name */
	if (end - p < 20)
		return p;
	if (p[0] == TAG(6, 0) && p[1] < 0x80)		/* kind */
		p += 2;
	if (p[0] == TAG(7, 1) && p[9] == TAG(8, 1)) {
		get_fixed(p + 1, end, 8, &facts->start);
		get_fixed(p + 10, end, 8, &facts->end);
		p += 18;
	}
	return p;
}

static void read_fields(struct look *look, weir_str span, struct facts *facts)
{
	const uint8_t *p = (const uint8_t *)span.ptr, *end = p + span.len;
	uint64_t lengths = look->watch->lengths;
	struct field f;

	p = pass_attributes(pass_usual(p, end, facts), end, lengths);
	while ((p = next_field(p, end, &f))) {
		read_field(&f, look, facts);
		p = pass_attributes(p, end, lengths);
	}
}

static void mark_latency(const struct watch *watch, const struct facts *facts,
			 struct trace_times *times, uint64_t *marks)
{
	const struct policy *policy = watch->latency;

	if (!times->start || facts->start < times->start)
		times->start = facts->start;
	if (!times->end || facts->end > times->end)
		times->end = facts->end;
	for (; policy; policy = policy->beside)
		if (policy_takes_so_long(policy, times))
			set(marks, policy->mark);
}

static void mark_facts(const struct watch *watch, const struct facts *facts,
		       struct trace_times *times, uint64_t *marks)
{
	const struct policy *policy;

	if (watch->latency)
		mark_latency(watch, facts, times, marks);
	for (policy = watch->status; policy; policy = policy->beside)
		if (facts->status < 32 && policy->statuses >> facts->status & 1)
			set(marks, policy->mark);
	for (policy = watch->flags; policy; policy = policy->beside)
		if (facts->flags & 1)
			set(marks, policy->mark);
	for (policy = watch->state; policy && facts->state.ptr;
	     policy = policy->beside)
		if (!is_set(marks, policy->mark) &&
		    policy_state(policy, facts->state))
			set(marks, policy->mark);
}

static bool has_all(const struct watch *watch, const uint64_t *marks)
{
	for (size_t i = 0; i < watch_words(watch); i++)
		if (marks[i] != watch->all[i])
			return false;
	return true;
}

void watch_span(const struct watch *watch, weir_str span,
		struct trace_times *times, uint64_t *marks)
{
	struct look look = { .watch = watch, .marks = marks, .of_span = true };
	struct facts facts = { 0 };

	if (has_all(watch, marks))
		return;
	read_fields(&look, span, &facts);
	look_for_rest(&look, span, SPAN_ATTRIBUTES);
	mark_facts(watch, &facts, times, marks);
}
