/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_edit: the input chooses a request and what a stage does to it; the
 * edited bytes must walk canonical and hold as many items as before.
 */
#include <stdlib.h>

#include "../support/otlp_batch.h"
#include "data/interest.h"
#include "data/run.h"
#include "data/walk.h"

struct stage {
	struct weir_component base;
	const uint8_t *p, *end;		/* what is left of the input */
};

static uint8_t next(struct stage *self)
{
	return self->p == self->end ? 0 : *self->p++;
}

static void want_all(struct weir_component *c, enum weir_signal signal,
		     struct weir_interest *interest)
{
	(void)c;
	(void)signal;
	weir_interest_always(interest, 0x7f);
}

static weir_str some_text(struct stage *self)
{
	size_t len = next(self);

	if (len > (size_t)(self->end - self->p))
		len = (size_t)(self->end - self->p);
	self->p += len;
	/* Text has to be UTF-8, as the walk saw to it. */
	for (size_t i = 0; i < len; i++)
		if ((uint8_t)self->p[(ptrdiff_t)i - (ptrdiff_t)len] & 0x80)
			return WEIR_STR("?");
	return (weir_str){ (const char *)self->p - len, len };
}

static enum weir_rewrite rewriter(void *arg, weir_str key, weir_str path,
				  struct weir_value *value)
{
	struct stage *self = arg;

	if (path.len < key.len)
		abort();
	switch (next(self) & 3) {
	case 0:
		return WEIR_KEEP;
	case 1:
		return WEIR_DESCEND;
	case 2:
		return WEIR_REMOVE;
	}
	*value = (struct weir_value){ .type = WEIR_VALUE_STRING,
				      .str = some_text(self) };
	return WEIR_REPLACE;
}

static struct weir_attr *some_attr(struct stage *self, struct weir_element *e)
{
	struct weir_attr *attr = weir_attr_next(e, NULL);

	for (unsigned n = next(self) & 7; n && attr; n--)
		attr = weir_attr_next(e, attr);
	return attr;
}

static void change(struct stage *self, struct weir_element *e, uint8_t what)
{
	struct weir_attr *attr = what < 3 ? some_attr(self, e) : NULL;
	struct weir_value value = { .type = WEIR_VALUE_STRING };

	switch (what) {
	case 0:
		if (attr)
			weir_attr_remove(e, attr);
		break;
	case 1:
		value.str = some_text(self);
		if (attr)
			weir_attr_replace(e, attr, &value);
		break;
	case 2:
		if (attr)
			value = attr->value;
		if (weir_value_rewrite(e, &value, rewriter, self))
			weir_attr_replace(e, attr, &value);
		break;
	case 3:
		value.str = some_text(self);
		weir_attr_add(e, value.str, &value);
		break;
	case 4:
		weir_text_set(e, next(self) % WEIR_TEXT_COUNT,
			      some_text(self));
		break;
	case 5:
		if (weir_body_get(e, &value) &&
		    !weir_value_rewrite(e, &value, rewriter, self))
			value = (struct weir_value){ .type = WEIR_VALUE_BOOL };
		weir_body_set(e, &value);
		break;
	}
}

static uintptr_t on_element(struct weir_component *c, struct weir_element *e,
			    uintptr_t parent)
{
	struct stage *self = WEIR_SELF(c, struct stage);

	for (unsigned n = next(self) & 3; n; n--)
		change(self, e, next(self) % 6);
	return parent;
}

static const struct weir_plugin plugin = { .interest = want_all,
					   .enter = on_element,
					   .visit = on_element };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gen_options options = { .records = 4, .unknown = true };
	struct stage stage = { .base.plugin = &plugin, .p = data,
			       .end = data + size };
	struct weir_component *c = &stage.base;
	enum weir_signal signal = next(&stage) % WEIR_SIGNAL_COUNT;
	uint64_t seed = next(&stage);
	struct otlp_bytes in = otlp_gen(signal, seed, &options), out;
	struct weir_batch *batch = otlp_batch(signal, &in);
	struct run *run = run_new(&c, 1, signal);
	struct walk_result r;

	run_apply(run, batch);
	out = otlp_batch_bytes(batch);
	r = walk_request(signal, out.ptr, out.len, NULL, NULL);
	if (r.verdict != WALK_CANONICAL || r.items != in.items ||
	    batch->items != in.items)
		abort();
	run_free(&run);
	batch_free(batch);
	otlp_bytes_free(&in);
	otlp_bytes_free(&out);
	return 0;
}
