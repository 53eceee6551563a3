/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply.c: what an answer means (OTLP specification, OTLP/HTTP response).
 *
 *	2xx		taken; the body may tell of partial success
 *	429, 502-504	a passing state; Retry-After counts for 429 and 503
 *	413		too big: sent again in halves
 *	else		final
 *
 * Texts are the Collector's.  The answer comes from a stranger: what it says is
 * bounded, cleaned and clamped.  Pure.
 */
#include "otlp_http.h"

#include <limits.h>
#include <stdio.h>
#include <time.h>
#include <weir/kit/otlp_reply.h>

#define SECOND INT64_C(1000000000)
#define MOST_SECONDS (INT64_MAX / SECOND)

static const weir_str protobuf = { "application/x-protobuf", 22 };
static const weir_str json = { "application/json", 16 };

/* --- When ----------------------------------------------------------------- */

/* An integer, saturating; false when there is anything else. */
static bool read_seconds(weir_str text, int64_t *seconds)
{
	bool negative = text.len && text.ptr[0] == '-';
	size_t i = text.len && (negative || text.ptr[0] == '+');

	if (i == text.len)
		return false;
	for (*seconds = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		if (*seconds < MOST_SECONDS)
			*seconds = *seconds * 10 + (text.ptr[i] - '0');
	}
	if (*seconds > MOST_SECONDS)
		*seconds = MOST_SECONDS;
	if (negative)
		*seconds = 0;
	return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool read_date(weir_str value, int64_t *seconds)
{
	char text[64];
	struct tm date = { 0 };
	const char *end;

	if (value.len >= sizeof(text))
		return false;
	memcpy(text, value.ptr, value.len);
	text[value.len] = '\0';
	end = strptime(text, "%a, %d %b %Y %H:%M:%S ", &date);
	if (!end || (strcmp(end, "GMT") && strcmp(end, "UTC")))
		return false;
	*seconds = timegm(&date);
	return true;
}

weir_duration otlp_http_retry_after(weir_str value, uint64_t wall)
{
	int64_t seconds, now = (int64_t)(wall / (uint64_t)SECOND);

	if (read_seconds(value, &seconds))
		return (weir_duration){ seconds * SECOND };
	if (!read_date(value, &seconds) || seconds <= now)
		return (weir_duration){ 0 };
	if (seconds - now > MOST_SECONDS)
		seconds = now + MOST_SECONDS;
	return (weir_duration){ (seconds - now) * SECOND -
				(int64_t)(wall % (uint64_t)SECOND) };
}

static bool is_throttle(int status)
{
	return status == 429 || status == 503;
}

/* --- Failures ------------------------------------------------------------- */

/* The code that the Collector writes into the text. */
static enum weir_status code_of(int status)
{
	switch (status) {
	case 400:
		return WEIR_INVALID_ARGUMENT;
	case 401:
		return WEIR_UNAUTHENTICATED;
	case 403:
		return WEIR_PERMISSION_DENIED;
	case 404:
		return WEIR_UNIMPLEMENTED;
	case 429:
		return WEIR_RESOURCE_EXHAUSTED;
	case 502:
	case 503:
	case 504:
		return WEIR_UNAVAILABLE;
	default:
		return WEIR_UNKNOWN;
	}
}

/* What happens to the data.  RESOURCE_EXHAUSTED alone would not be sent again
 * unless the backend said when; 429 is. */
static void classify(int status, struct weir_outcome *outcome)
{
	outcome->status = code_of(status);
	outcome->reason = WEIR_REASON_BACKEND;
	if (status == 429) {
		outcome->status = WEIR_UNAVAILABLE;
		outcome->reason = WEIR_REASON_QUOTA;
	} else if (status == 413) {
		outcome->status = WEIR_RESOURCE_EXHAUSTED;
		outcome->reason = WEIR_REASON_TOO_BIG;
	}
}

static bool is_type(const struct weir_http_reply *reply, weir_str type)
{
	weir_str value;

	return weir_http_reply_header(reply, WEIR_STR("content-type"),
				      &value) && weir_str_eq(value, type);
}

/* ", Message=..., Details=[...]" of a Status; the Collector looks for one in
 * protobuf whatever the type says, and finds an empty one in nothing. */
static void add_status(const struct weir_http_reply *reply, char *out,
		       size_t room)
{
	size_t len = reply->len < OTLP_HTTP_BODY ? reply->len : OTLP_HTTP_BODY;
	char details[96] = "", text[128] = "";
	weir_str message;

	if (reply->status < 400)
		return;
	if (is_type(reply, json)) {
		if (!otlp_http_json_message(reply->body, len, text,
					    sizeof(text)))
			return;
		message = weir_str_of(text);
	} else if (!weir_otlp_status(reply->body, len, &message, details,
				     sizeof(details))) {
		return;
	}
	snprintf(out, room, ", Message=%.*s, Details=[%s]",
		 (int)(message.len < 128 ? message.len : 128), message.ptr,
		 details);
}

static void failed(const struct weir_http_reply *reply, weir_str url,
		   uint64_t wall, struct weir_outcome *outcome)
{
	char suffix[256] = "", shown[101];
	const char *hint = "";
	weir_str value;

	if (reply->status >= 300 && reply->status < 400)
		hint = "; this redirect is not followed";
	add_status(reply, suffix, sizeof(suffix));
	weir_outcome_set(outcome, WEIR_UNKNOWN, WEIR_REASON_BACKEND,
			 "error exporting items, request to %s responded "
			 "with HTTP Status Code %d%s%s",
			 weir_http_url_shown(url, shown, sizeof(shown)),
			 reply->status, hint, suffix);
	weir_otlp_error_text(outcome, code_of(reply->status));
	classify(reply->status, outcome);
	if (is_throttle(reply->status) &&
	    weir_http_reply_header(reply, WEIR_STR("retry-after"), &value))
		outcome->retry_after = otlp_http_retry_after(value, wall);
}

/* --- Success -------------------------------------------------------------- */

static void unreadable(const char *what, struct weir_outcome *outcome)
{
	weir_outcome_set(outcome, WEIR_INTERNAL, WEIR_REASON_BACKEND,
			 "error parsing %s response: it is no export response",
			 what);
}

/* Only these two types are looked into. */
static void taken(const struct weir_http_reply *reply,
		  struct weir_outcome *outcome)
{
	size_t len = reply->len < OTLP_HTTP_BODY ? reply->len : OTLP_HTTP_BODY;

	if (!len)
		return;
	if (is_type(reply, protobuf)) {
		if (!weir_otlp_partial_success(reply->body, len, outcome))
			unreadable("protobuf", outcome);
	} else if (is_type(reply, json)) {
		if (!otlp_http_json_partial(reply->body, len, outcome))
			unreadable("json", outcome);
	}
}

void otlp_http_outcome(const struct weir_http_reply *reply, weir_str url,
		       uint64_t wall, struct weir_outcome *outcome)
{
	char shown[81];

	*outcome = (struct weir_outcome){ .status = WEIR_OK };
	if (!reply->status)
		weir_outcome_set(outcome, reply->outcome.status,
				 reply->outcome.reason, "failed to make an "
				 "HTTP request: Post \"%s\": %s",
				 weir_http_url_shown(url, shown, sizeof(shown)),
				 reply->outcome.text);
	else if (reply->status >= 200 && reply->status <= 299)
		taken(reply, outcome);
	else
		failed(reply, url, wall, outcome);
}
