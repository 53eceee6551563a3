/* SPDX-License-Identifier: Apache-2.0 */
/*
 * structured.c: JSON in a string, redacted inside.
 *
 * One pass of the scanner; what is hit is replaced or left out, and the bytes
 * between are copied as they are, once, when the first hit is known.  A member
 * or element that goes takes one comma with it:
 *
 *	[ a , b , c ]     `from` is where copying goes on; behind a kept item
 *	   ^kept          its end is known, and what goes is skipped from there;
 *	    ^^^^ gone     before the first kept one, up to the next item.
 *
 * JSON in a string of JSON is looked into the same way, up to
 * STRUCTURED_NESTED texts.  Holds nothing between texts but memory.  Must never
 * pass a string that it could not look into.
 */
#include <stdlib.h>

#include "cut.h"
#include "structured_parts.h"

struct structure {
	struct text *nested[STRUCTURED_NESTED];
};

/* Bytes that may become of a text. */
#define OUT_MAX(len) (4 * (len) + (64u << 10))

/* --- Changing ------------------------------------------------------------------ */

static void copy_to(struct pass *p, size_t end)
{
	if (end <= p->from)
		return;
	weir_text_add(&p->t->out, (weir_str){ p->source.ptr + p->from,
					      end - p->from });
	p->from = end;
}

/* A string in the place of what stands there. */
void put_string(struct pass *p, size_t start, size_t end, weir_str text)
{
	copy_to(p, start);
	weir_text_add(&p->t->out, WEIR_STR("\""));
	weir_text_add_json(&p->t->out, text);
	weir_text_add(&p->t->out, WEIR_STR("\""));
	p->from = end;
	p->changed = true;
}

/* JSON there. */
void put_json(struct pass *p, size_t start, size_t end, weir_str json)
{
	copy_to(p, start);
	weir_text_add(&p->t->out, json.len ? json : WEIR_STR("\"\""));
	p->from = end;
	p->changed = true;
}

static void begin_item(struct pass *p, struct frame *f, size_t start)
{
	f->item = (uint32_t)start;
	if (f->skip)
		p->from = start;
	f->skip = false;
	f->from = (uint32_t)p->from;
	f->done = (uint32_t)p->t->out.len;
}

void keep_item(struct frame *f, size_t end)
{
	f->kept = true;
	f->kept_end = (uint32_t)end;
}

/* With it goes what has been put into it, a masked key. */
void drop_item(struct pass *p, struct frame *f, size_t end)
{
	p->from = f->from;
	p->t->out.len = f->done;
	copy_to(p, f->kept ? f->kept_end : f->item);
	f->skip = !f->kept;
	p->from = end;
	p->changed = true;
}

/* --- Values ---------------------------------------------------------------------- */

weir_str plain_text(struct pass *p, struct weir_text *plain)
{
	if (!p->json.escaped)
		return p->json.text;
	weir_text_clear(plain);
	weir_text_add(plain, p->json.text);	/* the room that it may take */
	plain->len = weir_json_unescape(p->json.text, plain->ptr);
	return (weir_str){ plain->ptr, plain->len };
}

bool masked(struct pass *p, const struct named *name, weir_str text,
	    weir_str *out)
{
	const struct rules *rules = p->s->rules;

	if (rules_allow(rules, text))
		return false;
	return name && rules->detectors.on ?
		rules_mask_named(rules, p->s->work, name, text, out) :
		rules_mask(rules, p->s->work, text, out);
}

static void mask_text(struct pass *p, const struct named *name, weir_str text)
{
	weir_str out;

	if (masked(p, name, text, &out))
		put_string(p, p->json.start, p->json.end, out);
}

/* JSON in the string that is there.  What cannot be looked into goes, at the
 * top with the whole text. */
static void json_string(struct pass *p, struct frame *f, weir_str text)
{
	weir_str out;
	enum structured made = redact_nested(p, text, &out);

	if (made == STRUCTURED_CHANGED)
		put_string(p, p->json.start, p->json.end, out);
	if (made <= STRUCTURED_CHANGED) {
		keep_item(f, p->json.end);
	} else if (!p->json.depth) {
		p->failed = made;
	} else {
		p->s->removed[made]++;
		drop_item(p, f, p->json.end);
	}
}

/* A scalar that no key has decided about; key: NULL in a list, and where it does
 * not matter. */
static void scalar(struct pass *p, const weir_str *key, enum verdict verdict)
{
	bool quoted = p->json.token == WEIR_JSON_STRING;
	struct frame *f = frame(p, p->json.depth);
	weir_str text = p->json.text;

	if (quoted) {
		text = plain_text(p, &p->t->plain);
		if (holds_json(text)) {
			json_string(p, f, text);
			return;
		}
	}
	if (verdict != KEY_SAFE || quoted)
		mask_text(p, key ? &(struct named){ *key, quoted } : NULL,
			  text);
	keep_item(f, p->json.end);
}

static bool open_container(struct pass *p)
{
	if (p->json.token != WEIR_JSON_OBJECT &&
	    p->json.token != WEIR_JSON_ARRAY)
		return false;
	*frame(p, p->json.depth) = (struct frame){ 0 };
	return true;
}

/* --- Members ------------------------------------------------------------------------ */

/* The value of a blocked key: stars as attributes get, line by line. */
static void block_member(struct pass *p, struct frame *f)
{
	weir_str text = WEIR_STR(""), masked;
	size_t start = p->json.start;

	if (p->json.token == WEIR_JSON_STRING)
		text = plain_text(p, &p->t->plain);
	if (!weir_json_skip(&p->json))
		return;
	if (p->s->delete_blocked) {
		drop_item(p, f, p->json.end);
		return;
	}
	rules_mask_whole(p->s->rules, p->s->work, text, &masked);
	put_string(p, start, p->json.end, masked);
	keep_item(f, p->json.end);
}

void remove_member(struct pass *p, struct frame *f)
{
	if (weir_json_skip(&p->json))
		drop_item(p, f, p->json.end);
}

/* --- Steps -------------------------------------------------------------------------- */

/* At a KEY: it and its value, or the key and what begins behind it. */
static void member(struct pass *p)
{
	const struct rules *rules = p->s->rules;
	struct frame *f = frame(p, p->json.depth);
	weir_str key = plain_text(p, &p->t->name);
	struct ruling ruling = rules_key(rules, p->s->work, key);
	enum verdict verdict;

	begin_item(p, f, p->json.start);
	if (ruling.verdict == KEY_IGNORED) {
		if (weir_json_skip(&p->json))
			keep_item(f, p->json.end);
		return;
	}
	if (!ruling.clean)
		mask_text(p, NULL, key);	/* may be a secret, too */
	weir_json_next(&p->json);
	verdict = ruling_of(ruling, p->json.token == WEIR_JSON_NUMBER);
	if (p->json.token == WEIR_JSON_ERROR)
		return;
	if (verdict == KEY_REMOVED)
		remove_member(p, f);
	else if (verdict == KEY_BLOCKED)
		block_member(p, f);
	else if (!content_member(p, f, key, rules_content(rules, ruling,
				p->json.token == WEIR_JSON_NUMBER)) &&
		 !open_container(p))
		scalar(p, ruling.mute ? NULL : &key, verdict);
}

static void element(struct pass *p)
{
	bool container = p->json.token == WEIR_JSON_OBJECT ||
		p->json.token == WEIR_JSON_ARRAY;
	uint32_t depth = p->json.depth - container;

	begin_item(p, frame(p, depth), p->json.start);
	if (!open_container(p))
		scalar(p, NULL, KEY_PLAIN);
}

static void step(struct pass *p)
{
	switch (p->json.token) {
	case WEIR_JSON_KEY:
		member(p);
		break;
	case WEIR_JSON_OBJECT_END:
	case WEIR_JSON_ARRAY_END:
		keep_item(frame(p, p->json.depth), p->json.end);
		break;
	default:
		element(p);
	}
}

/* --- Texts ----------------------------------------------------------------------------- */

static enum structured why(const struct weir_json *json)
{
	return json->depth >= WEIR_JSON_DEPTH ? STRUCTURED_DEEP :
		STRUCTURED_BROKEN;
}

static struct text *text_memory(struct structure *memory, unsigned nested)
{
	struct text *t = memory->nested[nested];

	if (t)
		return t;
	t = memory->nested[nested] = calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->out.charged = t->plain.charged = t->name.charged = true;
	t->plain.forced = t->name.forced = true;	/* no longer than p's */
	return t;
}

static enum structured redact(struct structured_rules *s,
			      struct structure *memory, weir_str text,
			      unsigned nested, weir_str *out)
{
	size_t front = json_front(text);
	struct pass p = { .s = s, .memory = memory, .nested = nested,
			  .source = { text.ptr + front, text.len - front } };

	if (nested == STRUCTURED_NESTED)
		return STRUCTURED_DEEP;
	if (text.len > STRUCTURED_MAX)
		return STRUCTURED_LARGE;
	p.t = text_memory(memory, nested);
	if (!p.t)
		return STRUCTURED_LARGE;
	weir_text_clear(&p.t->out);
	weir_text_add(&p.t->out, (weir_str){ text.ptr, front });
	p.t->frame[0] = (struct frame){ 0 };
	weir_json_open(&p.json, p.source);
	while (weir_json_next(&p.json) > WEIR_JSON_END) {
		step(&p);
		if (p.t->out.len > OUT_MAX(text.len))
			return STRUCTURED_LARGE;
	}
	if (p.json.token != WEIR_JSON_END)
		return why(&p.json);
	if (p.failed)
		return p.failed;
	if (!p.changed)
		return STRUCTURED_SAME;
	copy_to(&p, p.source.len);
	if (p.t->out.refused || p.t->out.len > OUT_MAX(text.len))
		return STRUCTURED_LARGE;
	*out = (weir_str){ p.t->out.ptr, p.t->out.len };
	return STRUCTURED_CHANGED;
}

enum structured redact_nested(struct pass *p, weir_str text, weir_str *out)
{
	return redact(p->s, p->memory, text, p->nested + 1, out);
}

enum structured structured_redact(struct structured_rules *s,
				  struct structure **memory, weir_str text,
				  weir_str *out)
{
	if (!*memory)
		*memory = calloc(1, sizeof(**memory));
	return *memory ? redact(s, *memory, text, 0, out) : STRUCTURED_LARGE;
}

/* --- Memory ----------------------------------------------------------------------------- */

void structure_trim(struct structure *memory)
{
	for (unsigned i = 0; memory && i < STRUCTURED_NESTED; i++) {
		if (!memory->nested[i])
			continue;
		text_trim(&memory->nested[i]->out);
		text_trim(&memory->nested[i]->plain);
		text_trim(&memory->nested[i]->name);
	}
}

void structure_free(struct structure **memory)
{
	for (unsigned i = 0; *memory && i < STRUCTURED_NESTED; i++) {
		if (!(*memory)->nested[i])
			continue;
		weir_text_release(&(*memory)->nested[i]->out);
		weir_text_release(&(*memory)->nested[i]->plain);
		weir_text_release(&(*memory)->nested[i]->name);
		free((*memory)->nested[i]);
	}
	free(*memory);
	*memory = NULL;
}
