/* SPDX-License-Identifier: Apache-2.0 */
/*
 * micro_detect: what it costs to find nothing, and something.
 *
 * Texts: attribute values as they are (ids, URLs, names, numbers: 5 to 200
 * bytes), prose of a model, JSON of a conversation; then the prose with a
 * secret every 4 KiB.  memchr for a byte that is not there is the yardstick.
 * With `floods`: a megabyte of each near-miss, and of the worst of some that
 * chance makes; there a sum over a table, a byte a step, is the yardstick.
 *
 *   gcc -O2 -D_GNU_SOURCE -Iplugins/include bench/micro_detect.c \
 *       processors/redaction/detect*.c -Lbuild -lweir -Wl,-rpath,build
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../processors/redaction/detect.h"
#include "../tests/unit/processors/detect_floods.h"

#define ROUNDS 60
#define BIG (1 << 20)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- Texts ------------------------------------------------------------------------ */

static const char *const values[] = {
	"GET", "200", "checkout-service", "/api/v1/orders/{id}",
	"https://shop.example/api/v1/orders/8123?expand=items&page=2",
	"4bf92f3577b34da6a3ce929d0e0e4736", "grpc", "10.42.7.113", "8080",
	"550e8400-e29b-41d4-a716-446655440000", "gpt-4o-mini-2024-07-18",
	"SELECT id, total FROM orders WHERE customer = ? AND state = ?",
	"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like "
	"Gecko) Chrome/121.0.0.0 Safari/537.36",
	"web-7d4b9c6f5-x2x9z", "eu-central-1", "1706704496789123456",
	"application/json", "opentelemetry", "1.24.0", "production",
	"io.opentelemetry.spring-webmvc-6.0", "true", "chatcmpl-9f8e7d6c5b4a",
	"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
};

static const char prose[] =
	"The tallest building in the city was finished in 1931, after only "
	"410 days of work. Its architects had to solve three problems: the "
	"wind, the elevators, and the money. To explain the first, imagine "
	"that you stand on a boat; the higher you climb the mast, the more "
	"you feel every wave. A token of this is still visible today: the "
	"key beams are riveted twice (see section 4.2). As for passwords and "
	"other secrets of the trade, the author says little. Here is a "
	"summary:\n\n1. Steel frames carry the load.\n2. Walls are thin - "
	"they only keep the weather out.\n3. Elevators decide how tall a "
	"house may be.\n\nWould you like to know more about the costs, which "
	"were about $41,000,000, or about the people who worked there?\n";

static const char json[] =
	"[{\"role\":\"system\",\"content\":\"You are a helpful assistant.\"},"
	"{\"role\":\"user\",\"content\":\"What is the weather like in Paris "
	"on 2024-05-01?\"},{\"role\":\"assistant\",\"tool_calls\":[{\"id\":"
	"\"call_9f8e7d6c5b4a\",\"type\":\"function\",\"function\":{\"name\":"
	"\"get_weather\",\"arguments\":\"{\\\"city\\\":\\\"Paris\\\","
	"\\\"days\\\":3}\"}}]},{\"role\":\"tool\",\"content\":\"{\\\"t\\\":"
	"21.5,\\\"wind\\\":[3,4,5]}\"}]\n";

struct texts {
	weir_str *text;
	size_t n, bytes;
};

/* About BIG bytes of values, each where the next ends. */
static struct texts many_values(void)
{
	size_t kinds = sizeof(values) / sizeof(*values), room = BIG / 16;
	struct texts t = { calloc(room, sizeof(weir_str)), 0, 0 };
	char *at = malloc(BIG + 4096);

	while (t.bytes < BIG && t.n < room) {
		const char *value = values[t.n % kinds];
		size_t len = strlen(value);

		memcpy(at + t.bytes, value, len);
		t.text[t.n++] = (weir_str){ at + t.bytes, len };
		t.bytes += len;
	}
	return t;
}

/* One text of BIG bytes; with a secret every so many of them. */
static struct texts one_text(const char *what, size_t every)
{
	static const char secret[] = " password=hunter2 ";
	struct texts t = { calloc(1, sizeof(weir_str)), 1, BIG };
	char *at = malloc(BIG);

	for (size_t i = 0, n = strlen(what); i < BIG; i++)
		at[i] = what[i % n];
	for (size_t i = every; every && i + 64 < BIG; i += every)
		memcpy(at + i, secret, sizeof(secret) - 1);
	t.text[0] = (weir_str){ at, BIG };
	return t;
}

/* --- Timing ----------------------------------------------------------------------- */

static size_t sum;

static void any(const struct detectors *d, weir_str text)
{
	sum += detect_any(d, text);
}

static void each(const struct detectors *d, weir_str text)
{
	struct detect_walk walk;
	struct detected hit;
	size_t from = 0;

	detect_start(&walk, d, text);
	while (detect_next(&walk, from, &hit)) {
		from = hit.at + hit.len;
		sum++;
	}
}

static void yardstick(const struct detectors *d, weir_str text)
{
	(void)d;
	sum += memchr(text.ptr, 1, text.len) != NULL;
}

static void report(const char *what, const struct texts *t,
		   const struct detectors *d,
		   void (*work)(const struct detectors *d, weir_str text))
{
	double best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now(), took;

		for (size_t i = 0; i < t->n; i++)
			work(d, t->text[i]);
		took = now() - start;
		if (!round || took < best)
			best = took;
	}
	printf("%-40s %6.2f GB/s %8.1f ns a text\n", what,
	       (double)t->bytes / best, best / (double)t->n);
}

static struct detectors compile(const char *only, enum detect_scan scan)
{
	weir_str names[DETECTORS];
	struct weir_strs list = { names, 0 };
	struct weir_error error;
	struct detectors d;

	for (unsigned i = 0; i < DETECTORS; i++)
		if (!only || !strcmp(only, detector_name(i)))
			names[list.len++] = weir_str_of(detector_name(i));
	if (detectors_init(&d, list, &error))
		exit(1);
	if (scan != SCAN_WIDE)
		d.scan = scan;
	return d;
}

/* --- Floods ----------------------------------------------------------------------- */

#define CHANCES 4000
#define SHORT (8 << 10)
#define WORST 12

struct flood {
	char what[128];
	size_t n;
	double ms;		/* a megabyte (10^6 bytes) */
};

static double time_text(const struct detectors *d, weir_str text, int rounds,
			void (*work)(const struct detectors *d, weir_str text))
{
	double best = 0;

	for (int round = 0; round < rounds; round++) {
		double start = now(), took;

		work(d, text);
		took = now() - start;
		if (!round || took < best)
			best = took;
	}
	return best / (double)text.len;
}

static void by_table(const struct detectors *d, weir_str text)
{
	for (size_t i = 0; i < text.len; i++)
		sum += d->byte[i & 3][(uint8_t)text.ptr[i]];
}

static int slowest_first(const void *a, const void *b)
{
	const struct flood *x = a, *y = b;

	return (x->ms < y->ms) - (x->ms > y->ms);
}

static void print_floods(const struct flood *f, size_t n, double yardstick)
{
	for (size_t i = 0; i < n; i++) {
		printf("%8.2f ms a MB %6.1f  ", f[i].ms, f[i].ms / yardstick);
		for (size_t j = 0; j < f[i].n; j++)
			printf(f[i].what[j] >= ' ' && f[i].what[j] < 127 ?
			       "%c" : "\\x%02x", (uint8_t)f[i].what[j]);
		putchar('\n');
	}
}

static void time_floods(const struct detectors *d)
{
	static struct flood all[FLOODS + CHANCES];
	char *text = malloc(BIG);
	double yardstick;

	memset(text, 'x', BIG);
	yardstick = time_text(d, (weir_str){ text, BIG }, 5, by_table);
	printf("%8.2f ms a MB         a table, a byte a step\n", yardstick);
	for (size_t i = 0; i < FLOODS + CHANCES; i++) {
		struct flood *f = &all[i];
		size_t len = i < FLOODS ? BIG : SHORT;

		f->n = i < FLOODS ? strlen(floods[i]) :
			flood_by_chance(i, f->what);
		if (i < FLOODS)
			memcpy(f->what, floods[i], f->n);
		flood_fill(text, len, f->what, f->n);
		f->ms = time_text(d, (weir_str){ text, len }, 3, each);
	}
	qsort(all, FLOODS, sizeof(*all), slowest_first);
	print_floods(all, WORST, yardstick);
	printf("by chance:\n");
	qsort(all + FLOODS, CHANCES, sizeof(*all), slowest_first);
	for (size_t i = FLOODS; i < FLOODS + 4 * WORST; i++) {
		flood_fill(text, BIG, all[i].what, all[i].n);
		all[i].ms = time_text(d, (weir_str){ text, BIG }, 5, each);
	}
	qsort(all + FLOODS, 4 * WORST, sizeof(*all), slowest_first);
	print_floods(all + FLOODS, WORST, yardstick);
	free(text);
}

int main(int argc, char **argv)
{
	struct detectors all = compile(NULL, SCAN_WIDE);
	struct detectors tables = compile(NULL, SCAN_TABLES);
	struct texts attributes = many_values();
	struct texts talk = one_text(prose, 0), messages = one_text(json, 0);
	struct texts planted = one_text(prose, 4096);

	if (argc > 1 && !strcmp(argv[1], "floods")) {
		time_floods(&all);
		return 0;
	}
	report("memchr, attribute values", &attributes, NULL, yardstick);
	report("memchr, prose", &talk, NULL, yardstick);
	report("all, attribute values", &attributes, &all, any);
	report("all, prose", &talk, &all, any);
	report("all, JSON", &messages, &all, any);
	report("all, prose, a secret every 4 KiB", &planted, &all, each);
	for (unsigned i = 0; i < DETECTORS; i++) {
		struct detectors d = compile(detector_name(i), SCAN_WIDE);
		char what[64];

		snprintf(what, sizeof(what), "%s, prose", detector_name(i));
		report(what, &talk, &d, any);
		snprintf(what, sizeof(what), "%s, JSON", detector_name(i));
		report(what, &messages, &d, any);
	}
	report("all, attribute values, by tables", &attributes, &tables, any);
	report("all, prose, by tables", &talk, &tables, any);
	return sum == 1;	/* so that it is needed */
}
