/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attr_case.h: requests with one record, written and read as a line of text,
 * for tests of attribute processors.
 *
 *	record "k=s:text n=i:5 b=b:1 d=d:1.5 y=y:raw e=e: l=l[s:x,i:2] m=m{a=s:1}"
 *
 * A blank ends an attribute; inside of lists and maps it is a comma.  What
 * comes out is printed the same way, part by part: "resource{r=s:1} record{}".
 */
#ifndef TESTS_ATTR_CASE_H
#define TESTS_ATTR_CASE_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weir/testing.h>

struct request {
	const char *resource, *scope, *record, *event, *link;
	const char *name, *status, *trace_state, *scope_name, *scope_version;
	const char *body;		/* a value: "s:text" */
	int kind, severity;
	const char *severity_text;
};

/* --- Writing --------------------------------------------------------------- */

struct bytes {
	uint8_t v[8192];
	size_t len;
};

static void put_byte(struct bytes *b, uint8_t c)
{
	ck_assert_uint_lt(b->len, sizeof(b->v));
	b->v[b->len++] = c;
}

static void put_varint(struct bytes *b, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		put_byte(b, (uint8_t)(n | 0x80));
	put_byte(b, (uint8_t)n);
}

static void put_field(struct bytes *b, unsigned field, const void *ptr,
		      size_t len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, len);
	ck_assert_uint_lt(b->len + len, sizeof(b->v));
	memcpy(b->v + b->len, ptr, len);
	b->len += len;
}

static void put_text(struct bytes *b, unsigned field, const char *text)
{
	if (text)
		put_field(b, field, text, strlen(text));
}

static const char *read_value(const char *p, struct bytes *out,
			      const char *ends);

/* key=value */
static const char *read_pair(const char *p, struct bytes *out,
			     const char *ends)
{
	const char *eq = strchr(p, '=');
	struct bytes value = { .len = 0 };

	ck_assert_ptr_nonnull(eq);
	put_field(out, 1, p, (size_t)(eq - p));
	p = read_value(eq + 1, &value, ends);
	put_field(out, 2, value.v, value.len);
	return p;
}

static const char *read_items(const char *p, struct bytes *out, char close)
{
	while (*p != close) {
		struct bytes item = { .len = 0 };

		p = (close == '}' ? read_pair : read_value)(p, &item, ",]}");
		put_field(out, 1, item.v, item.len);
		p += *p == ',';
	}
	return p + 1;
}

/* t:text, l[...] or m{...}; the body of an AnyValue.  ends: what ends text, but
 * that of j:, a string, ends behind the next semicolon. */
static const char *read_value(const char *p, struct bytes *out,
			      const char *ends)
{
	size_t n = strcspn(p + 2, ends);
	struct weir_value v = { .type = WEIR_VALUE_EMPTY };
	struct bytes items = { .len = 0 };

	switch (*p) {
	case 'j':
		n = strcspn(p + 2, ";");
		put_field(out, 1, p + 2, n);
		return p + 3 + n;
	case 'l':
		p = read_items(p + 2, &items, ']');
		put_field(out, 5, items.v, items.len);
		return p;
	case 'm':
		p = read_items(p + 2, &items, '}');
		put_field(out, 6, items.v, items.len);
		return p;
	case 's': v.type = WEIR_VALUE_STRING; break;
	case 'y': v.type = WEIR_VALUE_BYTES; break;
	case 'i': v.type = WEIR_VALUE_INT; break;
	case 'b': v.type = WEIR_VALUE_BOOL; break;
	case 'd': v.type = WEIR_VALUE_DOUBLE; break;
	}
	if (*p == 's' || *p == 'y')
		v.str = (weir_str){ p + 2, n };
	else if (*p == 'i')
		v.integer = strtoll(p + 2, NULL, 10);
	else if (*p == 'b')
		v.boolean = p[2] == '1';
	else if (*p == 'd')
		v.real = strtod(p + 2, NULL);
	out->len = (size_t)(weir_value_write(&v, out->v + out->len) - out->v);
	return p + 2 + n;
}

static void put_attributes(struct bytes *out, unsigned field, const char *text)
{
	while (text && *text) {
		struct bytes pair = { .len = 0 };

		text = read_pair(text, &pair, " ");
		put_field(out, field, pair.v, pair.len);
		text += *text == ' ';
	}
}

static void write_span(const struct request *r, struct bytes *out)
{
	struct bytes part = { .len = 0 };

	put_field(out, 1, "0123456789abcdef", 16);
	put_field(out, 2, "01234567", 8);
	put_text(out, 3, r->trace_state);
	put_text(out, 5, r->name);
	if (r->kind) {
		put_byte(out, 6 << 3);
		put_varint(out, (uint64_t)r->kind);
	}
	put_attributes(out, 9, r->record);
	if (r->event) {
		put_attributes(&part, 3, r->event);
		put_field(out, 11, part.v, part.len);
	}
	if (r->link) {
		part.len = 0;
		put_attributes(&part, 4, r->link);
		put_field(out, 13, part.v, part.len);
	}
	if (r->status) {
		part.len = 0;
		put_text(&part, 2, r->status);
		put_field(out, 15, part.v, part.len);
	}
}

static void write_log(const struct request *r, struct bytes *out)
{
	struct bytes body = { .len = 0 };

	if (r->severity) {
		put_byte(out, 2 << 3);
		put_varint(out, (uint64_t)r->severity);
	}
	put_text(out, 3, r->severity_text);
	if (r->body) {
		read_value(r->body, &body, "");
		put_field(out, 5, body.v, body.len);
	}
	put_attributes(out, 6, r->record);
}

/* A gauge with one point. */
static void write_metric(const struct request *r, struct bytes *out)
{
	struct bytes point = { .len = 0 }, gauge = { .len = 0 };

	put_attributes(&point, 7, r->record);
	put_field(&gauge, 1, point.v, point.len);
	put_text(out, 1, r->name);
	put_field(out, 5, gauge.v, gauge.len);
}

static void write_request(enum weir_signal signal, const struct request *r,
			  struct bytes *out)
{
	struct bytes record = { .len = 0 }, scope = { .len = 0 };
	struct bytes part = { .len = 0 }, wrapper = { .len = 0 };

	if (signal == WEIR_SIGNAL_TRACES)
		write_span(r, &record);
	else if (signal == WEIR_SIGNAL_LOGS)
		write_log(r, &record);
	else
		write_metric(r, &record);
	if (r->scope || r->scope_name) {
		put_text(&part, 1, r->scope_name);
		put_text(&part, 2, r->scope_version);
		put_attributes(&part, 3, r->scope);
		put_field(&scope, 1, part.v, part.len);
	}
	put_field(&scope, 2, record.v, record.len);
	if (r->resource) {
		part.len = 0;
		put_attributes(&part, 1, r->resource);
		put_field(&wrapper, 1, part.v, part.len);
	}
	put_field(&wrapper, 2, scope.v, scope.len);
	put_field(out, 1, wrapper.v, wrapper.len);
}

/* --- Reading ------------------------------------------------------------------ */

static void show_value(const struct weir_value *v, struct weir_text *out);

static void show_items(const struct weir_value *v, struct weir_text *out)
{
	struct weir_value_cursor cur = weir_value_items(v);
	const char *between = "";

	while (weir_value_next(&cur)) {
		weir_text_addf(out, "%s", between);
		if (v->type == WEIR_VALUE_MAP)
			weir_text_addf(out, "%.*s=",
				       WEIR_STR_FMT(cur.item.key));
		show_value(&cur.item.value, out);
		between = ",";
	}
}

static void show_value(const struct weir_value *v, struct weir_text *out)
{
	switch (v->type) {
	case WEIR_VALUE_LIST:
		weir_text_addf(out, "l[");
		show_items(v, out);
		weir_text_addf(out, "]");
		return;
	case WEIR_VALUE_MAP:
		weir_text_addf(out, "m{");
		show_items(v, out);
		weir_text_addf(out, "}");
		return;
	case WEIR_VALUE_STRING:
	case WEIR_VALUE_BYTES:
		weir_text_addf(out, "%c:%.*s",
			       v->type == WEIR_VALUE_STRING ? 's' : 'y',
			       WEIR_STR_FMT(v->str));
		return;
	case WEIR_VALUE_INT:
		weir_text_addf(out, "i:%lld", (long long)v->integer);
		return;
	case WEIR_VALUE_BOOL:
		weir_text_addf(out, "b:%d", v->boolean);
		return;
	case WEIR_VALUE_DOUBLE:
		weir_text_addf(out, "d:%.17g", v->real);
		return;
	default:
		weir_text_addf(out, "e:");
	}
}

static void show_attributes(const char *part, struct weir_attribute_list list,
			    struct weir_text *out)
{
	struct weir_value_cursor cur = weir_attributes(list);
	const char *between = "";

	weir_text_addf(out, "%s%s{", out->len ? " " : "", part);
	while (weir_value_next(&cur)) {
		weir_text_addf(out, "%s%.*s=", between,
			       WEIR_STR_FMT(cur.item.key));
		show_value(&cur.item.value, out);
		between = " ";
	}
	weir_text_addf(out, "}");
}

static void show_text(const char *part, weir_str text, struct weir_text *out)
{
	if (text.len)
		weir_text_addf(out, " %s=%.*s", part, WEIR_STR_FMT(text));
}

static void show_span(weir_str message, struct weir_text *out)
{
	struct weir_message_cursor cur;
	struct weir_span span;

	weir_span_read(message, &span);
	show_attributes("record", span.attributes, out);
	show_text("name", span.name, out);
	show_text("status", span.status_message, out);
	show_text("trace_state", span.trace_state, out);
	for (cur = weir_events(&span); weir_message_next(&cur); ) {
		struct weir_event event;

		weir_event_read(cur.message, &event);
		show_attributes("event", event.attributes, out);
	}
	for (cur = weir_links(&span); weir_message_next(&cur); ) {
		struct weir_link link;

		weir_link_read(cur.message, &link);
		show_attributes("link", link.attributes, out);
	}
}

static void show_log(weir_str message, struct weir_text *out)
{
	struct weir_log_record log;

	weir_log_read(message, &log);
	show_attributes("record", log.attributes, out);
	if (log.has_body) {
		weir_text_addf(out, " body=");
		show_value(&log.body, out);
	}
}

static void show_metric(weir_str message, struct weir_text *out)
{
	struct weir_metric_view metric;
	struct weir_message_cursor cur;

	weir_metric_read(message, &metric);
	for (cur = weir_points(&metric); weir_message_next(&cur); ) {
		struct weir_point point;

		weir_point_read(cur.message, metric.data, &point);
		show_attributes("record", point.attributes, out);
	}
}

static void show_request(enum weir_signal signal, weir_str bytes,
			 struct weir_text *out)
{
	struct weir_message_cursor a = weir_messages(bytes, 1), b, c;
	struct weir_resource resource;
	struct weir_scope scope;

	while (weir_message_next(&a)) {
		weir_resource_read(a.message, &resource);
		if (resource.present)
			show_attributes("resource", resource.attributes, out);
		for (b = weir_messages(a.message, 2); weir_message_next(&b); ) {
			weir_scope_read(b.message, &scope);
			if (scope.present)
				show_attributes("scope", scope.attributes, out);
			for (c = weir_messages(b.message, 2);
			     weir_message_next(&c); )
				(signal == WEIR_SIGNAL_TRACES ? show_span :
				 signal == WEIR_SIGNAL_LOGS ? show_log :
				 show_metric)(c.message, out);
		}
	}
}

/* --- Running -------------------------------------------------------------------- */

static const char *plugin_path(const char *type)
{
	static char path[4096];
	const char *build = getenv("WEIR_BUILD");

	snprintf(path, sizeof(path), "%s/plugins/processors/%s.so",
		 build ? build : "build", type);
	return path;
}

/* Opens the processor with that YAML, sends the request, compares. */
static inline void expect_case(const char *type, const char *yaml,
			       enum weir_signal signal,
			       const struct request *r, const char *want)
{
	struct weir_error error = { .text = "" };
	struct weir_test *t = weir_test_open(plugin_path(type), yaml,
					     1u << signal, &error);
	const char *const metadata[] = { "x-tenant=acme", "x-tenant=b" };
	struct weir_outcome outcome;
	struct bytes bytes = { .len = 0 };
	struct weir_text got = { 0 };

	ck_assert_msg(t != NULL, "%s: %s", yaml, error.text);
	ck_assert_msg(!weir_test_start(t, &error), "%s", error.text);
	weir_test_context(t, "192.0.2.1:4711", metadata, 2);
	write_request(signal, r, &bytes);
	ck_assert_int_ge(weir_test_send(t, signal, bytes.v, bytes.len,
					&outcome), 0);
	weir_test_run(t);
	ck_assert_uint_eq(weir_test_passed(t), 1);
	show_request(signal, weir_test_bytes(t, 0), &got);
	weir_text_add(&got, (weir_str){ "", 1 });
	ck_assert_str_eq(got.ptr, want);
	weir_text_release(&got);
	weir_test_stop(t);
	ck_assert_msg(!weir_test_close(&t, &error), "%s", error.text);
}

/* Opens the processor and expects that it is refused with that sentence. */
static inline void expect_refused(const char *type, const char *yaml,
				  uint32_t signals, const char *path,
				  const char *sentence)
{
	struct weir_error error = { .text = "" };
	struct weir_test *t = weir_test_open(plugin_path(type), yaml, signals,
					     &error);

	ck_assert_msg(t == NULL, "was taken: %s", yaml);
	ck_assert_str_eq(error.text, sentence);
	if (path)
		ck_assert_msg(strstr(error.path, path) != NULL, "path %s",
			      error.path);
}

#define EACH(t, rows) tcase_add_loop_test(c, t, 0, \
		(int)(sizeof(rows) / sizeof(*(rows))))

#endif
