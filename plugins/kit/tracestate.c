/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracestate.c: list-members of a trace state.  Characters and lengths are
 * those of Trace Context 3.3.1.3, read as OpenTelemetry's own parser does.
 * Holds nothing.
 */
#include <weir/kit/tracestate.h>

#include <string.h>

#define VALUE_MAX 256

static bool is_key_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_-*/", c));
}

/* 1 to most characters; only a tenant may begin with a digit. */
static bool is_key_part(weir_str part, size_t most, bool digit)
{
	if (!part.len || part.len > most)
		return false;
	if ((part.ptr[0] < 'a' || part.ptr[0] > 'z') &&
	    !(digit && part.ptr[0] >= '0' && part.ptr[0] <= '9'))
		return false;
	for (size_t i = 1; i < part.len; i++)
		if (!is_key_char(part.ptr[i]))
			return false;
	return true;
}

/* Cuts text at the first c: what is before it; *text keeps what is behind.
 * Without one, all of it, and false. */
static bool cut(weir_str *text, char c, weir_str *before)
{
	const char *at = text->len ? memchr(text->ptr, c, text->len) : NULL;

	*before = *text;
	if (!at) {
		*text = WEIR_STR("");
		return false;
	}
	before->len = (size_t)(at - text->ptr);
	text->ptr += before->len + 1;
	text->len -= before->len + 1;
	return true;
}

static bool is_key(weir_str key)
{
	weir_str tenant;

	if (!cut(&key, '@', &tenant))
		return is_key_part(tenant, 256, false);
	return is_key_part(tenant, 241, true) && is_key_part(key, 14, false);
}

static bool is_value(weir_str value)
{
	if (!value.len || value.len > VALUE_MAX ||
	    value.ptr[value.len - 1] == ' ')
		return false;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c < 0x20 || c > 0x7e || c == ',' || c == '=')
			return false;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool add_member(struct weir_tracestate *out, weir_str member)
{
	weir_str value = member, key;

	if (!cut(&value, '=', &key))
		return false;
	for (; key.len && is_blank(key.ptr[0]); key.ptr++)
		key.len--;
	while (value.len && is_blank(value.ptr[value.len - 1]))
		value.len--;
	if (!is_key(key) || !is_value(value) ||
	    out->n == WEIR_TRACESTATE_MAX)
		return false;
	for (size_t i = 0; i < out->n; i++)
		if (weir_str_eq(out->members[i].key, key))
			return false;
	out->members[out->n].key = key;
	out->members[out->n++].value = value;
	return true;
}

bool weir_tracestate_parse(weir_str text, struct weir_tracestate *out)
{
	out->n = 0;
	while (text.len) {
		weir_str member;

		cut(&text, ',', &member);
		if (member.len && !add_member(out, member))
			return false;
	}
	return true;
}

weir_str weir_tracestate_get(const struct weir_tracestate *state, weir_str key)
{
	for (size_t i = 0; i < state->n; i++)
		if (weir_str_eq(state->members[i].key, key))
			return state->members[i].value;
	return WEIR_STR("");
}
