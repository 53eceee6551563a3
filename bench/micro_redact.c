/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_redact: what rules for values cost a span, in memory.
 *
 * 48 payloads of 512 spans through the redaction plugin in a glass box:
 * decoding, walk and run, no network.  Nothing is hit but by the row that says
 * so.  Read ratios: key redaction is the yardstick.
 *
 *   gcc -O2 -D_GNU_SOURCE -Iplugins/include -Ibuild/proto -Icore \
 *       bench/micro_redact.c tests/support/otlp_*.c build/proto/?*.o \
 *       -Lbuild -lweir -lprotobuf-c -lcheck -Wl,-rpath,build
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <weir/testing.h>

#include "../tests/support/otlp_gen.h"

#define PAYLOADS 48
#define SPANS 512
#define ROUNDS 10

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct otlp_bytes input[PAYLOADS];

static double round_of(struct weir_test *t)
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

static double cost(const char *yaml)
{
	struct weir_error error;
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {	/* what passed is kept */
		struct weir_test *t = weir_test_open(
			"build/plugins/processors/redaction.so", yaml,
			WEIR_TRACES, &error);
		double ns;

		if (!t || weir_test_start(t, &error)) {
			fprintf(stderr, "%s\n", error.text);
			exit(1);
		}
		ns = round_of(t);
		best = ns < best ? ns : best;
		weir_test_stop(t);
		weir_test_close(&t, &error);
	}
	return best;
}

static const char *patterns(int n, const char *more)
{
	static const char *const kinds[] = {
		"AKIA%02d[A-Z0-9]{14}", "sk-%02d[A-Za-z0-9]{20}",
		"4%02d[0-9]{13}", "[0-9]{3}-%02d-[0-9]{4}",
		"secret_%02d_[a-z]+", "Bearer %02d[A-Za-z0-9._-]+",
		"5%02d[0-9]{13}", "ghp_%02d[A-Za-z0-9]{36}",
		"user%02d@[a-z.]+", "eyJ%02d[A-Za-z0-9_-]+",
	};
	static char yaml[16384];
	size_t len = (size_t)sprintf(yaml,
		"allow_all_keys: true\n%sblocked_values:\n", more);

	for (int i = 0; i < n; i++) {
		char one[128];

		snprintf(one, sizeof(one), kinds[i % 10], i / 10 + 10);
		len += (size_t)sprintf(yaml + len, "- '%s'\n", one);
	}
	return yaml;
}

int main(void)
{
	static const char keys[] = "allow_all_keys: true\n"
		"blocked_key_patterns: ['^(api_keys|user_emails|tokens)$']\n";
	double base;

	for (unsigned i = 0; i < PAYLOADS; i++)
		input[i] = otlp_typical_traces(SPANS, 20, i + 1);
	printf("%-40s %6.0f ns\n", "key redaction", base = cost(keys));
#define ROW(name, yaml) do {						\
		double ns = cost(yaml);					\
		printf("%-40s %6.0f ns  %.2f\n", name, ns, ns / base);	\
	} while (0)
	ROW("1 value pattern", patterns(1, ""));
	ROW("10 value patterns", patterns(10, ""));
	ROW("100 value patterns", patterns(100, ""));
	ROW("10 value patterns, levels: all", patterns(10, "levels: all\n"));
	ROW("all detectors, levels: all", "allow_all_keys: true\nlevels: all\n"
	    "detectors: [email, payment_card, iban, jwt, private_key, "
	    "credentials, cloud_key, llm_key]\n");
	ROW("and JSON in strings", "allow_all_keys: true\nlevels: all\n"
	    "structured_strings: {enabled: true}\n"
	    "detectors: [email, payment_card, iban, jwt, private_key, "
	    "credentials, cloud_key, llm_key]\n");
	return 0;
}
