/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c: outcomes and set-up errors as values.
 */
#include <weir/plugin.h>

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name;
	int http;
	enum weir_retry retry;
} statuses[] = {
#define XX(name, grpc, http, retry) [grpc] = { #name, http, retry },
	WEIR_STATUS_MAP(XX)
#undef XX
};

static const struct {
	const char *text;
	int http;
} reasons[] = {
#define XX(name, http, text) { text, http },
	WEIR_REASON_MAP(XX)
#undef XX
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum weir_status known(enum weir_status status)
{
	return (size_t)status < COUNT(statuses) ? status : WEIR_UNKNOWN;
}

const char *weir_status_name(enum weir_status status)
{
	return statuses[known(status)].name;
}

const char *weir_reason_name(enum weir_reason reason)
{
	return (size_t)reason < COUNT(reasons) ? reasons[reason].text : "";
}

/* A client that hears this sends again: not to be said of what is final. */
static bool is_passing(int http)
{
	return http == 429 || http == 503;
}

int weir_outcome_http(const struct weir_outcome *outcome)
{
	enum weir_status status = known(outcome->status);
	int http = 0;

	if ((size_t)outcome->reason < COUNT(reasons))
		http = reasons[outcome->reason].http;
	if (status == WEIR_OK || !http ||
	    (is_passing(http) && statuses[status].retry == WEIR_FINAL))
		http = statuses[status].http;
	return http;
}

bool weir_outcome_retryable(const struct weir_outcome *outcome)
{
	if (outcome->reason == WEIR_REASON_GAVE_UP ||
	    outcome->reason == WEIR_REASON_TOO_BIG)
		return false;
	switch (statuses[known(outcome->status)].retry) {
	case WEIR_RETRY:
		return true;
	case WEIR_RETRY_IF_TOLD:
		return outcome->retry_after.ns > 0;
	case WEIR_FINAL:
		break;
	}
	return false;
}

/* What a peer may see: one line of printable text.  UTF-8 is left whole; what
 * is none, be it the half of a character that was cut off, is not. */
static void make_printable(char *text, size_t len)
{
	size_t n, bad;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_character((const uint8_t *)text + i,
				   (const uint8_t *)text + len, &bad);
		if (!n || (unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
			text[i] = '?';
			n = 1;
		}
	}
}

void weir_outcome_set(struct weir_outcome *outcome, enum weir_status status,
		      enum weir_reason reason, const char *format, ...)
{
	va_list args;

	*outcome = (struct weir_outcome){ .status = status, .reason = reason };
	va_start(args, format);
	vsnprintf(outcome->text, sizeof(outcome->text), format, args);
	va_end(args);
	make_printable(outcome->text, strlen(outcome->text));
}

/* OK, then partial success, then what may be retried, then what may not. */
static int badness(const struct weir_outcome *outcome)
{
	if (outcome->status == WEIR_OK)
		return outcome->rejected || outcome->text[0];
	return weir_outcome_retryable(outcome) ? 2 : 3;
}

void weir_outcome_merge(struct weir_outcome *worst,
			const struct weir_outcome *other)
{
	uint64_t rejected = worst->rejected + other->rejected;

	if (badness(other) > badness(worst))
		*worst = *other;
	if (worst->status == WEIR_OK)
		worst->rejected = rejected;
}

int weir_fail(struct weir_error *error, const char *path, const char *format,
	      ...)
{
	va_list args;

	*error = (struct weir_error){ 0 };
	snprintf(error->path, sizeof(error->path), "%s", path ? path : "");
	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return -1;
}

const char *weir_signal_name(enum weir_signal signal)
{
	static const char *const names[] = { "traces", "metrics", "logs" };

	return (size_t)signal < COUNT(names) ? names[signal] : "";
}

const char *weir_kind_name(enum weir_kind kind)
{
	static const char *const names[] = { "receiver", "processor",
					     "exporter", "connector",
					     "extension" };

	return (size_t)kind < COUNT(names) ? names[kind] : "";
}
