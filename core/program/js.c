/* SPDX-License-Identifier: Apache-2.0 */
/*
 * js.c: JSON, indented, printed as it is walked.  No document is built, no
 * library needed.
 */
#include "js.h"

#include "base/log_fields.h"

static void quote(struct js *p, const char *text)
{
	struct buf buf = { 0 };

	log_json_quote(&buf, weir_str_of(text));
	fwrite(buf.ptr, 1, buf.len, p->out);
	buf_release(&buf);
}

static void line(struct js *p, const char *key)
{
	fprintf(p->out, "%s\n%*s", p->more ? "," : "", 2 * p->depth, "");
	p->more = true;
	if (!key)
		return;
	quote(p, key);
	fputs(": ", p->out);
}

void js_begin(struct js *p, const char *key, const char *bracket)
{
	line(p, key);
	fputs(bracket, p->out);
	p->depth++;
	p->more = false;
}

void js_end(struct js *p, const char *bracket)
{
	p->depth--;
	if (p->more)
		fprintf(p->out, "\n%*s", 2 * p->depth, "");
	fputs(bracket, p->out);
	p->more = true;
}

void js_put(struct js *p, const char *key, const char *text)
{
	line(p, key);
	quote(p, text);
}

void js_raw(struct js *p, const char *key, const char *json)
{
	line(p, key);
	fputs(json, p->out);
}
