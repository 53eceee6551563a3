/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_expand.c: ${references} in values.
 *
 * A value that is one reference becomes whatever YAML the referred text is; a
 * reference inside other text is replaced by the raw text.  What came in is
 * expanded again, inside-out, until nothing changes.  `$$` is `$`; an odd
 * number of `$` before `${` makes that one literal, and those behind it are
 * looked at.  Map keys are never expanded.  Values of the environment are
 * never printed.
 */
#include "tree.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS_MAX 1000

struct expansion {
	struct arena *arena;
	const struct tree_world *world;
	struct weir_error *error;
	unsigned rounds;	/* left for the value at hand */
	size_t bytes;		/* that references brought in, all together */
	uint32_t nodes;
	unsigned depth;
	unsigned lists;		/* around the value at hand */
};

static int expand_node(struct expansion *x, struct weir_node *node);

/* --- finding ------------------------------------------------------------- */

static bool contains(weir_str text, const char *needle)
{
	return text.len && memmem(text.ptr, text.len, needle, strlen(needle));
}

/* How many `$` stand directly before text.ptr[at]. */
static size_t dollars_before(weir_str text, size_t at)
{
	size_t n = 0;

	while (n < at && text.ptr[at - 1 - n] == '$')
		n++;
	return n;
}

/* The last "${" in front of `close`; false when there is none. */
static bool find_open(weir_str text, size_t from, size_t close, size_t *open)
{
	for (size_t i = close; i-- > from; )
		if (text.ptr[i] == '$' && text.ptr[i + 1] == '{') {
			*open = i;
			return true;
		}
	return false;
}

/* The reference to expand next, braces included; empty when none is left. */
static weir_str find_reference(weir_str text)
{
	size_t from = 0;

	if (!contains(text, "${"))
		return (weir_str){ NULL, 0 };
	while (from < text.len) {
		const char *brace = memchr(text.ptr + from, '}',
					   text.len - from);
		size_t close, open;

		if (!brace)
			break;
		close = (size_t)(brace - text.ptr);
		if (find_open(text, from, close, &open) &&
		    dollars_before(text, open) % 2 == 0)
			return (weir_str){ text.ptr + open, close + 1 - open };
		from = close + 1;
	}
	return (weir_str){ NULL, 0 };
}

/* --- what a reference stands for ----------------------------------------- */

struct referred {
	struct tree_text from;
	struct weir_node *value;	/* as YAML; NULL when it is text */
};

/* What a map's keys and numbers may be that come from outside. */
static int check_kind(struct expansion *x, const struct weir_node *at,
		      const struct weir_node *value)
{
	if (value->kind == WEIR_NODE_INT && value->big)
		return tree_error(x->error, at, "", "the value of the "
				  "reference is above 2^63: put it in quotes");
	for (size_t i = 0; value->keys && i < value->n; i++)
		if (value->keys[i]->kind != WEIR_NODE_STR)
			return tree_error(x->error, at, "", "the value of the "
				"reference is a map with a key that is %s: "
				"put it in quotes",
				tree_kind_phrase(value->keys[i]));
	return 0;
}

/* Text that is no YAML is a string; YAML that is too much is refused. */
static int parse_value(struct expansion *x, const struct weir_node *at,
		       struct referred *out)
{
	const char *file = out->from.file ? out->from.file : at->file;
	struct weir_error why = { 0 };
	bool limit = false;

	if (out->from.literal)
		return 0;
	out->value = tree_parse_limited(x->arena, file, out->from.text, &limit,
					&why);
	if (limit)
		return tree_error(x->error, at, "", "the value of the "
				  "reference is refused: %s", why.text);
	if (!out->value || out->value->kind == WEIR_NODE_STR) {
		out->value = NULL;
		return 0;
	}
	if (check_kind(x, at, out->value))
		return -1;
	if (!x->lists && tree_nest(x->arena, out->value, &why))
		return tree_error(x->error, at, "", "the value of the "
				  "reference is refused: %s", why.text);
	return 0;
}

/* reference: with its braces.  Without a scheme it is a variable. */
static int look_up(struct expansion *x, const struct weir_node *at,
		   weir_str reference, struct referred *out)
{
	weir_str uri = { reference.ptr + 2, reference.len - 3 };
	struct weir_error why = { 0 };

	*out = (struct referred){ .value = NULL };
	if (!contains(uri, ":"))
		uri = weir_str_of(arena_printf(x->arena, "env:%.*s",
					       WEIR_STR_FMT(uri)));
	if (contains(uri, "$"))
		return tree_error(x->error, at, "", "the uri \"%.*s\" contains "
				  "unsupported characters ('$')",
				  WEIR_STR_FMT(uri));
	if (tree_retrieve(x->arena, x->world, uri, &out->from, &why))
		return tree_error(x->error, at, "", "%s%s%s%s",
				  why.file[0] ? "unable to read the file " : "",
				  why.file, why.file[0] ? ": " : "", why.text);
	return parse_value(x, at, out);
}

/* --- replacing ----------------------------------------------------------- */

static int charge(struct expansion *x, const struct weir_node *at,
		  size_t bytes)
{
	if (bytes > TREE_MAX_BYTES - x->bytes)
		return tree_error(x->error, at, "",
				  "references expand to more than 1 MiB");
	x->bytes += bytes;
	return 0;
}

/* All occurrences of reference in the node's text. */
static int replace_all(struct expansion *x, struct weir_node *node,
		       weir_str reference, weir_str with)
{
	struct buf buf = { 0 };
	weir_str left = node->text;
	const char *hit;
	int failed = 0;

	while (!failed && left.len &&
	       (hit = memmem(left.ptr, left.len, reference.ptr,
			     reference.len))) {
		size_t before = (size_t)(hit - left.ptr);

		failed = charge(x, node, before + with.len);
		if (failed)
			break;
		buf_add(&buf, left.ptr, before);
		buf_add(&buf, with.ptr, with.len);
		left.ptr = hit + reference.len;
		left.len -= before + reference.len;
	}
	buf_add(&buf, left.ptr, left.len);
	if (!failed)
		failed = charge(x, node, left.len);
	if (!failed)
		node->text = arena_str(x->arena, (weir_str){ (char *)buf.ptr,
							     buf.len });
	buf_release(&buf);
	return failed;
}

/* All of a value's nodes stand where the reference stood. */
static void place(struct weir_node *node, const struct weir_node *at)
{
	node->line = at->line;
	node->column = at->column;
	node->file = at->file;
	for (size_t i = 0; i < node->n; i++) {
		place(node->items[i], at);
		if (node->keys)
			place(node->keys[i], at);
	}
}

/* The whole value is one reference: it becomes what was referred to. */
static int become(struct expansion *x, struct weir_node *node,
		  const struct referred *referred)
{
	struct weir_node at = *node, *value = referred->value;
	weir_str raw = referred->from.text;

	if (charge(x, node, raw.len))
		return -1;
	if (value && value->weight > TREE_MAX_NODES - x->nodes)
		return tree_error(x->error, &at, "",
				  "references expand to more than %d nodes",
				  TREE_MAX_NODES);
	if (value) {
		x->nodes += value->weight;
		*node = *value;
		if (!referred->from.file)
			place(node, &at);
	} else {
		node->kind = WEIR_NODE_STR;
	}
	node->text = arena_str(x->arena, raw);
	node->quoted = false;
	node->timestamp = false;
	node->expanded = true;
	node->settled = at.settled;
	return 0;
}

/* --- walking ------------------------------------------------------------- */

/* One reference after the other, while the node is a string. */
static int expand_text(struct expansion *x, struct weir_node *node)
{
	for (x->rounds = ROUNDS_MAX; node->kind == WEIR_NODE_STR; ) {
		weir_str reference = find_reference(node->text);
		struct referred referred;
		int failed;

		if (!reference.len)
			return 0;
		if (!x->rounds--)
			return tree_error(x->error, node, "",
					  "too many recursive expansions");
		if (look_up(x, node, reference, &referred))
			return -1;
		failed = reference.len == node->text.len
				 ? become(x, node, &referred)
				 : replace_all(x, node, reference,
					       referred.from.text);
		if (failed)
			return -1;
	}
	return 0;
}

/* The raw text of a value is expanded too: its field may be a string.  Where
 * that fails the value has no text. */
static void expand_raw(struct expansion *x, struct weir_node *node)
{
	struct weir_error ignored, *kept = x->error;
	struct weir_node raw = *node;

	raw.kind = WEIR_NODE_STR;
	raw.n = 0;
	raw.items = raw.keys = NULL;
	x->error = &ignored;
	node->expanded = !expand_text(x, &raw) && raw.kind == WEIR_NODE_STR;
	node->text = raw.text;
	x->error = kept;
}

/* "$$" to "$", once, when everything is expanded. */
static void unescape(struct expansion *x, struct weir_node *node)
{
	char *to;
	size_t len = 0;

	if (!contains(node->text, "$$"))
		return;
	to = arena_alloc(x->arena, node->text.len + 1);
	for (size_t i = 0; i < node->text.len; i++) {
		to[len++] = node->text.ptr[i];
		if (node->text.ptr[i] == '$' && i + 1 < node->text.len &&
		    node->text.ptr[i + 1] == '$')
			i++;
	}
	node->text = (weir_str){ to, len };
}

static int expand_children(struct expansion *x, struct weir_node *node)
{
	if (node->n && x->depth == TREE_MAX_DEPTH)
		return tree_error(x->error, node, "",
				  "references nest deeper than %d",
				  TREE_MAX_DEPTH);
	x->depth++;
	x->lists += node->kind == WEIR_NODE_LIST;
	for (size_t i = 0; i < node->n; i++)
		if (expand_node(x, node->items[i]))
			return -1;
	x->lists -= node->kind == WEIR_NODE_LIST;
	x->depth--;
	return 0;
}

static int expand_node(struct expansion *x, struct weir_node *node)
{
	if (node->settled)	/* seen through another alias */
		return 0;
	node->settled = true;
	if (node->kind == WEIR_NODE_STR && expand_text(x, node))
		return -1;
	if (node->expanded && node->kind != WEIR_NODE_STR)
		expand_raw(x, node);
	if (expand_children(x, node))
		return -1;
	if (node->kind == WEIR_NODE_STR || node->expanded)
		unescape(x, node);
	return 0;
}

/* What references brought in counts once for each alias that leads there. */
static int count(struct expansion *x, const struct weir_node *node,
		 unsigned depth)
{
	if (x->nodes++ == TREE_MAX_NODES || depth > TREE_MAX_DEPTH)
		return tree_error(x->error, node, "", "references expand to "
				  "more than %d nodes or %d levels",
				  TREE_MAX_NODES, TREE_MAX_DEPTH);
	for (size_t i = 0; i < node->n; i++)
		if (count(x, node->items[i], depth + 1))
			return -1;
	return 0;
}

int tree_expand(struct arena *arena, struct weir_node *root,
		const struct tree_world *world, struct weir_error *error)
{
	struct expansion x = { .arena = arena, .error = error,
			       .world = world };

	if (expand_node(&x, root))
		return -1;
	if (!x.nodes)
		return 0;
	x.nodes = 0;
	return count(&x, root, 0);
}
