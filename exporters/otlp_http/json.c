/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: the JSON that a backend answers with.
 *
 * Small documents, read by jansson after their size was bounded: a tree of
 * 64 KiB of text is one of a few MiB at most.  Pure.
 */
#include "otlp_http.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *load(const uint8_t *body, size_t len)
{
	json_error_t error;
	json_t *root;

	if (len > OTLP_HTTP_BODY)
		return NULL;
	root = json_loadb((const char *)body, len, JSON_ALLOW_NUL, &error);
	if (root && !json_is_object(root)) {
		json_decref(root);
		root = NULL;
	}
	return root;
}

/* By either spelling; NULL when absent or null. */
static const json_t *get(const json_t *object, const char *camel,
			 const char *snake)
{
	const json_t *value = json_object_get(object, camel);

	if (!value)
		value = json_object_get(object, snake);
	return json_is_null(value) ? NULL : value;
}

/* int64: a number, or one in a string. */
static bool read_count(const json_t *value, uint64_t *count)
{
	int64_t n = 0;
	char *end;

	if (!value)
		return true;
	if (json_is_integer(value)) {
		n = json_integer_value(value);
	} else if (json_is_string(value) && json_string_length(value)) {
		n = strtoll(json_string_value(value), &end, 10);
		if (*end)
			return false;
	} else {
		return false;
	}
	*count = n < 0 ? 0 : (uint64_t)n;	/* attacks.md 127 */
	return true;
}

static bool read_partial(const json_t *partial, struct weir_outcome *outcome)
{
	static const char *const names[][2] = {
		{ "rejectedSpans", "rejected_spans" },
		{ "rejectedDataPoints", "rejected_data_points" },
		{ "rejectedLogRecords", "rejected_log_records" }
	};
	const json_t *text = get(partial, "errorMessage", "error_message");
	uint64_t rejected = 0;

	if (!json_is_object(partial) || (text && !json_is_string(text)))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!read_count(get(partial, names[i][0], names[i][1]),
				&rejected))
			return false;
	if (text)
		weir_outcome_set(outcome, WEIR_OK, WEIR_REASON_NONE, "%.*s",
				 (int)sizeof(outcome->text),
				 json_string_value(text));
	outcome->rejected = rejected;
	return true;
}

bool otlp_http_json_partial(const uint8_t *body, size_t len,
			    struct weir_outcome *outcome)
{
	json_t *root = load(body, len);
	const json_t *partial;
	bool good = root != NULL;

	partial = get(root, "partialSuccess", "partial_success");
	if (partial)
		good = read_partial(partial, outcome);
	json_decref(root);
	return good;
}

bool otlp_http_json_message(const uint8_t *body, size_t len, char *text,
			    size_t room)
{
	json_t *root = load(body, len);
	const json_t *message = get(root, "message", "message");
	bool good = root && (!message || json_is_string(message));

	text[0] = '\0';
	if (good && message)
		snprintf(text, room, "%s", json_string_value(message));
	json_decref(root);
	return good;
}
