/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_expand.c: ${references} in values.
 *
 * A value that is one reference becomes whatever YAML the referred text is; a
 * reference inside other text is replaced by the raw text.  What came in is
 * expanded again, inside-out, until nothing changes.  `$$` is `$`; an odd
 * number of `$` before `${` ends the expansion of that string.  Map keys are
 * never expanded.  Values of the environment are never printed.
 */
#include "tree.h"

#include <weir/log.h>

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS_MAX 1000

struct expansion {
	struct arena *arena;
	struct weir_error *error;
	unsigned rounds;	/* left for the value at hand */
	size_t bytes;		/* that references brought in, all together */
	uint32_t nodes;
	unsigned depth;
};

static int expand_node(struct expansion *x, struct weir_node *node);

/* --- finding ---------------------------------------------------------------------- */

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
		if (find_open(text, from, close, &open)) {
			if (dollars_before(text, open) % 2)
				break;
			return (weir_str){ text.ptr + open, close + 1 - open };
		}
		from = close + 1;
	}
	return (weir_str){ NULL, 0 };
}

/* --- providers -------------------------------------------------------------------- */

static bool is_name(weir_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      c == '_' || (i && c >= '0' && c <= '9')))
			return false;
	}
	return name.len > 0;
}

/* NAME or NAME:-default. */
static int read_env(struct expansion *x, const struct weir_node *at,
		    weir_str rest, weir_str *out)
{
	const char *mark = rest.len ? memmem(rest.ptr, rest.len, ":-", 2)
				    : NULL;
	weir_str name = rest;
	const char *value;
	char *key;

	if (mark)
		name.len = (size_t)(mark - rest.ptr);
	if (!is_name(name))
		return tree_error(x->error, at, "",
			"environment variable \"%.*s\" has invalid name: must "
			"match regex ^[a-zA-Z_][a-zA-Z0-9_]*$",
			WEIR_STR_FMT(name));
	key = arena_printf(x->arena, "%.*s", WEIR_STR_FMT(name));
	value = getenv(key);
	if (value) {
		*out = weir_str_of(value);
		if (!*value)
			weir_log_info(NULL, "Configuration references empty "
				      "environment variable", "name=%s", key);
	} else if (mark) {
		*out = (weir_str){ mark + 2, rest.len - name.len - 2 };
	} else {
		*out = (weir_str){ "", 0 };
		weir_log_warn(NULL, "Configuration references unset "
			      "environment variable", "name=%s", key);
	}
	return 0;
}

static int read_file(struct expansion *x, const struct weir_node *at,
		     weir_str rest, weir_str *out)
{
	const char *path = arena_printf(x->arena, "%.*s", WEIR_STR_FMT(rest));
	struct weir_error why;

	if (!tree_slurp(x->arena, path, out, &why))
		return 0;
	return tree_error(x->error, at, "", "unable to read the file %s: %s",
			  path, why.text);
}

/* [A-Za-z][A-Za-z0-9+.-]+ in front of the first colon. */
static size_t scheme_len(weir_str uri)
{
	size_t n = 0;

	while (n < uri.len) {
		char c = uri.ptr[n];
		bool letter = (c | 32) >= 'a' && (c | 32) <= 'z';

		if (!letter && !(n && ((c >= '0' && c <= '9') ||
				       c == '+' || c == '.' || c == '-')))
			break;
		n++;
	}
	return n >= 2 && n < uri.len && uri.ptr[n] == ':' ? n : 0;
}

static int bad_uri(struct expansion *x, const struct weir_node *at,
		   weir_str uri, size_t scheme)
{
	const char *mark = memmem(uri.ptr, uri.len, ":-", 2);
	weir_str name = { uri.ptr, mark ? (size_t)(mark - uri.ptr) : 0 };
	const char *hint = "";

	if (is_name(name))
		hint = arena_printf(x->arena,
			"; a default needs the scheme: ${env:%.*s}",
			WEIR_STR_FMT(uri));
	if (!scheme)
		return tree_error(x->error, at, "", "invalid uri: \"%.*s\"%s",
				  WEIR_STR_FMT(uri), hint);
	return tree_error(x->error, at, "",
			  "scheme \"%.*s\" is not supported for uri \"%.*s\"%s",
			  (int)scheme, uri.ptr, WEIR_STR_FMT(uri), hint);
}

/* The text that a reference stands for. */
static int retrieve(struct expansion *x, const struct weir_node *at,
		    weir_str reference, weir_str *out)
{
	weir_str uri = { reference.ptr + 2, reference.len - 3 };
	weir_str rest = uri;
	size_t scheme;

	if (contains(uri, "$"))
		return tree_error(x->error, at, "", "the uri \"%.*s\" contains "
				  "unsupported characters ('$')",
				  WEIR_STR_FMT(uri));
	if (!contains(uri, ":"))
		return read_env(x, at, uri, out);
	scheme = scheme_len(uri);
	if (!scheme)
		return bad_uri(x, at, uri, 0);
	rest.ptr += scheme + 1;
	rest.len -= scheme + 1;
	uri.len = scheme;
	if (weir_str_eq(uri, WEIR_STR("env")))
		return read_env(x, at, rest, out);
	if (weir_str_eq(uri, WEIR_STR("file")))
		return read_file(x, at, rest, out);
	if (weir_str_eq(uri, WEIR_STR("yaml"))) {
		*out = rest;
		return 0;
	}
	uri.len = reference.len - 3;
	return bad_uri(x, at, uri, scheme);
}

/* --- replacing -------------------------------------------------------------------- */

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

/* The whole value is one reference: it becomes what raw is as YAML; raw that
 * is no YAML is a string. */
static int become(struct expansion *x, struct weir_node *node, weir_str raw)
{
	struct weir_node at = *node, *value;
	struct weir_error ignored;

	if (charge(x, node, raw.len))
		return -1;
	raw = arena_str(x->arena, raw);
	value = tree_parse_raw(x->arena, at.file, raw, &ignored);
	if (value && value->weight > TREE_MAX_NODES - x->nodes)
		return tree_error(x->error, &at, "",
				  "references expand to more than %d nodes",
				  TREE_MAX_NODES);
	if (value && value->kind != WEIR_NODE_STR) {
		x->nodes += value->weight;
		*node = *value;
		place(node, &at);
	} else {
		node->kind = WEIR_NODE_STR;
	}
	node->text = raw;
	node->quoted = false;
	node->expanded = true;
	node->settled = at.settled;
	return 0;
}

/* --- walking ---------------------------------------------------------------------- */

/* One reference after the other, while the node is a string. */
static int expand_text(struct expansion *x, struct weir_node *node)
{
	for (x->rounds = ROUNDS_MAX; node->kind == WEIR_NODE_STR; ) {
		weir_str reference = find_reference(node->text), raw;
		int failed;

		if (!reference.len)
			return 0;
		if (!x->rounds--)
			return tree_error(x->error, node, "",
					  "too many recursive expansions");
		if (retrieve(x, node, reference, &raw))
			return -1;
		failed = reference.len == node->text.len
				 ? become(x, node, raw)
				 : replace_all(x, node, reference, raw);
		if (failed)
			return -1;
	}
	return 0;
}

/* The raw text of a list or map is expanded too: its field may be a string.
 * Where that fails the value stands as it is. */
static void expand_raw(struct expansion *x, struct weir_node *node)
{
	struct weir_error ignored, *kept = x->error;
	struct weir_node raw = *node;

	raw.kind = WEIR_NODE_STR;
	raw.n = 0;
	raw.items = raw.keys = NULL;
	x->error = &ignored;
	if (!expand_text(x, &raw) && raw.kind == WEIR_NODE_STR)
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
	for (size_t i = 0; i < node->n; i++)
		if (expand_node(x, node->items[i]))
			return -1;
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
	if (node->expanded && node->kind >= WEIR_NODE_LIST)
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
		struct weir_error *error)
{
	struct expansion x = { .arena = arena, .error = error };

	if (expand_node(&x, root))
		return -1;
	if (!x.nodes)
		return 0;
	x.nodes = 0;
	return count(&x, root, 0);
}
