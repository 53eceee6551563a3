/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_yaml: any bytes as sources of a configuration: several files and --set
 * over each other, references into an environment and files that are made up;
 * bound to a table with a row of every type.  Ends with a struct
 * or a sentence; never a crash, a leak or a runaway.  The parts of an input
 * are set apart by a line "%%"; one that begins with "=" is of --set, one with
 * "@" a URI, and one with "+" joins lists.
 */
#include "config/bind.h"
#include "base/log.h"

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
}

/* --- a world of its own ------------------------------------------------------ */

static const char *variable(const char *name)
{
	static const char *const values[] = {
		['A'] = "${B}${B}", ['B'] = "[1, {x: '${C}'}]", ['C'] = "0x1f",
		['D'] = "${D}", ['E'] = "&a [*a]", ['F'] = "{a::b: 1}",
		['G'] = "", ['H'] = "'5'", ['I'] = "{1: 2}", ['J'] = "$$",
	};
	unsigned char c = (unsigned char)*name;

	return !name[1] && c < sizeof(values) / sizeof(*values) ? values[c]
								 : NULL;
}

static int file(struct arena *arena, const char *path, weir_str *text,
		struct weir_error *why)
{
	if (strcmp(path, "f"))
		return weir_fail(why, "", "no such file");
	*text = arena_str(arena, WEIR_STR("a: ${A}\nb: [${file:f}]\n"));
	return 0;
}

static const struct tree_world world = { variable, file };

#define SOURCES_MAX 16

/* The input's parts as sources; the names of files are URIs of inline text. */
static void take_apart(struct arena *arena, weir_str text,
		       struct tree_source *sources,
		       struct tree_request *request)
{
	while (text.len && request->n < SOURCES_MAX) {
		const char *mark = memmem(text.ptr, text.len, "\n%%\n", 4);
		size_t len = mark ? (size_t)(mark - text.ptr) : text.len;
		weir_str part = { text.ptr, len };
		char sort = part.len ? *part.ptr : 0;
		bool marked = sort == '=' || sort == '@';

		if (sort == '+') {
			request->append = true;
			part.ptr++;
			part.len--;
		}
		part.ptr += marked;
		part.len -= marked;
		sources[request->n].set = sort == '=';
		sources[request->n++].text =
			arena_printf(arena, "%s%.*s", marked ? "" : "yaml:",
				     WEIR_STR_FMT(part));
		len += mark ? 4 : 0;
		text.ptr += len;
		text.len -= len;
	}
	request->sources = sources;
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
	struct tree_source sources[SOURCES_MAX];
	struct tree_request request = { .world = &world };
	struct arena arena = { 0 };
	struct weir_error error = { 0 };
	struct all all = { 0 };
	struct weir_node *node;
	weir_duration duration;
	weir_size bytes;

	be_quiet();
	bind_duration(text, &duration);
	bind_size(text, &bytes);
	node = tree_parse_raw(&arena, "fuzz", text, &error);
	assert(node || error.text[0]);
	take_apart(&arena, text, sources, &request);
	error = (struct weir_error){ 0 };
	node = request.n ? tree_load(&arena, &request, &error) : NULL;
	if (!node && request.n) {
		assert(error.text[0]);
	} else if (node) {
		assert(visit(node, 0) <= TREE_MAX_NODES + 1);
		(void)tree_at(node, "q[0].tags[1]");
		if (bind_fields(&arena, rows, &all, node, "x", &error))
			assert(error.text[0] && error.line);
	}
	arena_release(&arena);
	return 0;
}
