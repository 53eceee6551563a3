/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sampler_box.h: items through one probabilistic sampler.
 *
 * An item is known again by its number, which is its span's name or its log
 * record's body.  What became of it: NULL when it was not kept, else a span's
 * trace state, or a log record's attributes as attr_case.h prints them.
 */
#ifndef TESTS_SAMPLER_BOX_H
#define TESTS_SAMPLER_BOX_H

#include "attr_case.h"

#define BOX_ITEMS 512

struct box_item {
	uint8_t id[16];
	bool has_id;
	const char *state;		/* NULL: none */
	struct weir_text attributes;	/* fields: box_attribute */
};

struct box {
	struct weir_test *test;
	enum weir_signal signal;
	char *kept[BOX_ITEMS];
	size_t n_kept;
};

/* --- Items -------------------------------------------------------------------- */

static void box_field(struct weir_text *out, unsigned field, const void *ptr,
		      size_t len)
{
	struct bytes head = { .len = 0 };

	put_varint(&head, field << 3 | 2);
	put_varint(&head, len);
	weir_text_add(out, (weir_str){ (char *)head.v, head.len });
	weir_text_add(out, (weir_str){ ptr, len });
}

static void box_attribute(enum weir_signal signal, struct box_item *item,
			  const char *key, const struct weir_value *value)
{
	struct weir_text pair = { 0 };
	size_t len = weir_value_size(value);
	uint8_t *body = malloc(len + 1);

	weir_value_write(value, body);
	box_field(&pair, 1, key, strlen(key));
	box_field(&pair, 2, body, len);
	box_field(&item->attributes, signal == WEIR_SIGNAL_TRACES ? 9 : 6,
		  pair.ptr, pair.len);
	free(body);
	weir_text_release(&pair);
}

static inline void box_id(struct box_item *item, const char *hex)
{
	item->has_id = *hex;
	for (size_t i = 0; *hex && i < 16; i++) {
		unsigned byte;

		ck_assert_int_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
		item->id[i] = (uint8_t)byte;
	}
}

static void box_span(const struct box_item *item, size_t number,
		     struct weir_text *out)
{
	char name[24];

	snprintf(name, sizeof(name), "%zu", number);
	if (item->has_id)
		box_field(out, 1, item->id, 16);
	if (item->state && *item->state)
		box_field(out, 3, item->state, strlen(item->state));
	box_field(out, 5, name, strlen(name));
	weir_text_add(out, (weir_str){ item->attributes.ptr,
				       item->attributes.len });
}

static void box_log(const struct box_item *item, size_t number,
		    struct weir_text *out)
{
	struct weir_value value = { WEIR_VALUE_INT,
				    .integer = (int64_t)number };
	uint8_t body[16];

	weir_value_write(&value, body);
	box_field(out, 5, body, weir_value_size(&value));
	weir_text_add(out, (weir_str){ item->attributes.ptr,
				       item->attributes.len });
	if (item->has_id)
		box_field(out, 9, item->id, 16);
}

/* --- The box ------------------------------------------------------------------ */

static struct box box_open(enum weir_signal signal, const char *yaml)
{
	struct box box = { .signal = signal };
	struct weir_error error = { .text = "" };

	box.test = weir_test_open(plugin_path("probabilistic_sampler"), yaml,
				  1u << signal, &error);
	ck_assert_msg(box.test != NULL, "%s: %s", yaml, error.text);
	ck_assert_msg(!weir_test_start(box.test, &error), "%s", error.text);
	return box;
}

static char *box_copy(weir_str text)
{
	char *copy = calloc(1, text.len + 1);

	if (text.len)
		memcpy(copy, text.ptr, text.len);
	return copy;
}

static void box_saw(struct box *box, weir_str message)
{
	struct weir_log_record log;
	struct weir_text text = { 0 };
	struct weir_span span;
	size_t number;

	if (box->signal == WEIR_SIGNAL_TRACES) {
		weir_span_read(message, &span);
		for (size_t i = number = 0; i < span.name.len; i++)
			number = 10 * number + (size_t)(span.name.ptr[i] - '0');
		weir_text_add(&text, span.trace_state);
	} else {
		weir_log_read(message, &log);
		number = (size_t)log.body.integer;
		show_attributes("", log.attributes, &text);
	}
	ck_assert_uint_lt(number, BOX_ITEMS);
	ck_assert_ptr_null(box->kept[number]);
	box->kept[number] = box_copy((weir_str){ text.ptr, text.len });
	box->n_kept++;
	weir_text_release(&text);
}

static void box_read(struct box *box)
{
	size_t n = weir_test_passed(box->test), items = 0;

	for (size_t i = 0; i < n; i++) {
		struct weir_message_cursor a = weir_messages(
			weir_test_bytes(box->test, i), 1), b, c;

		items += weir_test_items(box->test, i);
		while (weir_message_next(&a))
			for (b = weir_messages(a.message, 2);
			     weir_message_next(&b); )
				for (c = weir_messages(b.message, 2);
				     weir_message_next(&c); )
					box_saw(box, c.message);
	}
	ck_assert_uint_eq(items, box->n_kept);
}

/* Sends them as one request, once. */
static void box_send(struct box *box, const struct box_item *items, size_t n)
{
	struct weir_text scope = { 0 }, wrapper = { 0 }, request = { 0 };
	struct weir_outcome outcome;
	int number;

	ck_assert_uint_le(n, BOX_ITEMS);
	for (size_t i = 0; i < n; i++) {
		struct weir_text item = { 0 };

		(box->signal == WEIR_SIGNAL_TRACES ? box_span : box_log)(
			&items[i], i, &item);
		box_field(&scope, 2, item.ptr, item.len);
		weir_text_release(&item);
	}
	box_field(&wrapper, 2, scope.ptr, scope.len);
	box_field(&request, 1, wrapper.ptr, wrapper.len);
	number = weir_test_send(box->test, box->signal, request.ptr,
				request.len, &outcome);
	ck_assert_msg(number >= 0, "%s", outcome.text);
	weir_test_run(box->test);
	ck_assert(weir_test_answer(box->test, number, &outcome));
	ck_assert_int_eq(outcome.status, WEIR_OK);
	box_read(box);
	weir_text_release(&scope);
	weir_text_release(&wrapper);
	weir_text_release(&request);
}

static void box_close(struct box *box)
{
	struct weir_error error;

	for (size_t i = 0; i < BOX_ITEMS; i++)
		free(box->kept[i]);
	weir_test_stop(box->test);
	ck_assert_msg(!weir_test_close(&box->test, &error), "%s", error.text);
}

#endif
