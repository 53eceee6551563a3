/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_yaml: any bytes as a configuration, bound to a table with a row of every
 * type.  Ends with a struct or a sentence; never a crash, a leak or a runaway.
 */
#include "bind.h"
#include "log.h"

#include <assert.h>
#include <stdlib.h>

struct part {
	weir_str name;
	int64_t weight;
	struct weir_strs tags;
};

static const struct weir_field part_rows[] = {
	WEIR_FIELD(struct part, name, NULL, "Name.", .flags = WEIR_REQUIRED),
	WEIR_FIELD(struct part, weight, "3", "Weight."),
	WEIR_FIELD(struct part, tags, "[a]", "Tags."),
	WEIR_END
};

struct inner {
	bool enabled;
	uint32_t size;
	weir_duration timeout;
};

static const struct weir_field inner_rows[] = {
	WEIR_FIELD(struct inner, size, "10", "Size."),
	WEIR_FIELD(struct inner, timeout, "5s", "Time."),
	WEIR_END
};

struct all {
	bool a;
	int64_t b;
	uint32_t c;
	uint64_t d;
	double e;
	weir_str f, g;
	weir_secret h;
	weir_duration i;
	weir_size j;
	struct weir_strs k;
	struct weir_pairs l;
	const struct weir_node *m;
	struct inner n, o, p;
	struct weir_list q;
	struct inner r;
};

static const struct weir_field rows[] = {
	WEIR_FIELD(struct all, a, "true", "Bool."),
	WEIR_FIELD(struct all, b, "1", "Int."),
	WEIR_FIELD(struct all, c, NULL, "Uint32."),
	WEIR_FIELD(struct all, d, NULL, "Uint64."),
	WEIR_FIELD(struct all, e, NULL, "Double."),
	WEIR_FIELD(struct all, f, "x", "Text."),
	WEIR_FIELD(struct all, g, "yes", "Choice.", .choices = "yes no"),
	WEIR_FIELD(struct all, h, NULL, "Secret."),
	WEIR_FIELD(struct all, i, "1s", "Duration."),
	WEIR_FIELD(struct all, j, "4MB", "Size."),
	WEIR_FIELD(struct all, k, NULL, "List."),
	WEIR_FIELD(struct all, l, NULL, "Headers."),
	WEIR_FIELD(struct all, m, NULL, "Any."),
	WEIR_OPTIONAL(struct all, n, inner_rows, WEIR_BLOCK_DEFAULT, "Block."),
	WEIR_OPTIONAL(struct all, o, inner_rows, WEIR_BLOCK_ON, "Block."),
	WEIR_OPTIONAL(struct all, p, inner_rows, WEIR_BLOCK_NONE, "Block."),
	WEIR_LIST(struct all, q, struct part, part_rows, "Blocks."),
	WEIR_INCLUDE(struct all, r, inner_rows),
	WEIR_FIELD_IGNORED("s", "Nothing."),
	WEIR_END
};

static void be_quiet(void)
{
	static bool done;
	weir_str none[] = { WEIR_STR("/dev/null") };
	struct log_options options = { .paths = { none, 1 },
				       .level = WEIR_STR("fatal") };
	struct weir_error error;

	if (!done && log_setup(&options, &error))
		abort();
	done = true;
	setenv("A", "${B}${B}", 1);
	setenv("B", "[1, {x: '${C}'}]", 1);
	setenv("C", "0x1f", 1);
	setenv("D", "${D}", 1);
	setenv("E", "&a [*a]", 1);
}

/* Every value that a plugin could come across; returns how many. */
static size_t visit(const struct weir_node *node, unsigned depth)
{
	size_t n = 1;

	assert(depth <= TREE_MAX_DEPTH);
	(void)weir_node_bool(node);
	(void)weir_node_int(node);
	(void)weir_node_double(node);
	(void)weir_node_text(node);
	for (size_t i = 0; i < weir_node_len(node); i++) {
		(void)weir_node_key(node, i);
		n += visit(weir_node_at(node, i), depth + 1);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	weir_str text = { (const char *)data, size };
	struct arena arena = { 0 };
	struct weir_error error = { 0 };
	struct all all = { 0 };
	struct weir_node *node;
	weir_duration duration;
	weir_size bytes;

	be_quiet();
	bind_duration(text, &duration);
	bind_size(text, &bytes);
	node = tree_parse(&arena, "fuzz", text, &error);
	if (!node) {
		assert(error.text[0]);
	} else {
		assert(visit(node, 0) <= TREE_MAX_NODES + 1);
		(void)tree_at(node, "q[0].tags[1]");
		if (bind_fields(&arena, rows, &all, node, "x", &error))
			assert(error.text[0] && error.line);
	}
	arena_release(&arena);
	return 0;
}
