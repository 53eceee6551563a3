/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode.c: OTLP metrics (opentelemetry.proto.metrics.v1), written by hand.
 *
 * Names, units and attributes are those that the Collector sends: what the
 * page for Prometheus spells with '_' has its dots again.  Holds nothing.  It
 * must never write a length before it is known: a message is written behind a
 * gap of one byte, and moved when its length needs more.
 */
#include "encode.h"

#include <endian.h>

enum { VARINT = 0, FIXED64 = 1, BYTES = 2 };	/* wire types */

/* --- Protobuf ----------------------------------------------------------- */

static void put(struct weir_text *out, const void *ptr, size_t len)
{
	weir_text_add(out, (weir_str){ ptr, len });
}

static size_t write_varint(uint8_t *p, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		p[n++] = (uint8_t)(value | 0x80);
	p[n++] = (uint8_t)value;
	return n;
}

static void put_varint(struct weir_text *out, uint64_t value)
{
	uint8_t bytes[10];

	put(out, bytes, write_varint(bytes, value));
}

/* Every field number here is below 16: a tag is one byte. */
static void put_tag(struct weir_text *out, uint32_t field, uint32_t wire)
{
	put_varint(out, field << 3 | wire);
}

static void put_number(struct weir_text *out, uint32_t field, uint64_t value)
{
	put_tag(out, field, VARINT);
	put_varint(out, value);
}

static void put_raw64(struct weir_text *out, uint64_t value)
{
	value = htole64(value);
	put(out, &value, sizeof(value));
}

static void put_fixed64(struct weir_text *out, uint32_t field, uint64_t value)
{
	put_tag(out, field, FIXED64);
	put_raw64(out, value);
}

static uint64_t bits_of(double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void put_double(struct weir_text *out, uint32_t field, double value)
{
	put_fixed64(out, field, bits_of(value));
}

static void put_str(struct weir_text *out, uint32_t field, weir_str text)
{
	put_tag(out, field, BYTES);
	put_varint(out, text.len);
	weir_text_add(out, text);
}

/* Where none is the same as an empty one. */
static void put_text(struct weir_text *out, uint32_t field, weir_str text)
{
	if (text.len)
		put_str(out, field, text);
}

/* Begins a message; returns where its body will stand. */
static size_t begin(struct weir_text *out, uint32_t field)
{
	put_tag(out, field, BYTES);
	put(out, "", 1);
	return out->len;
}

static void end(struct weir_text *out, size_t body)
{
	size_t len = out->len - body, n;
	uint8_t bytes[10];

	n = write_varint(bytes, len);
	put(out, bytes, n - 1);		/* only for the room */
	memmove(out->ptr + body + n - 1, out->ptr + body, len);
	memcpy(out->ptr + body - 1, bytes, n);
}

/* --- Attributes --------------------------------------------------------- */

/* KeyValue: key 1, value 2; AnyValue: string 1, int 3. */
static void put_attribute(struct weir_text *out, uint32_t field, weir_str key,
			  weir_str value, bool is_number)
{
	size_t pair = begin(out, field), any;
	uint64_t number = 0;

	put_text(out, 1, key);
	any = begin(out, 2);
	for (size_t i = 0; is_number && i < value.len; i++)
		number = number * 10 + (uint64_t)(value.ptr[i] - '0');
	if (is_number)
		put_number(out, 3, number);
	else
		put_str(out, 1, value);
	end(out, any);
	end(out, pair);
}

static bool is_digits(weir_str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	return text.len > 0 && text.len < 19;
}

/* A label of the page: under the name it has in OTLP. */
static void put_label(struct weir_text *out, uint32_t field,
		      const struct weir_label *label)
{
	static const struct {
		const char *label, *key;
		bool is_number;
	} names[] = {
		{ "otel_signal", "otel.signal", false },
		{ "server_address", "server.address", false },
		{ "server_port", "server.port", true },
		{ "url_path", "url.path", false },
	};
	weir_str key = label->name;
	bool is_number = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!weir_str_eq(label->name, weir_str_of(names[i].label)))
			continue;
		key = weir_str_of(names[i].key);
		is_number = names[i].is_number && is_digits(label->value);
	}
	put_attribute(out, field, key, label->value, is_number);
}

static void put_labels(struct weir_text *out, uint32_t field,
		       const struct weir_sample *sample)
{
	for (size_t i = 0; i < sample->n_labels; i++)
		put_label(out, field, &sample->labels[i]);
}

/* --- Points ------------------------------------------------------------- */

bool encode_is_delta(const struct weir_family *family,
		     enum preference preference)
{
	static const char observed[] = "otelcol_process_";
	size_t len = sizeof(observed) - 1;

	if (family->type == WEIR_METRIC_GAUGE ||
	    preference == PREFER_CUMULATIVE)
		return false;
	return preference == PREFER_DELTA || family->name.len < len ||
	       memcmp(family->name.ptr, observed, len);
}

static void put_times(struct weir_text *out,
		      const struct encode_options *options, bool delta)
{
	uint64_t start = delta && options->last ? options->last
						: options->start;

	if (start)
		put_fixed64(out, 2, start);
	put_fixed64(out, 3, options->now);
}

/* NumberDataPoint: start 2, time 3, as_double 4, as_int 6, attributes 7. */
static void put_number_point(struct weir_text *out,
			     const struct encode_options *options,
			     const struct weir_family *family,
			     const struct weir_sample *sample, bool delta)
{
	size_t point = begin(out, 1);

	put_times(out, options, delta);
	if (family->is_real)
		put_double(out, 4, sample->real);
	else
		put_fixed64(out, 6, sample->counter);	/* or gauge */
	put_labels(out, 7, sample);
	end(out, point);
}

/* HistogramDataPoint: start 2, time 3, count 4, sum 5, bucket_counts 6 and
 * explicit_bounds 7 (packed), attributes 9. */
static void put_histogram_point(struct weir_text *out,
				const struct encode_options *options,
				const struct weir_family *family,
				const struct weir_sample *sample, bool delta)
{
	const weir_histogram *h = sample->histogram;
	size_t point = begin(out, 1);

	put_times(out, options, delta);
	put_fixed64(out, 4, h->count);
	put_double(out, 5, h->sum);
	put_tag(out, 6, BYTES);
	put_varint(out, (family->n_bounds + 1) * 8);
	for (size_t i = 0; i <= family->n_bounds; i++)
		put_raw64(out, h->buckets[i]);
	put_tag(out, 7, BYTES);
	put_varint(out, family->n_bounds * 8);
	for (size_t i = 0; i < family->n_bounds; i++)
		put_raw64(out, bits_of(family->bounds[i]));
	put_labels(out, 9, sample);
	end(out, point);
}

/* --- Metrics ------------------------------------------------------------ */

/* Gauges here that are sums there, of what comes and goes. */
static bool is_up_down(weir_str name)
{
	static const char *const names[] = {
		"otelcol_exporter_in_flight_requests",
		"otelcol_processor_batch_metadata_cardinality",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (weir_str_eq(name, weir_str_of(names[i])))
			return true;
	return false;
}

/* aggregation_temporality 2: DELTA 1, CUMULATIVE 2; is_monotonic 3. */
static void put_data(struct weir_text *out,
		     const struct encode_options *options,
		     const struct weir_family *family)
{
	enum { GAUGE = 5, SUM = 7, HISTOGRAM = 9 } kind = SUM;
	bool delta = encode_is_delta(family, options->preference);
	bool histogram = family->type == WEIR_METRIC_HISTOGRAM;
	size_t data;

	if (histogram)
		kind = HISTOGRAM;
	else if (family->type == WEIR_METRIC_GAUGE && !is_up_down(family->name))
		kind = GAUGE;
	data = begin(out, kind);
	for (size_t i = 0; i < family->n_samples; i++)
		(histogram ? put_histogram_point : put_number_point)(
			out, options, family, &family->samples[i], delta);
	if (kind != GAUGE)
		put_number(out, 2, delta ? 1 : 2);
	if (kind == SUM && family->type == WEIR_METRIC_COUNTER)
		put_number(out, 3, 1);
	end(out, data);
}

/* Metric: name 1, description 2, unit 3, data 5, 7 or 9. */
static void put_metric(struct weir_text *out,
		       const struct encode_options *options,
		       const struct weir_family *family)
{
	size_t metric = begin(out, 2);

	put_text(out, 1, family->name);
	put_text(out, 2, family->help);
	put_text(out, 3, family->unit);
	put_data(out, options, family);
	end(out, metric);
}

/* ResourceMetrics: resource 1 (attributes 1), scope_metrics 2 (scope 1: name 1,
 * version 2; metrics 2). */
void encode_request(struct weir_text *out, const struct encode_options *options,
		    const struct weir_family *families, size_t n)
{
	size_t all = begin(out, 1), part, scope;

	part = begin(out, 1);
	for (size_t i = 0; i < options->n_resource; i++)
		put_attribute(out, 1, options->resource[i].name,
			      options->resource[i].value, false);
	end(out, part);
	part = begin(out, 2);
	scope = begin(out, 1);
	put_str(out, 1, WEIR_STR("weir"));
	put_text(out, 2, weir_str_of(options->scope_version));
	end(out, scope);
	for (size_t i = 0; i < n; i++)
		if (families[i].n_samples)
			put_metric(out, options, &families[i]);
	end(out, part);
	end(out, all);
}
