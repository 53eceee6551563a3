/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_long.h: long values through the redaction processor.
 */
#ifndef TESTS_REDACT_LONG_H
#define TESTS_REDACT_LONG_H

#include "attr_case.h"

#define LONG (1 << 20)

static void wrap(struct weir_text *text, uint8_t tag, weir_str before)
{
	struct weir_text inner = *text;
	struct bytes head = { .len = 0 };

	*text = (struct weir_text){ 0 };
	put_byte(&head, tag);
	put_varint(&head, inner.len);
	weir_text_add(text, before);
	weir_text_add(text, (weir_str){ (char *)head.v, head.len });
	weir_text_add(text, (weir_str){ inner.ptr, inner.len });
	weir_text_release(&inner);
}

/* One span with n times the same long attribute.  Fills *out with the request
 * that comes out; returns what was counted. */
static double redacted_times(const char *yaml, weir_str value, unsigned n,
			     struct weir_text *out)
{
	struct weir_error error = { .text = "" };
	struct weir_test *t = weir_test_open(plugin_path("redaction"), yaml,
					     WEIR_TRACES, &error);
	struct weir_text text = { 0 };
	struct weir_outcome outcome;
	double removed;

	ck_assert_msg(t != NULL, "%s: %s", yaml, error.text);
	ck_assert(!weir_test_start(t, &error));
	weir_text_add(&text, value);
	wrap(&text, 0x0a, WEIR_STR(""));		/* string */
	wrap(&text, 0x12, WEIR_STR("\x0a\x01k"));	/* value behind a key */
	wrap(&text, 0x4a, WEIR_STR(""));		/* attribute */
	weir_text_clear(out);
	weir_text_add(out, (weir_str){ text.ptr, text.len });
	for (unsigned i = 1; i < n; i++)
		weir_text_add(&text, (weir_str){ out->ptr, out->len });
	wrap(&text, 0x12, WEIR_STR(""));		/* span */
	wrap(&text, 0x12, WEIR_STR(""));		/* scope, resource */
	wrap(&text, 0x0a, WEIR_STR(""));
	ck_assert_int_ge(weir_test_send(t, WEIR_SIGNAL_TRACES, text.ptr,
					text.len, &outcome), 0);
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	weir_text_clear(out);
	weir_text_add(out, weir_test_bytes(t, 0));
	removed = weir_test_metric(t, "weir_redaction_removed");
	weir_text_release(&text);
	weir_test_stop(t);
	ck_assert(!weir_test_close(&t, &error));
	return removed;
}

static inline double redacted(const char *yaml, weir_str value,
			      struct weir_text *out)
{
	return redacted_times(yaml, value, 1, out);
}

static inline void repeat(struct weir_text *text, const char *what)
{
	weir_text_clear(text);
	while (text->len < LONG)
		weir_text_add(text, weir_str_of(what));
}

static inline bool is_in(const struct weir_text *text, const char *what)
{
	return memmem(text->ptr, text->len, what, strlen(what)) != NULL;
}

#endif
