/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c: durations, times and the two bodies, in the words of the
 * Collector.  Holds nothing, reads no clock.
 */
#include "encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#define NS_PER_S 1000000000u

/* "12.5" for 12500 of 1000; no zeros at the end. */
static void decimal(uint64_t value, uint64_t unit, char *out, size_t size)
{
	char digits[24];
	int width = 0, len;

	for (uint64_t u = unit; u > 1; u /= 10)
		width++;
	len = snprintf(digits, sizeof(digits), "%0*" PRIu64, width,
		       value % unit);
	while (len > 0 && digits[len - 1] == '0')
		len--;
	snprintf(out, size, "%" PRIu64 "%s%.*s", value / unit,
		 len ? "." : "", len, digits);
}

void encode_duration(uint64_t ns, char *out, size_t size)
{
	uint64_t s = ns / NS_PER_S;
	char text[32], whole[48] = "";

	if (!ns) {
		snprintf(out, size, "0s");
		return;
	}
	if (ns < NS_PER_S) {		/* the largest unit that leaves >= 1 */
		uint64_t unit = ns < 1000 ? 1 : ns < 1000000 ? 1000 : 1000000;

		decimal(ns, unit, text, sizeof(text));
		snprintf(out, size, "%s%s", text, unit == 1 ? "ns"
			 : unit == 1000 ? "\u00b5s" : "ms");
		return;
	}
	if (s >= 3600)
		snprintf(whole, sizeof(whole), "%" PRIu64 "h%" PRIu64 "m",
			 s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(whole, sizeof(whole), "%" PRIu64 "m", s / 60);
	decimal(ns % (60 * (uint64_t)NS_PER_S), NS_PER_S, text, sizeof(text));
	snprintf(out, size, "%s%ss", whole, text);
}

void encode_time(uint64_t unix_ns, char *out, size_t size)
{
	time_t seconds = (time_t)(unix_ns / NS_PER_S);
	char fraction[32], zone[32] = "Z";
	struct tm tm;
	long offset;

	localtime_r(&seconds, &tm);
	decimal(unix_ns % NS_PER_S, NS_PER_S, fraction, sizeof(fraction));
	offset = tm.tm_gmtoff / 60;
	if (offset)
		snprintf(zone, sizeof(zone), "%c%02ld:%02ld",
			 offset < 0 ? '-' : '+',
			 (offset < 0 ? -offset : offset) / 60,
			 (offset < 0 ? -offset : offset) % 60);
	snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d%s%s",
		 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec, fraction + 1, zone);
}

void encode_ready(uint64_t up_since_unix_ns, uint64_t uptime_ns, char *out,
		  size_t size)
{
	char since[64], uptime[64];

	encode_time(up_since_unix_ns, since, sizeof(since));
	encode_duration(uptime_ns, uptime, sizeof(uptime));
	snprintf(out, size, "{\"status\":\"Server available\","
		 "\"upSince\":\"%s\",\"uptime\":\"%s\"}", since, uptime);
}

/* The zero time of Go: it never was up. */
void encode_not_ready(char *out, size_t size)
{
	snprintf(out, size, "{\"status\":\"Server not available\","
		 "\"upSince\":\"0001-01-01T00:00:00Z\",\"uptime\":\"\"}");
}
