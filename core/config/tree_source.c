/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree_source.c: URIs to text, and all sources to one tree.
 *
 * Three schemes: file (a path), env (a variable, its text read as YAML), yaml
 * (the text itself).  What fetches from a network is not there: a
 * configuration must be at hand when the process starts.  Holds nothing
 * between calls; values of the environment are never printed.
 */
#include "tree.h"

#include <weir/log.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- the process's world ------------------------------------------------- */

static int slurp_fd(struct arena *arena, int fd, weir_str *text,
		    struct weir_error *error)
{
	struct buf buf = { 0 };
	ssize_t got;
	int failed = 0;

	do {
		buf_reserve(&buf, 65536);
		got = read(fd, buf.ptr + buf.len, 65536);
		if (got > 0)
			buf.len += (size_t)got;
	} while ((got > 0 && buf.len <= TREE_MAX_BYTES) ||
		 (got < 0 && errno == EINTR));
	if (got < 0)
		failed = weir_fail(error, "", "%s", strerror(errno));
	else if (buf.len > TREE_MAX_BYTES)
		failed = weir_fail(error, "", "larger than 1 MiB");
	else
		*text = arena_str(arena, (weir_str){ (char *)buf.ptr,
						     buf.len });
	buf_release(&buf);
	return failed;
}

static int slurp(struct arena *arena, const char *path, weir_str *text,
		 struct weir_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), failed;

	if (fd < 0)
		return weir_fail(error, "", "%s", strerror(errno));
	failed = slurp_fd(arena, fd, text, error);
	close(fd);
	return failed;
}

static const char *variable(const char *name)
{
	return getenv(name);
}

const struct tree_world tree_process = { variable, slurp };

/* --- URIs ---------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(weir_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!is_letter(c) && c != '_' && !(i && is_digit(c)))
			return false;
	}
	return name.len > 0;
}

/* [A-Za-z][A-Za-z0-9+.-]+ in front of the first colon. */
static size_t scheme_len(weir_str uri)
{
	size_t n = 0;

	while (n < uri.len) {
		char c = uri.ptr[n];

		if (!is_letter(c) && !(n && (is_digit(c) || c == '+' ||
					     c == '.' || c == '-')))
			break;
		n++;
	}
	return n >= 2 && n < uri.len && uri.ptr[n] == ':' ? n : 0;
}

/* NAME or NAME:-default. */
static int read_variable(struct arena *arena, const struct tree_world *world,
			 weir_str rest, struct tree_text *out,
			 struct weir_error *error)
{
	const char *mark = rest.len ? memmem(rest.ptr, rest.len, ":-", 2)
				    : NULL;
	weir_str name = rest;
	const char *value;
	char *key;

	if (mark)
		name.len = (size_t)(mark - rest.ptr);
	if (!is_name(name))
		return weir_fail(error, "", "environment variable \"%.*s\" has "
				 "invalid name: must match regex "
				 "^[a-zA-Z_][a-zA-Z0-9_]*$",
				 WEIR_STR_FMT(name));
	key = arena_printf(arena, "%.*s", WEIR_STR_FMT(name));
	value = world->variable(key);
	if (value) {
		out->text = weir_str_of(value);
		if (!*value)
			weir_log_info(NULL, "Configuration references empty "
				      "environment variable", "name=%s", key);
	} else if (mark) {
		out->text = (weir_str){ mark + 2, rest.len - name.len - 2 };
		out->literal = !out->text.len;
	} else {
		weir_log_warn(NULL, "Configuration references unset "
			      "environment variable", "name=%s", key);
	}
	return 0;
}

static int read_path(struct arena *arena, const struct tree_world *world,
		     weir_str rest, struct tree_text *out,
		     struct weir_error *error)
{
	out->file = arena_printf(arena, "%.*s", WEIR_STR_FMT(rest));
	if (!world->file(arena, out->file, &out->text, error))
		return 0;
	snprintf(error->file, sizeof(error->file), "%s", out->file);
	return -1;
}

/* NAME:-default without a scheme is read as one; say so. */
static int bad_uri(struct arena *arena, weir_str uri, size_t scheme,
		   struct weir_error *error)
{
	const char *mark = memmem(uri.ptr, uri.len, ":-", 2);
	weir_str name = { uri.ptr, mark ? (size_t)(mark - uri.ptr) : 0 };
	const char *hint = "";

	if (is_name(name))
		hint = arena_printf(arena, "; a default needs the scheme: "
				    "env:%.*s", WEIR_STR_FMT(uri));
	if (!scheme)
		return weir_fail(error, "", "invalid uri: \"%.*s\"%s",
				 WEIR_STR_FMT(uri), hint);
	if (!*hint)
		hint = "; there are file, env and yaml";
	return weir_fail(error, "", "scheme \"%.*s\" is not supported for uri "
			 "\"%.*s\"%s", (int)scheme, uri.ptr, WEIR_STR_FMT(uri),
			 hint);
}

int tree_retrieve(struct arena *arena, const struct tree_world *world,
		  weir_str uri, struct tree_text *out,
		  struct weir_error *error)
{
	size_t len = scheme_len(uri);
	weir_str scheme = { uri.ptr, len }, rest = uri;

	*out = (struct tree_text){ .text = WEIR_STR("") };
	if (!len)
		return bad_uri(arena, uri, 0, error);
	rest.ptr += len + 1;
	rest.len -= len + 1;
	if (weir_str_eq(scheme, WEIR_STR("env")))
		return read_variable(arena, world, rest, out, error);
	if (weir_str_eq(scheme, WEIR_STR("file")))
		return read_path(arena, world, rest, out, error);
	if (!weir_str_eq(scheme, WEIR_STR("yaml")))
		return bad_uri(arena, uri, len, error);
	out->text = rest;
	return 0;
}

/* --- sources ------------------------------------------------------------- */

struct source {
	struct arena *arena;
	const struct tree_world *world;
	struct weir_error *error;
	const char *name;	/* in errors */
	/* --set: which column of the argument each byte of its YAML was. */
	uint32_t *columns;
	size_t n_columns;
};

static void put_set(struct source *s, struct buf *buf, const char *text,
		    ptrdiff_t at)
{
	for (; *text; text++) {
		buf_add(buf, text, 1);
		s->columns[s->n_columns++] = (uint32_t)at + 1;
	}
}

/* k.l=v is the YAML text `k::l: v`. */
static int read_set(struct source *s, const char *text, weir_str *yaml)
{
	const char *equals = strchr(text, '='), *value;
	struct buf buf = { 0 };

	if (!equals) {
		weir_fail(s->error, "", "\"%s\": missing equal sign", text);
		snprintf(s->error->file, sizeof(s->error->file), "%s", s->name);
		return -1;
	}
	value = equals + 1 + strspn(equals + 1, " \t\r\n");
	s->columns = arena_alloc(s->arena, (2 * strlen(text) + 4) *
						   sizeof(*s->columns));
	for (const char *p = text; *p; p++) {
		if (p == equals) {
			put_set(s, &buf, ": ", p - text);
			p = value - 1;
		} else {
			put_set(s, &buf, p < equals && *p == '.'
				? "::" : (char[]){ *p, 0 }, p - text);
		}
	}
	*yaml = arena_str(s->arena, (weir_str){ (char *)buf.ptr, buf.len });
	buf_release(&buf);
	return 0;
}

/* Where it stands in the argument. */
static uint32_t column_of(const struct source *s, uint32_t column)
{
	if (!column || !s->n_columns)
		return column;
	return s->columns[column <= s->n_columns ? column - 1
						 : s->n_columns - 1];
}

#define MOVED UINT32_MAX	/* as a line: an alias comes by again */

static void move_back(const struct source *s, struct weir_node *node,
		      uint32_t from, uint32_t to)
{
	if (node->line == from) {
		if (to == MOVED)
			node->column = column_of(s, node->column);
		node->line = to;
	}
	for (size_t i = 0; i < node->n; i++) {
		move_back(s, node->items[i], from, to);
		if (node->keys)
			move_back(s, node->keys[i], from, to);
	}
}

/* "a.yaml" and "C:\a.yaml" are files. */
static bool is_path(const char *text)
{
	return !strchr(text, ':') ||
	       (*text >= 'A' && *text <= 'z' && text[1] == ':');
}

static int read_uri(struct source *s, const char *text, weir_str *yaml)
{
	const char *uri = is_path(text) ? arena_printf(s->arena, "file:%s",
						       text)
					: text;
	struct tree_text found;

	if (tree_retrieve(s->arena, s->world, weir_str_of(uri), &found,
			  s->error))
		return -1;
	if (!strncmp(uri, "env:", 4))
		s->name = uri;
	if (found.file)
		s->name = found.file;
	*yaml = found.text;
	return 0;
}

/* An empty text is a map without entries. */
static struct weir_node *parse_map(struct source *s, weir_str text)
{
	struct weir_node *root = tree_parse_raw(s->arena, s->name, text,
						s->error);

	if (!root)
		return NULL;
	if (root->kind == WEIR_NODE_NULL)
		root->kind = WEIR_NODE_MAP;
	if (root->kind != WEIR_NODE_MAP) {
		tree_error(s->error, root, "", "a configuration is a map, got "
			   "%s", tree_kind_phrase(root));
		return NULL;
	}
	for (size_t i = 0; i < root->n; i++)
		if (root->keys[i]->kind != WEIR_NODE_STR) {
			tree_error(s->error, root->keys[i], "", "expected a "
				   "key that is a string, got %s",
				   tree_kind_phrase(root->keys[i]));
			return NULL;
		}
	return tree_nest(s->arena, root, s->error) ? NULL : root;
}

/* The i-th of its sort, for errors: "--set #2". */
static struct weir_node *read_source(struct source *s,
				     const struct tree_source *from, size_t i)
{
	weir_str text;
	int failed;

	struct weir_node *root;

	s->n_columns = 0;
	s->name = arena_printf(s->arena, "--%s #%zu",
			       from->set ? "set" : "config", i);
	failed = from->set ? read_set(s, from->text, &text)
			   : read_uri(s, from->text, &text);
	if (failed)
		return NULL;
	root = parse_map(s, text);
	if (!root && s->error->line == 1)
		s->error->column = column_of(s, s->error->column);
	if (root && from->set) {
		move_back(s, root, 1, MOVED);
		move_back(s, root, MOVED, 1);
	}
	return root;
}

static struct weir_node **read_all(struct source *s,
				   const struct tree_request *request)
{
	struct weir_node **maps = arena_alloc(s->arena,
					      request->n * sizeof(*maps));
	size_t n = 0;

	for (int set = 0; set <= 1; set++) {
		size_t nth = 0;

		for (size_t i = 0; i < request->n; i++) {
			if (request->sources[i].set != set)
				continue;
			maps[n] = read_source(s, &request->sources[i], ++nth);
			if (!maps[n++])
				return NULL;
		}
	}
	return maps;
}

struct weir_node *tree_load(struct arena *arena,
			    const struct tree_request *request,
			    struct weir_error *error)
{
	struct source s = { .arena = arena, .error = error };
	struct weir_node **maps, *root;

	s.world = request->world ? request->world : &tree_process;
	*error = (struct weir_error){ 0 };
	maps = read_all(&s, request);
	if (!maps)
		return NULL;
	root = tree_join(arena, maps, request->n, request->append, error);
	if (!root || tree_expand(arena, root, s.world, error))
		return NULL;
	return root;
}

struct weir_node *tree_parse(struct arena *arena, const char *file,
			     weir_str text, struct weir_error *error)
{
	struct weir_node *root = tree_parse_raw(arena, file, text, error);

	if (!root || tree_nest(arena, root, error) ||
	    tree_expand(arena, root, &tree_process, error))
		return NULL;
	return root;
}
