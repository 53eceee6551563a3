/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_redact: what rules for values cost a span, in memory.
 *
 * 12 payloads of 512 spans through the redaction plugin in a glass box:
 * decoding, walk and run, no network.  In 0, 10 and 100 of a thousand spans an
 * attribute is hit.  All configurations take turns, and the best round of each
 * counts, in CPU time: read ratios.  "without" is the plugin with nothing to do.
 *
 *   gcc -O2 -D_GNU_SOURCE -Iplugins/include -Ibuild/proto -Icore \
 *       bench/micro_redact.c tests/support/otlp_*.c build/proto/?*.o \
 *       -Lbuild -lweir -lprotobuf-c -lcheck -Wl,-rpath,build
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <weir/testing.h>

#include "../tests/support/otlp_gen.h"

#define PAYLOADS 12
#define SPANS 512
#define ROUNDS 25
#define SHARES 3

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static const uint32_t in_thousand[SHARES] = { 0, 10, 100 };
static struct otlp_bytes input[SHARES][PAYLOADS];

static double round_of(struct weir_test *t, const struct otlp_bytes *input)
{
	struct weir_outcome outcome;
	double begun = now();

	for (unsigned i = 0; i < PAYLOADS; i++) {
		if (weir_test_send(t, WEIR_SIGNAL_TRACES, input[i].ptr,
				   input[i].len, &outcome) < 0)
			abort();
		weir_test_run(t);
	}
	return (now() - begun) / PAYLOADS / SPANS;
}

/* What passed is kept, so each round has a plugin of its own. */
static double cost(const char *yaml, const struct otlp_bytes *input)
{
	struct weir_error error;
	struct weir_test *t = weir_test_open(
		"build/plugins/processors/redaction.so", yaml, WEIR_TRACES,
		&error);
	double ns;

	if (!t || weir_test_start(t, &error)) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	ns = round_of(t, input);
	weir_test_stop(t);
	weir_test_close(&t, &error);
	return ns;
}

/* The first is what api_key is hit by. */
static char *patterns(int n, const char *more)
{
	static const char *const kinds[] = {
		"AKIA%02d[A-Z0-9]{14}", "sk-%02d[A-Za-z0-9]{20}",
		"4%02d[0-9]{13}", "[0-9]{3}-%02d-[0-9]{4}",
		"secret_%02d_[a-z]+", "Bearer %02d[A-Za-z0-9._-]+",
		"5%02d[0-9]{13}", "ghp_%02d[A-Za-z0-9]{36}",
		"user%02d@[a-z.]+", "eyJ%02d[A-Za-z0-9_-]+",
	};
	char *yaml = malloc(16384);
	size_t len = (size_t)sprintf(yaml,
		"allow_all_keys: true\n%sblocked_values:\n"
		"- 'sk-[0-9a-f]{16}'\n", more);

	for (int i = 1; i < n; i++) {
		char one[128];

		snprintf(one, sizeof(one), kinds[i % 10], i / 10 + 10);
		len += (size_t)sprintf(yaml + len, "- '%s'\n", one);
	}
	return yaml;
}

#define ALL "detectors: [email, payment_card, iban, jwt, private_key, " \
	"credentials, cloud_key, llm_key]\n"

static struct row {
	const char *name, *yaml;
	double ns[SHARES];
} rows[] = {
	{ "without", "allow_all_keys: true\n", { 0 } },
	{ "key redaction", "allow_all_keys: true\n"
	  "blocked_key_patterns: ['^(api_key|user_email|token)$']\n", { 0 } },
	{ "1 value pattern", NULL, { 0 } },
	{ "10 value patterns", NULL, { 0 } },
	{ "100 value patterns", NULL, { 0 } },
	{ "10 value patterns, levels: all", NULL, { 0 } },
	{ "all detectors, levels: all", "allow_all_keys: true\nlevels: all\n"
	  ALL, { 0 } },
	{ "and JSON in strings", "allow_all_keys: true\nlevels: all\n"
	  "structured_strings: {enabled: true}\n" ALL, { 0 } },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

static void print(double base)
{
	printf("%-32s %8s %15s %15s\n", "ns a span; to key redaction, 0 %",
	       "0 %", "1 %", "10 %");
	for (size_t i = 0; i < ROWS; i++) {
		printf("%-32s", rows[i].name);
		for (unsigned share = 0; share < SHARES; share++)
			printf(" %8.0f %6.2f", rows[i].ns[share],
			       rows[i].ns[share] / base);
		putchar('\n');
	}
}

int main(void)
{
	/* memory that comes back stays: its pages would be what is timed */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	rows[2].yaml = patterns(1, "");
	rows[3].yaml = patterns(10, "");
	rows[4].yaml = patterns(100, "");
	rows[5].yaml = patterns(10, "levels: all\n");
	for (unsigned share = 0; share < SHARES; share++)
		for (unsigned i = 0; i < PAYLOADS; i++)
			input[share][i] = otlp_typical_traces(
				SPANS, in_thousand[share], i + 1);
	for (int round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < ROWS; i++)
			for (unsigned share = 0; share < SHARES; share++) {
				double ns = cost(rows[i].yaml, input[share]);
				double *best = &rows[i].ns[share];

				*best = !round || ns < *best ? ns : *best;
			}
	print(rows[1].ns[0]);
	return 0;
}
