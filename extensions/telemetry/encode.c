/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c: Prometheus text exposition 0.0.4.
 *
 * Names stay as they are but for characters that the format does not know,
 * which become '_'; units and _total are put behind on request.  Holds
 * nothing; it must never write a line that a scraper could read as two.
 */
#include "encode.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_MAX_LEN 256

/* --- text ----------------------------------------------------------------- */

void text_release(struct text *text)
{
	free(text->ptr);
	*text = (struct text){ 0 };
}

static void add(struct text *t, const char *ptr, size_t len)
{
	if (t->failed)
		return;
	if (len > t->cap - t->len) {
		size_t cap = t->cap ? t->cap : 4096;
		char *grown;

		while (cap - t->len < len)
			cap *= 2;
		grown = realloc(t->ptr, cap);
		if (!grown) {
			t->failed = true;
			return;
		}
		t->ptr = grown;
		t->cap = cap;
	}
	memcpy(t->ptr + t->len, ptr, len);
	t->len += len;
}

static void adds(struct text *t, const char *words)
{
	add(t, words, strlen(words));
}

/* Label values escape \, " and LF; HELP texts leave the quote. */
static void add_escaped(struct text *t, weir_str value, bool quotes)
{
	for (size_t i = 0; i < value.len; i++) {
		char ch = value.ptr[i];

		if (ch == '\n')
			add(t, "\\n", 2);
		else if (ch == '\\' || (ch == '"' && quotes))
			add(t, (char[]){ '\\', ch }, 2);
		else
			add(t, &ch, 1);
	}
}

static void add_real(struct text *t, double value)
{
	char digits[40];
	int exponent;

	if (isnan(value)) {
		adds(t, "NaN");
		return;
	}
	if (isinf(value)) {
		adds(t, value > 0 ? "+Inf" : "-Inf");
		return;
	}
	/* As Go writes it, so that `le` has the Collector's spelling: the
	 * fewest digits, with an exponent from 1e+06 on and below 1e-04. */
	for (int more = 0; more <= 16; more++) {
		snprintf(digits, sizeof(digits), "%.*e", more, value);
		if (strtod(digits, NULL) != value)
			continue;
		exponent = atoi(strchr(digits, 'e') + 1);
		if (exponent >= -4 && exponent < 6)
			snprintf(digits, sizeof(digits), "%.*f",
				 more > exponent ? more - exponent : 0, value);
		break;
	}
	adds(t, digits);
}

static void add_unsigned(struct text *t, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	adds(t, digits);
}

/* --- names ---------------------------------------------------------------- */

static bool is_name_char(char ch, bool colon)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
	       (ch >= '0' && ch <= '9') || ch == '_' || (colon && ch == ':');
}

/* out: NAME_MAX_LEN bytes.  An empty name becomes "_". */
static size_t clean_name(weir_str name, bool colon, char *out)
{
	size_t len = 0;

	if (!name.len || (name.ptr[0] >= '0' && name.ptr[0] <= '9'))
		out[len++] = '_';
	for (size_t i = 0; i < name.len && len < NAME_MAX_LEN - 1; i++)
		out[len++] = is_name_char(name.ptr[i], colon) ? name.ptr[i]
							      : '_';
	out[len] = '\0';
	return len;
}

static const struct {
	const char *unit, *word;
} units[] = {
	{ "d", "days" }, { "h", "hours" }, { "min", "minutes" },
	{ "s", "seconds" }, { "ms", "milliseconds" }, { "us", "microseconds" },
	{ "ns", "nanoseconds" }, { "By", "bytes" }, { "KiBy", "kibibytes" },
	{ "MiBy", "mebibytes" }, { "GiBy", "gibibytes" },
	{ "TiBy", "tibibytes" }, { "KBy", "kilobytes" },
	{ "MBy", "megabytes" }, { "GBy", "gigabytes" }, { "TBy", "terabytes" },
	{ "Cel", "celsius" }, { "Hz", "hertz" }, { "%", "percent" },
};

/* "{item}" and "1" add nothing. */
static const char *unit_word(weir_str unit)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (weir_str_eq(unit, weir_str_of(units[i].unit)))
			return units[i].word;
	return NULL;
}

/* Is word one of the parts between underscores? */
static bool has_part(const char *name, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = strstr(name, word); at; at = strstr(at + 1, word))
		if ((at == name || at[-1] == '_') &&
		    (at[len] == '_' || !at[len]))
			return true;
	return false;
}

static void append(char *name, size_t *len, const char *word)
{
	int n = snprintf(name + *len, NAME_MAX_LEN - *len, "_%s", word);

	*len += n > 0 && (size_t)n < NAME_MAX_LEN - *len ? (size_t)n : 0;
	name[*len] = '\0';
}

static void family_name(const struct weir_family *family,
			const struct encode_options *options, char *name)
{
	static const char total[] = "_total";
	size_t len = clean_name(family->name, true, name);
	size_t cut = sizeof(total) - 1;
	bool counts = family->type == WEIR_METRIC_COUNTER &&
		      !options->without_type_suffix;
	const char *word = options->without_units ? NULL
						  : unit_word(family->unit);

	/* _total comes last, behind the unit. */
	if (counts && len > cut && !strcmp(name + len - cut, total))
		name[len -= cut] = '\0';
	if (word && !has_part(name, word))
		append(name, &len, word);
	if (counts)
		append(name, &len, total + 1);
}

/* --- lines ---------------------------------------------------------------- */

static void add_header(struct text *t, const char *name, weir_str help,
		       const char *type)
{
	adds(t, "# HELP ");
	adds(t, name);
	adds(t, " ");
	add_escaped(t, help, false);
	adds(t, "\n# TYPE ");
	adds(t, name);
	adds(t, " ");
	adds(t, type);
	adds(t, "\n");
}

static void add_label(struct text *t, bool *first, weir_str name,
		      weir_str value)
{
	char clean[NAME_MAX_LEN];

	clean_name(name, false, clean);
	adds(t, *first ? "{" : ",");
	*first = false;
	adds(t, clean);
	adds(t, "=\"");
	add_escaped(t, value, true);
	adds(t, "\"");
}

bool label_is_listed(const struct weir_strs *list, weir_str name)
{
	for (size_t i = 0; i < list->len; i++)
		if (weir_str_eq(list->items[i], name))
			return true;
	return false;
}

static bool is_constant(const struct label_filter *filter, weir_str name)
{
	return !label_is_listed(&filter->excluded, name) &&
	       (!filter->included.len ||
		label_is_listed(&filter->included, name));
}

static void add_constant(struct text *t, bool *first,
			 const struct encode_options *options)
{
	const struct label_filter *filter = options->constant;

	if (!filter || !filter->enabled)
		return;
	for (size_t i = 0; i < options->n_resource; i++)
		if (is_constant(filter, options->resource[i].name))
			add_label(t, first, options->resource[i].name,
				  options->resource[i].value);
}

/* name_suffix{labels} up to the blank; le NULL: none. */
static void add_series(struct text *t, const char *name, const char *suffix,
		       const struct encode_options *options,
		       const struct weir_sample *sample, const double *le)
{
	bool first = true;

	adds(t, name);
	adds(t, suffix);
	for (size_t i = 0; i < sample->n_labels; i++)
		add_label(t, &first, sample->labels[i].name,
			  sample->labels[i].value);
	add_constant(t, &first, options);
	if (!options->without_scope_info) {
		add_label(t, &first, WEIR_STR("otel_scope_name"),
			  WEIR_STR("weir"));
		add_label(t, &first, WEIR_STR("otel_scope_schema_url"),
			  WEIR_STR(""));
		add_label(t, &first, WEIR_STR("otel_scope_version"),
			  weir_str_of(options->scope_version));
	}
	if (le) {
		adds(t, first ? "{le=\"" : ",le=\"");
		first = false;
		add_real(t, *le);
		adds(t, "\"");
	}
	adds(t, first ? " " : "} ");
}

/* Ours are counted per bucket, Prometheus's up to it. */
static void add_histogram(struct text *t, const char *name,
			  const struct encode_options *options,
			  const struct weir_family *family,
			  const struct weir_sample *sample)
{
	const weir_histogram *h = sample->histogram;
	const double inf = INFINITY;
	uint64_t below = 0;

	for (size_t i = 0; i < family->n_bounds; i++) {
		below += h->buckets[i];
		add_series(t, name, "_bucket", options, sample,
			   &family->bounds[i]);
		add_unsigned(t, below);
		adds(t, "\n");
	}
	add_series(t, name, "_bucket", options, sample, &inf);
	add_unsigned(t, h->count);
	adds(t, "\n");
	add_series(t, name, "_sum", options, sample, NULL);
	add_real(t, h->sum);
	adds(t, "\n");
	add_series(t, name, "_count", options, sample, NULL);
	add_unsigned(t, h->count);
	adds(t, "\n");
}

static void add_value(struct text *t, const struct weir_family *family,
		      const struct weir_sample *sample)
{
	if (family->is_real) {
		add_real(t, sample->real);
	} else if (family->type == WEIR_METRIC_GAUGE && sample->gauge < 0) {
		adds(t, "-");
		add_unsigned(t, 0 - (uint64_t)sample->gauge);
	} else {
		add_unsigned(t, sample->counter);
	}
}

static void add_family(struct text *t, const struct encode_options *options,
		       const struct weir_family *family)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	char name[NAME_MAX_LEN];

	family_name(family, options, name);
	add_header(t, name, family->help, types[family->type]);
	for (size_t i = 0; i < family->n_samples; i++) {
		const struct weir_sample *sample = &family->samples[i];

		if (family->type == WEIR_METRIC_HISTOGRAM) {
			add_histogram(t, name, options, family, sample);
			continue;
		}
		add_series(t, name, "", options, sample, NULL);
		add_value(t, family, sample);
		adds(t, "\n");
	}
}

/* Dashboards of the Collector look at these two as well. */
static void add_handler(struct text *t)
{
	static const char name[] = "promhttp_metric_handler_errors_total";

	add_header(t, name, WEIR_STR("Errors met while answering a scrape."),
		   "counter");
	adds(t, name);
	adds(t, "{cause=\"encoding\"} 0\n");
	adds(t, name);
	adds(t, "{cause=\"gathering\"} 0\n");
}

static void add_target(struct text *t, const struct encode_options *options)
{
	const struct weir_label *resource = options->resource;
	bool first = true;

	add_header(t, "target_info", WEIR_STR("Target metadata"), "gauge");
	adds(t, "target_info");
	for (size_t i = 0; i < options->n_resource; i++)
		add_label(t, &first, resource[i].name, resource[i].value);
	adds(t, first ? " 1\n" : "} 1\n");
}

void encode_metrics(struct text *out, const struct encode_options *options,
		    const struct weir_family *families, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add_family(out, options, &families[i]);
	add_handler(out);
	add_target(out, options);
}
