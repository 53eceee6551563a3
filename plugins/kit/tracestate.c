/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracestate.c: list-members of a trace state.  Characters and lengths are
 * those of Trace Context 3.3.1.3, read as OpenTelemetry's own parser does; and
 * the `ot` member, read and written as its samplers do.  Holds nothing.
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

/* --- Sampling ---------------------------------------------------------------- */

static bool read_hex(weir_str text, uint64_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i], small = (char)(c | 32);

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (small >= 'a' && small <= 'f')
			value = value << 4 | (uint64_t)(small - 'a' + 10);
		else
			return false;
	}
	*out = value;
	return true;
}

bool weir_randomness_read(weir_str text, uint64_t *out)
{
	return text.len == WEIR_SAMPLING_DIGITS && read_hex(text, out);
}

bool weir_threshold_read(weir_str text, uint64_t *out)
{
	if (!text.len || text.len > WEIR_SAMPLING_DIGITS ||
	    !read_hex(text, out))
		return false;
	*out <<= 4 * (WEIR_SAMPLING_DIGITS - text.len);
	return true;
}

weir_str weir_randomness_text(uint64_t randomness,
			      char out[WEIR_SAMPLING_DIGITS])
{
	for (int i = WEIR_SAMPLING_DIGITS; i-- > 0; randomness >>= 4)
		out[i] = "0123456789abcdef"[randomness & 15];
	return (weir_str){ out, WEIR_SAMPLING_DIGITS };
}

weir_str weir_threshold_text(uint64_t threshold,
			     char out[WEIR_SAMPLING_DIGITS])
{
	weir_str text = weir_randomness_text(threshold, out);

	if (threshold >= WEIR_SAMPLE_NEVER)
		text.len = 0;
	while (text.len > 1 && out[text.len - 1] == '0')
		text.len--;
	return text;
}

/* Up to the next comma, without the blanks around it. */
static weir_str take_member(weir_str *text)
{
	weir_str member;

	cut(text, ',', &member);
	for (; member.len && is_blank(member.ptr[0]); member.ptr++)
		member.len--;
	while (member.len && is_blank(member.ptr[member.len - 1]))
		member.len--;
	return member;
}

/* By its characters alone. */
static bool is_key_of_any_length(weir_str key)
{
	weir_str tenant;

	if (!cut(&key, '@', &tenant))
		return is_key_part(tenant, SIZE_MAX, false);
	return is_key_part(tenant, SIZE_MAX, true) &&
		is_key_part(key, SIZE_MAX, false);
}

static bool are_members(weir_str text)
{
	while (text.len) {
		weir_str value = take_member(&text), key;

		if (value.len && (!cut(&value, '=', &key) ||
				  !is_key_of_any_length(key) ||
				  !is_value(value)))
			return false;
	}
	return true;
}

static bool is_ot_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* lcalpha *( lcalpha / DIGIT ) ":" *ot-char */
static bool is_ot_field(weir_str value)
{
	weir_str key;

	if (!cut(&value, ':', &key) || !key.len || key.ptr[0] < 'a')
		return false;
	for (size_t i = 0; i < key.len; i++)
		if ((key.ptr[i] < 'a' || key.ptr[i] > 'z') &&
		    (key.ptr[i] < '0' || key.ptr[i] > '9'))
			return false;
	for (size_t i = 0; i < value.len; i++)
		if (!is_ot_char(value.ptr[i]))
			return false;
	return true;
}

/* Fields with ";" between them, and none at the end. */
static bool are_ot_fields(weir_str text)
{
	if (!text.len || text.ptr[text.len - 1] == ';')
		return false;
	while (text.len) {
		weir_str field;

		cut(&text, ';', &field);
		if (!is_ot_field(field))
			return false;
	}
	return true;
}

static void set_text(char to[WEIR_SAMPLING_DIGITS], uint8_t *len,
		     weir_str text)
{
	memcpy(to, text.ptr, text.len);
	*len = (uint8_t)text.len;
}

static bool read_rv(struct weir_ot_tracestate *out, weir_str value)
{
	out->rv_len = 0;
	if (!weir_randomness_read(value, &out->randomness))
		return false;
	set_text(out->rv, &out->rv_len, value);
	return true;
}

static bool read_th(struct weir_ot_tracestate *out, weir_str value)
{
	out->th_len = 0;
	if (!weir_threshold_read(value, &out->threshold))
		return false;
	set_text(out->th, &out->th_len, value);
	return true;
}

/* One value of `ot`; nothing is left of one before. */
static bool read_ot(struct weir_ot_tracestate *out, weir_str value)
{
	bool ok = true;

	out->ot = WEIR_STR("");
	out->rv_len = out->th_len = 0;
	if (!are_ot_fields(value))
		return false;
	out->ot = value;
	while (value.len) {
		weir_str field, key;

		cut(&value, ';', &field);
		cut(&field, ':', &key);
		if (weir_str_eq(key, WEIR_STR("rv")))
			ok &= read_rv(out, field);
		else if (weir_str_eq(key, WEIR_STR("th")))
			ok &= read_th(out, field);
	}
	return ok;
}

static bool key_fits(weir_str key)
{
	weir_str tenant, system = key;

	return key.len <= 256 && (!cut(&system, '@', &tenant) ||
				  (tenant.len <= 241 && system.len <= 14));
}

bool weir_ot_parse(weir_str text, struct weir_ot_tracestate *out)
{
	weir_str rest = text;
	bool ok = true;

	*out = (struct weir_ot_tracestate){ .threshold = WEIR_SAMPLE_ALWAYS };
	if (text.len > WEIR_OT_LENGTH || !are_members(text))
		return false;
	out->text = text;
	for (int n = 0; rest.len; n++) {
		weir_str value, key;

		if (n == WEIR_OT_MEMBERS) {	/* what is behind is lost */
			out->text.len = (size_t)(rest.ptr - text.ptr);
			return false;
		}
		value = take_member(&rest);
		cut(&value, '=', &key);
		if (weir_str_eq(key, WEIR_STR("ot")))
			ok &= read_ot(out, value);
		else
			ok &= key_fits(key);
	}
	return ok;
}

void weir_ot_set_randomness(struct weir_ot_tracestate *state,
			    uint64_t randomness)
{
	state->randomness = randomness;
	state->rv_len = (uint8_t)weir_randomness_text(randomness,
						      state->rv).len;
}

void weir_ot_clear_threshold(struct weir_ot_tracestate *state)
{
	state->threshold = WEIR_SAMPLE_ALWAYS;
	state->th_len = 0;
}

bool weir_ot_raise_threshold(struct weir_ot_tracestate *state,
			     uint64_t threshold)
{
	if (state->th_len && state->threshold > threshold)
		return false;
	state->threshold = threshold;
	state->th_len = (uint8_t)weir_threshold_text(threshold, state->th).len;
	return true;
}

/* --- Writing ------------------------------------------------------------------ */

static char *put(char *out, weir_str text)
{
	if (text.len)
		memcpy(out, text.ptr, text.len);
	return out + text.len;
}

/* A field behind the ones that stand between start and out. */
static char *put_field(char *start, char *out, weir_str key, weir_str value)
{
	if (out != start)
		*out++ = ';';
	out = put(out, key);
	*out++ = ':';
	return put(out, value);
}

static char *put_ot(const struct weir_ot_tracestate *state, char *out)
{
	char *start = put(out, WEIR_STR("ot=")), *p = start;
	weir_str rest = state->ot;

	if (state->rv_len)
		p = put_field(start, p, WEIR_STR("rv"),
			      (weir_str){ state->rv, state->rv_len });
	if (state->th_len)
		p = put_field(start, p, WEIR_STR("th"),
			      (weir_str){ state->th, state->th_len });
	while (rest.len) {
		weir_str field, key;

		cut(&rest, ';', &field);
		cut(&field, ':', &key);
		if (!weir_str_eq(key, WEIR_STR("rv")) &&
		    !weir_str_eq(key, WEIR_STR("th")))
			p = put_field(start, p, key, field);
	}
	return p == start ? out : p;
}

weir_str weir_ot_write(const struct weir_ot_tracestate *state,
		       char out[WEIR_OT_ROOM])
{
	weir_str rest = state->text;
	char *p = put_ot(state, out);

	while (rest.len) {
		weir_str member = take_member(&rest), value = member, key;

		cut(&value, '=', &key);
		if (!member.len || weir_str_eq(key, WEIR_STR("ot")) ||
		    !key_fits(key))
			continue;
		if (p != out)
			*p++ = ',';
		p = put(p, member);
	}
	return (weir_str){ out, (size_t)(p - out) };
}
