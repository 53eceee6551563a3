/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.c: durations as Go writes them, because dashboards and alerts on the
 * Collector's log lines read them.  Pure.
 */
#include <weir/kit/text.h>

#include <inttypes.h>
#include <stdio.h>

/* value / unit with the fraction's trailing zeros cut: "1.5" of 1500, 1000. */
static int decimal(char *out, size_t room, uint64_t value, uint64_t unit)
{
	uint64_t fraction = value % unit;
	int digits = 0;

	if (!fraction)
		return snprintf(out, room, "%" PRIu64, value / unit);
	for (uint64_t u = unit; u > 1; u /= 10)
		digits++;
	while (fraction % 10 == 0) {
		fraction /= 10;
		digits--;
	}
	return snprintf(out, room, "%" PRIu64 ".%0*" PRIu64, value / unit,
			digits, fraction);
}

const char *weir_duration_text(weir_duration duration,
			       char out[WEIR_DURATION_TEXT])
{
	const size_t room = WEIR_DURATION_TEXT;
	uint64_t ns = duration.ns < 0 ? 0 - (uint64_t)duration.ns
				      : (uint64_t)duration.ns;
	char number[24];
	const char *sign = duration.ns < 0 ? "-" : "";
	uint64_t minutes = ns / 60000000000, seconds = ns % 60000000000;

	if (!ns) {
		snprintf(out, room, "0s");
	} else if (ns < 1000) {
		snprintf(out, room, "%s%" PRIu64 "ns", sign, ns);
	} else if (ns < 1000000) {
		decimal(number, sizeof(number), ns, 1000);
		snprintf(out, room, "%s%s\xc2\xb5s", sign, number);
	} else if (ns < 1000000000) {
		decimal(number, sizeof(number), ns, 1000000);
		snprintf(out, room, "%s%sms", sign, number);
	} else {
		decimal(number, sizeof(number), seconds, 1000000000);
		if (minutes >= 60)
			snprintf(out, room, "%s%" PRIu64 "h%" PRIu64 "m%ss",
				 sign, minutes / 60, minutes % 60, number);
		else if (minutes)
			snprintf(out, room, "%s%" PRIu64 "m%ss", sign, minutes,
				 number);
		else
			snprintf(out, room, "%s%ss", sign, number);
	}
	return out;
}
