/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs of stages against an oracle: stages that change at random what they
 * see give the same message as the same changes on a protobuf-c tree, and one
 * run of several gives the same bytes as each in a run of its own.
 */
#include <check.h>
#include "../../support/otlp_batch.h"
#include "../../support/seeds.h"
#include <stdio.h>

#include <otlp_common.pb-c.h>

#include "data/interest.h"
#include "data/run.h"
#include "data/walk.h"

#define SEEDS SEEDS_OF(4000)	/* of each signal */

/* --- What a stage does to an element, or the oracle to a tree -------------- */

struct model {
	enum weir_signal signal;
	enum weir_level level;
	struct weir_element *e;		/* NULL: the tree */
	ProtobufCMessage *outer, *own;	/* own NULL: absent */
	uint32_t attr_field;
};

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessage *m,
						uint32_t number)
{
	return protobuf_c_message_descriptor_get_field(m->descriptor, number);
}

#define AT(m, off, type) ((type *)(void *)((char *)(m) + (off)))

static void make_own(struct model *m)
{
	const ProtobufCFieldDescriptor *f;

	if (m->own)
		return;
	f = field_of(m->outer, 1);
	m->own = malloc(((const ProtobufCMessageDescriptor *)f->descriptor)
				->sizeof_message);
	((const ProtobufCMessageDescriptor *)f->descriptor)
		->message_init(m->own);
	*AT(m->outer, f->offset, ProtobufCMessage *) = m->own;
}

static size_t *n_of(struct model *m)
{
	return AT(m->own, field_of(m->own, m->attr_field)->quantifier_offset,
		  size_t);
}

static Otlp__KeyValue ***list_of(struct model *m)
{
	return AT(m->own, field_of(m->own, m->attr_field)->offset,
		  Otlp__KeyValue **);
}

static struct weir_attr *nth(struct model *m, size_t i)
{
	struct weir_attr *attr = weir_attr_next(m->e, NULL);

	while (i--)
		attr = weir_attr_next(m->e, attr);
	return attr;
}

static size_t count(struct model *m)
{
	struct weir_attr *attr = NULL;
	size_t n = 0;

	if (!m->e)
		return m->own ? *n_of(m) : 0;
	while ((attr = weir_attr_next(m->e, attr)))
		n++;
	return n;
}

static void remove_nth(struct model *m, size_t i)
{
	if (m->e) {
		weir_attr_remove(m->e, nth(m, i));
		return;
	}
	protobuf_c_message_free_unpacked(&(*list_of(m))[i]->base, NULL);
	memmove(*list_of(m) + i, *list_of(m) + i + 1,
		(--*n_of(m) - i) * sizeof(**list_of(m)));
}

static Otlp__AnyValue *tree_value(const struct weir_value *value)
{
	uint8_t bytes[256];
	size_t len = weir_value_size(value);

	ck_assert_uint_le(len, sizeof(bytes));
	ck_assert_ptr_eq(weir_value_write(value, bytes), bytes + len);
	return otlp__any_value__unpack(NULL, len, bytes);
}

static void replace_nth(struct model *m, size_t i,
			const struct weir_value *value)
{
	Otlp__KeyValue *kv;

	if (m->e) {
		weir_attr_replace(m->e, nth(m, i), value);
		return;
	}
	kv = (*list_of(m))[i];
	if (kv->value)
		otlp__any_value__free_unpacked(kv->value, NULL);
	kv->value = tree_value(value);
}

static void set_data(ProtobufCBinaryData *data, weir_str text)
{
	free(data->data);
	data->len = text.len;
	data->data = NULL;
	if (text.len) {
		data->data = malloc(text.len);
		memcpy(data->data, text.ptr, text.len);
	}
}

static void add(struct model *m, weir_str key, const struct weir_value *value)
{
	Otlp__KeyValue *kv;

	if (m->e) {
		weir_attr_add(m->e, key, value);
		return;
	}
	make_own(m);
	kv = malloc(sizeof(*kv));
	otlp__key_value__init(kv);
	set_data(&kv->key, key);
	kv->value = tree_value(value);
	*list_of(m) = realloc(*list_of(m),
			      (*n_of(m) + 1) * sizeof(**list_of(m)));
	(*list_of(m))[(*n_of(m))++] = kv;
}

/* Field number of a text, 0: not there. */
static uint32_t text_number(const struct model *m, enum weir_text_field text)
{
	static const struct {
		enum weir_level level;
		int signal;
		enum weir_text_field text;
		uint32_t number;
	} rows[] = {
		{ WEIR_LEVEL_RESOURCE, -1, WEIR_TEXT_SCHEMA_URL, 3 },
		{ WEIR_LEVEL_SCOPE, -1, WEIR_TEXT_SCHEMA_URL, 3 },
		{ WEIR_LEVEL_SCOPE, -1, WEIR_TEXT_NAME, 1 },
		{ WEIR_LEVEL_SCOPE, -1, WEIR_TEXT_VERSION, 2 },
		{ WEIR_LEVEL_METRIC, -1, WEIR_TEXT_NAME, 1 },
		{ WEIR_LEVEL_METRIC, -1, WEIR_TEXT_DESCRIPTION, 2 },
		{ WEIR_LEVEL_METRIC, -1, WEIR_TEXT_UNIT, 3 },
		{ WEIR_LEVEL_RECORD, WEIR_SIGNAL_TRACES, WEIR_TEXT_NAME, 5 },
		{ WEIR_LEVEL_RECORD, WEIR_SIGNAL_TRACES,
		  WEIR_TEXT_TRACE_STATE, 3 },
		{ WEIR_LEVEL_RECORD, WEIR_SIGNAL_TRACES,
		  WEIR_TEXT_STATUS_MESSAGE, 2 },
		{ WEIR_LEVEL_RECORD, WEIR_SIGNAL_LOGS, WEIR_TEXT_NAME, 12 },
		{ WEIR_LEVEL_RECORD, WEIR_SIGNAL_LOGS, WEIR_TEXT_SEVERITY, 3 },
		{ WEIR_LEVEL_EVENT, -1, WEIR_TEXT_NAME, 2 },
		{ WEIR_LEVEL_LINK, -1, WEIR_TEXT_TRACE_STATE, 3 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].level == m->level && rows[i].text == text &&
		    (rows[i].signal < 0 || rows[i].signal == (int)m->signal))
			return rows[i].number;
	return 0;
}

static void tree_text(ProtobufCMessage *m, uint32_t number, weir_str text)
{
	const ProtobufCFieldDescriptor *f = field_of(m, number);
	ProtobufCBinaryData *data = AT(m, f->offset, ProtobufCBinaryData);

	if (data->len == text.len &&
	    (!text.len || !memcmp(data->data, text.ptr, text.len)))
		return;
	set_data(data, text);
	if (f->label == PROTOBUF_C_LABEL_OPTIONAL)
		*AT(m, f->quantifier_offset, protobuf_c_boolean) = !!text.len;
}

/* Status, made when it is needed. */
static ProtobufCMessage *tree_status(ProtobufCMessage *span, bool make)
{
	const ProtobufCFieldDescriptor *f = field_of(span, 15);
	ProtobufCMessage **at = AT(span, f->offset, ProtobufCMessage *);
	const ProtobufCMessageDescriptor *d = f->descriptor;

	if (!*at && make) {
		*at = malloc(d->sizeof_message);
		d->message_init(*at);
	}
	return *at;
}

static void set_text(struct model *m, enum weir_text_field text, weir_str to)
{
	uint32_t number = text_number(m, text);

	if (m->e) {
		ck_assert_int_eq(weir_text_applies(m->e, text), number != 0);
		weir_text_set(m->e, text, to);
		ck_assert(!number ||
			  weir_str_eq(weir_text_get(m->e, text), to));
		return;
	}
	if (!number)
		return;
	if (text == WEIR_TEXT_SCHEMA_URL) {
		tree_text(m->outer, number, to);
		return;
	}
	if (to.len)
		make_own(m);
	if (text == WEIR_TEXT_STATUS_MESSAGE) {
		if (tree_status(m->own, to.len != 0))
			tree_text(tree_status(m->own, false), number, to);
	} else if (m->own) {
		tree_text(m->own, number, to);
	}
}

static void set_body(struct model *m, const struct weir_value *value)
{
	Otlp__AnyValue **at;

	if (m->e) {
		weir_body_set(m->e, value);
		return;
	}
	if (m->signal != WEIR_SIGNAL_LOGS || m->level != WEIR_LEVEL_RECORD)
		return;
	at = AT(m->own, field_of(m->own, 5)->offset, Otlp__AnyValue *);
	if (*at)
		otlp__any_value__free_unpacked(*at, NULL);
	*at = tree_value(value);
}

static weir_str random_text(struct gen *gen, char *out)
{
	size_t len = gen_one_in(gen, 4) ? gen_below(gen, 150) :
					  gen_below(gen, 8);

	for (size_t i = 0; i < len; i++)
		out[i] = (char)('a' + gen_below(gen, 26));
	return (weir_str){ out, len };
}

static struct weir_value random_value(struct gen *gen, char *text)
{
	struct weir_value value = { 0 };

	switch (gen_below(gen, 5)) {
	case 0:
		value.type = WEIR_VALUE_BOOL;
		value.boolean = gen_one_in(gen, 2);
		break;
	case 1:
		value.type = WEIR_VALUE_INT;
		value.integer = (int64_t)gen_next(gen);
		break;
	case 2:
		value.type = WEIR_VALUE_DOUBLE;
		value.real = (double)gen_below(gen, 1000) / 8;
		break;
	case 3:
		value.type = WEIR_VALUE_STRING;
		value.str = random_text(gen, text);
		break;
	}
	return value;
}

static void change_once(struct gen *gen, struct model *m)
{
	char a[160], b[160];
	uint32_t what = gen_below(gen, 8);
	struct weir_value value = random_value(gen, a);
	weir_str text = random_text(gen, b);
	size_t n = count(m), i = gen_below(gen, (uint32_t)n);

	if (what == 0 && n)
		remove_nth(m, i);
	else if (what == 1 && n)
		replace_nth(m, i, &value);
	else if (what == 2)
		add(m, text, &value);
	else if (what == 3)
		for (; n; n--)
			remove_nth(m, 0);
	else if (what == 4)
		set_body(m, &value);
	else if (what < 7)
		set_text(m, gen_below(gen, WEIR_TEXT_COUNT),
			 gen_one_in(gen, 3) ? (weir_str){ 0 } : text);
	memset(a, '!', sizeof(a));	/* what was given has been copied */
	memset(b, '!', sizeof(b));
}

static void change(struct gen *gen, struct model *m)
{
	for (uint32_t n = gen_below(gen, 5); n; n--)
		change_once(gen, m);
}

/* --- The stage ----------------------------------------------------------------- */

struct stage {
	struct weir_component base;
	struct gen gen;
	uint64_t seed;
	bool views;
};

static void want_all(struct weir_component *c, enum weir_signal signal,
		     struct weir_interest *interest)
{
	(void)c;
	(void)signal;
	weir_interest_always(interest, 0x7f);
}

static void look(struct weir_element *e)
{
	const struct weir_span *span = weir_element_span(e);
	const struct weir_log_record *log = weir_element_log(e);
	struct weir_value body;

	if (span)
		ck_assert(weir_str_eq(span->name,
				      weir_text_get(e, WEIR_TEXT_NAME)));
	if (log)
		ck_assert_int_eq(log->has_body, weir_body_get(e, &body));
	weir_element_metric(e);
	weir_element_scope(e);
	weir_element_point(e);
}

static uintptr_t on_element(struct weir_component *c, struct weir_element *e,
			    uintptr_t parent)
{
	struct stage *self = WEIR_SELF(c, struct stage);
	struct model m = { .signal = weir_element_signal(e),
			   .level = weir_element_level(e), .e = e };

	(void)parent;
	if (gen_one_in(&self->gen, 3))
		look(e);
	change(&self->gen, &m);
	if (gen_one_in(&self->gen, 3))
		look(e);
	return 0;
}

static const struct weir_plugin plugin = { .interest = want_all,
					   .enter = on_element,
					   .visit = on_element };

static void stage_init(struct stage *stage, uint64_t seed)
{
	*stage = (struct stage){ .base.plugin = &plugin, .gen = { seed },
				 .seed = seed };
}

/* --- The oracle --------------------------------------------------------------------- */

static void tree_change(struct gen *gen, struct model m)
{
	gen_next(gen);		/* where the stage throws for a look */
	change(gen, &m);
	gen_next(gen);
}

static ProtobufCMessage **children(ProtobufCMessage *m, uint32_t number,
				   size_t *n)
{
	const ProtobufCFieldDescriptor *f = m ? field_of(m, number) : NULL;

	*n = 0;
	if (!f)
		return NULL;
	*n = *AT(m, f->quantifier_offset, size_t);
	return *AT(m, f->offset, ProtobufCMessage **);
}

static void tree_list(struct gen *gen, struct model like,
		      ProtobufCMessage *parent, uint32_t number)
{
	size_t n;
	ProtobufCMessage **v = children(parent, number, &n);

	for (size_t i = 0; i < n; i++) {
		like.own = v[i];
		tree_change(gen, like);
	}
}

static void tree_points(struct gen *gen, ProtobufCMessage *metric)
{
	static const struct {
		uint32_t data, attrs, exemplars;
	} kinds[] = { { 5, 7, 5 }, { 7, 7, 5 }, { 9, 9, 8 }, { 10, 1, 11 },
		      { 11, 7, 0 } };
	struct model m = { .signal = WEIR_SIGNAL_METRICS,
			   .level = WEIR_LEVEL_RECORD };
	struct model exemplar = { .signal = WEIR_SIGNAL_METRICS,
				  .level = WEIR_LEVEL_EXEMPLAR,
				  .attr_field = 7 };

	for (size_t k = 0; k < 5; k++) {
		const ProtobufCFieldDescriptor *f =
			field_of(metric, kinds[k].data);
		ProtobufCMessage **v;
		size_t n;

		if (*AT(metric, f->quantifier_offset, uint32_t) != f->id)
			continue;
		v = children(*AT(metric, f->offset, ProtobufCMessage *), 1,
			     &n);
		for (size_t i = 0; i < n; i++) {
			m.attr_field = kinds[k].attrs;
			m.own = v[i];
			tree_change(gen, m);
			if (kinds[k].exemplars)
				tree_list(gen, exemplar, v[i],
					  kinds[k].exemplars);
		}
	}
}

static void tree_item(struct gen *gen, enum weir_signal signal,
		      ProtobufCMessage *item)
{
	struct model m = { .signal = signal, .level = WEIR_LEVEL_RECORD,
			   .own = item, .attr_field = 9 };

	if (signal == WEIR_SIGNAL_METRICS) {
		m.level = WEIR_LEVEL_METRIC;
		m.attr_field = 12;
		tree_change(gen, m);
		tree_points(gen, item);
	} else if (signal == WEIR_SIGNAL_LOGS) {
		m.attr_field = 6;
		tree_change(gen, m);
	} else {
		tree_change(gen, m);
		m.level = WEIR_LEVEL_EVENT;
		m.attr_field = 3;
		tree_list(gen, m, item, 11);
		m.level = WEIR_LEVEL_LINK;
		m.attr_field = 4;
		tree_list(gen, m, item, 13);
	}
}

static ProtobufCMessage *head_of(ProtobufCMessage *wrapper)
{
	return *AT(wrapper, field_of(wrapper, 1)->offset, ProtobufCMessage *);
}

static void tree_request(struct gen *gen, enum weir_signal signal,
			 ProtobufCMessage *request)
{
	size_t n, n_scopes, n_items;
	ProtobufCMessage **v = children(request, 1, &n);

	for (size_t i = 0; i < n; i++) {
		ProtobufCMessage **scopes = children(v[i], 2, &n_scopes);

		tree_change(gen, (struct model){ .signal = signal,
			.level = WEIR_LEVEL_RESOURCE, .outer = v[i],
			.own = head_of(v[i]), .attr_field = 1 });
		for (size_t j = 0; j < n_scopes; j++) {
			ProtobufCMessage **items =
				children(scopes[j], 2, &n_items);

			tree_change(gen, (struct model){ .signal = signal,
				.level = WEIR_LEVEL_SCOPE, .outer = scopes[j],
				.own = head_of(scopes[j]), .attr_field = 3 });
			for (size_t k = 0; k < n_items; k++)
				tree_item(gen, signal, items[k]);
		}
	}
}

static struct otlp_bytes oracle(enum weir_signal signal, uint64_t seed,
				const struct otlp_bytes *in)
{
	ProtobufCMessage *tree = protobuf_c_message_unpack(
		otlp_descriptor(signal), NULL, in->len, in->ptr);
	struct gen gen = { seed };
	struct otlp_bytes out = { 0 };

	ck_assert_ptr_nonnull(tree);
	tree_request(&gen, signal, tree);
	out.len = protobuf_c_message_get_packed_size(tree);
	out.ptr = malloc(out.len + 32);
	protobuf_c_message_pack(tree, out.ptr);
	protobuf_c_message_free_unpacked(tree, NULL);
	return out;
}

/* --- Tests ---------------------------------------------------------------------------- */

static void same(const struct otlp_bytes *a, const struct otlp_bytes *b,
		 const char *what, uint64_t seed)
{
	if (a->len == b->len && !memcmp(a->ptr, b->ptr, a->len))
		return;
	ck_abort_msg("%s, seed %llu: %s\nis not %s", what,
		     (unsigned long long)seed, otlp_hex(a->ptr, a->len),
		     otlp_hex(b->ptr, b->len));
}

static struct otlp_bytes apply(enum weir_signal signal,
			       struct weir_component *const *stages, size_t n,
			       const struct otlp_bytes *in)
{
	struct run *run = run_new(stages, n, signal);
	struct weir_batch *batch = otlp_batch(signal, in);
	struct otlp_bytes out;
	struct walk_result walked;

	run_apply(run, batch);
	out = otlp_batch_bytes(batch);
	walked = walk_request(signal, out.ptr, out.len, NULL, NULL);
	if (walked.verdict != WALK_CANONICAL)
		ck_abort_msg("not canonical: %s %s", walked.why,
			     otlp_hex(out.ptr, out.len));
	ck_assert_uint_eq(walked.items, in->items);
	batch_free(batch);
	run_free(&run);
	return out;
}

START_TEST(changes_as_the_same_changes_on_a_tree)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct gen_options options = { .records = 6, .unknown = seed & 1 };
		struct otlp_bytes in = otlp_gen(_i, seed, &options);
		struct otlp_bytes want = oracle(_i, seed * 77, &in);
		struct otlp_bytes want2 = otlp_repacked(_i, want.ptr, want.len);
		struct stage stage;
		struct weir_component *c = &stage.base;
		struct otlp_bytes out, packed;

		stage_init(&stage, seed * 77);
		out = apply(_i, &c, 1, &in);
		packed = otlp_repacked(_i, out.ptr, out.len);
		same(&packed, &want2, "tree", seed);
		otlp_bytes_free(&in);
		otlp_bytes_free(&want);
		otlp_bytes_free(&want2);
		otlp_bytes_free(&out);
		otlp_bytes_free(&packed);
	}
}
END_TEST

START_TEST(one_run_gives_the_bytes_of_its_stages_one_by_one)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct gen_options options = { .records = 5, .unknown = seed & 1 };
		struct otlp_bytes in = otlp_gen(_i, seed, &options);
		struct otlp_bytes together, step = otlp_bytes_copy(in.ptr,
							in.len, 3);
		struct stage stage[3];
		struct weir_component *c[3];

		step.items = in.items;
		for (uint64_t k = 0; k < 3; k++) {
			stage_init(&stage[k], seed * 3 + k);
			c[k] = &stage[k].base;
		}
		together = apply(_i, c, 3, &in);
		for (uint64_t k = 0; k < 3; k++) {
			struct otlp_bytes next;

			stage_init(&stage[k], seed * 3 + k);
			next = apply(_i, &c[k], 1, &step);
			otlp_bytes_free(&step);
			step = next;
		}
		same(&together, &step, "chain", seed);
		otlp_bytes_free(&in);
		otlp_bytes_free(&together);
		otlp_bytes_free(&step);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("run");
	TCase *tc = tcase_create("oracle");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 240);
	tcase_add_loop_test(tc, changes_as_the_same_changes_on_a_tree, 0,
			    WEIR_SIGNAL_COUNT);
	tcase_add_loop_test(tc,
			    one_run_gives_the_bytes_of_its_stages_one_by_one,
			    0, WEIR_SIGNAL_COUNT);
	suite_add_tcase(s, tc);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
