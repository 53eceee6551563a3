/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_http: sends OTLP over HTTP, as protobuf or JSON.
 *
 * A batch is already the body of an export request, so its slices go out as
 * they are; JSON is written once an attempt.  Queue, retries and timeout are
 * the kit's sender, connections its HTTP client; here are the URLs, the bodies
 * and what an answer means.  Holds the attempts under way.  Must never touch
 * an attempt after cancel.
 */
#include <stdlib.h>
#include <weir/kit/exporter.h>
#include <weir/kit/otlp_json.h>

#include "otlp_http.h"

struct otlp_http {
	struct weir_component base;
	struct weir_sender_config sending;
	struct weir_http_client_config http;
	weir_str traces_endpoint, metrics_endpoint, logs_endpoint;
	weir_str profiles_endpoint, encoding;
	struct weir_sender_gauges gauges;
	struct weir_text urls[WEIR_SIGNAL_COUNT];
	struct weir_sender *sender;
	struct weir_http_client *client;
};

/* One request under way. */
struct attempt {
	struct weir_send *send;
	struct weir_http_request *request;
	enum weir_signal signal;
	struct weir_text json;
	struct weir_slice slice;	/* json */
};

static const struct weir_field fields[] = {
	WEIR_SENDER_FIELDS(struct otlp_http, sending, "30s", "0"),
	WEIR_INCLUDE(struct otlp_http, http, weir_http_client_fields),
	/* Other defaults than an HTTP client has on its own. */
	WEIR_FIELD_AS(struct otlp_http, "compression", http.compression, "gzip",
		      "Of requests: gzip, zstd, zlib, deflate, snappy, "
		      "x-snappy-framed, lz4 or none."),
	WEIR_FIELD_AS(struct otlp_http, "write_buffer_size",
		      http.write_buffer_size, "524288",
		      "Bytes written at a time; 0: 64 KiB."),
	WEIR_FIELD(struct otlp_http, traces_endpoint, "",
		   "The URL for traces; default: endpoint + /v1/traces."),
	WEIR_FIELD(struct otlp_http, metrics_endpoint, "",
		   "The URL for metrics; default: endpoint + /v1/metrics."),
	WEIR_FIELD(struct otlp_http, logs_endpoint, "",
		   "The URL for logs; default: endpoint + /v1/logs."),
	WEIR_FIELD(struct otlp_http, profiles_endpoint, "",
		   "Accepted; there are no pipelines of profiles."),
	WEIR_FIELD(struct otlp_http, encoding, "proto",
		   "What is sent: proto or json."),
	WEIR_END
};

static const struct weir_metric_def metrics[] = {
	WEIR_SENDER_METRICS(struct otlp_http, gauges),
	WEIR_METRIC_END
};

/* --- Configuration -------------------------------------------------------- */

static bool is_json(const struct otlp_http *self)
{
	return weir_str_eq(self->encoding, WEIR_STR("json"));
}

/* Of the signal alone; may be "". */
static weir_str own_endpoint(const struct otlp_http *self,
			     enum weir_signal signal)
{
	switch (signal) {
	case WEIR_SIGNAL_TRACES:
		return self->traces_endpoint;
	case WEIR_SIGNAL_METRICS:
		return self->metrics_endpoint;
	default:
		return self->logs_endpoint;
	}
}

static int check_url(weir_str url, const char *key, struct weir_error *error)
{
	struct weir_http_url parts;
	struct weir_error why;

	if (!url.len || !weir_http_url_parse(url, &parts, &why))
		return 0;
	return weir_fail(error, key, "%s must be a valid URL: %.300s", key,
			 why.text);
}

static int check_signal(const struct otlp_http *self, enum weir_signal signal,
			struct weir_error *error)
{
	static const char *const keys[WEIR_SIGNAL_COUNT] = {
		[WEIR_SIGNAL_TRACES] = "traces_endpoint",
		[WEIR_SIGNAL_METRICS] = "metrics_endpoint",
		[WEIR_SIGNAL_LOGS] = "logs_endpoint"
	};
	weir_str own = own_endpoint(self, signal);

	if (self->base.signals & 1u << signal && !own.len &&
	    !self->http.endpoint.len)
		return weir_fail(error, NULL,
				 "either endpoint or %s must be specified",
				 keys[signal]);
	return check_url(own, keys[signal], error);
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct otlp_http *self = WEIR_SELF(c, struct otlp_http);

	if (!is_json(self) && !weir_str_eq(self->encoding, WEIR_STR("proto")))
		return weir_fail(error, "encoding",
				 "invalid encoding type: %.*s",
				 (int)(self->encoding.len < 100
					       ? self->encoding.len : 100),
				 self->encoding.ptr);
	if (!self->http.endpoint.len && !self->traces_endpoint.len &&
	    !self->metrics_endpoint.len && !self->logs_endpoint.len &&
	    !self->profiles_endpoint.len)
		return weir_fail(error, NULL,
				 "at least one endpoint must be specified");
	if (check_url(self->http.endpoint, "endpoint", error))
		return -1;
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		if (check_signal(self, (enum weir_signal)i, error))
			return -1;
	if (weir_http_client_validate(&self->http, error))
		return -1;
	return weir_sender_validate(&self->sending, error);
}

/* --- One attempt ---------------------------------------------------------- */

static weir_str url_of(const struct otlp_http *self, enum weir_signal signal)
{
	return (weir_str){ self->urls[signal].ptr, self->urls[signal].len };
}

static void release(struct attempt *attempt)
{
	weir_text_release(&attempt->json);
	free(attempt);
}

static void done(struct weir_component *c, void *arg,
		 const struct weir_http_reply *reply)
{
	struct attempt *attempt = arg;
	struct weir_send *send = attempt->send;
	struct weir_outcome outcome;

	otlp_http_outcome(reply, url_of(WEIR_SELF(c, struct otlp_http),
					attempt->signal),
			  weir_wall_now(), &outcome);
	release(attempt);
	weir_send_done(send, &outcome);
}

static void send_batch(struct weir_component *c, struct weir_send *send,
		       const struct weir_batch *batch)
{
	struct otlp_http *self = WEIR_SELF(c, struct otlp_http);
	struct attempt *attempt = calloc(1, sizeof(*attempt));
	struct weir_http_call call = {
		.method = "POST",
		.content_type = WEIR_STR("application/x-protobuf"),
		.done = done,
		.arg = attempt
	};

	if (!attempt)
		abort();
	attempt->send = send;
	attempt->signal = weir_batch_signal(batch);
	call.url = url_of(self, attempt->signal);
	call.body = weir_batch_slices(batch, &call.n);
	if (is_json(self)) {
		/* Never refused: what leaves lets memory go. */
		attempt->json.charged = attempt->json.forced = true;
		weir_otlp_json_write(batch, &attempt->json);
		attempt->slice = (struct weir_slice){
			(const uint8_t *)attempt->json.ptr, attempt->json.len };
		call.body = &attempt->slice;
		call.n = 1;
		call.content_type = WEIR_STR("application/json");
	}
	weir_send_set_data(send, attempt);
	attempt->request = weir_http_client_call(self->client, &call);
}

static void cancel(struct weir_component *c, struct weir_send *send)
{
	struct attempt *attempt = weir_send_data(send);

	(void)c;
	weir_http_request_cancel(&attempt->request);
	release(attempt);
}

static const struct weir_sender_ops ops = {
	.send = send_batch,
	.cancel = cancel
};

/* --- Life ----------------------------------------------------------------- */

static void make_urls(struct otlp_http *self)
{
	static const char *const paths[WEIR_SIGNAL_COUNT] = {
		[WEIR_SIGNAL_TRACES] = "/v1/traces",
		[WEIR_SIGNAL_METRICS] = "/v1/metrics",
		[WEIR_SIGNAL_LOGS] = "/v1/logs"
	};
	weir_str base = self->http.endpoint;

	if (base.len && base.ptr[base.len - 1] == '/')
		base.len--;
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++) {
		weir_str own = own_endpoint(self, (enum weir_signal)i);

		if (own.len || !base.len) {
			weir_text_add(&self->urls[i], own);
			continue;
		}
		weir_text_add(&self->urls[i], base);
		weir_text_add(&self->urls[i], weir_str_of(paths[i]));
	}
}

static void label(struct otlp_http *self, enum weir_signal signal)
{
	struct weir_label labels[3];
	struct weir_http_url url;
	struct weir_error error;
	size_t n = 0;

	if (weir_http_url_parse(url_of(self, signal), &url, &error))
		return;		/* a signal that is not used */
	labels[n++] = (struct weir_label){ WEIR_STR("server_address"),
					   url.host };
	if (url.path.len)
		labels[n++] = (struct weir_label){ WEIR_STR("url_path"),
						   url.path };
	if (url.port.len)
		labels[n++] = (struct weir_label){ WEIR_STR("server_port"),
						   url.port };
	weir_label_exporter_signal(&self->base, signal, labels, n);
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct otlp_http *self = WEIR_SELF(c, struct otlp_http);

	make_urls(self);
	self->client = weir_http_client_new(c, &self->http, error);
	if (!self->client)
		return -1;
	self->sender = weir_sender_start(c, &self->sending, &ops, error);
	if (!self->sender)
		return -1;
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		label(self, (enum weir_signal)i);
	return 0;
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	weir_sender_consume(WEIR_SELF(c, struct otlp_http)->sender, batch);
}

static void measure(struct weir_component *c)
{
	struct otlp_http *self = WEIR_SELF(c, struct otlp_http);

	weir_sender_measure(self->sender, &self->gauges);
}

static void stop(struct weir_component *c)
{
	weir_sender_stop(WEIR_SELF(c, struct otlp_http)->sender);
}

static void destroy(struct weir_component *c)
{
	struct otlp_http *self = WEIR_SELF(c, struct otlp_http);

	weir_sender_free(&self->sender);
	weir_http_client_free(&self->client);
	for (int i = 0; i < WEIR_SIGNAL_COUNT; i++)
		weir_text_release(&self->urls[i]);
}

WEIR_PLUGIN(WEIR_EXPORTER, "otlp_http", "otlphttp",
	.about     = "Sends OTLP over HTTP.",
	.signals   = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_STABLE,
	.size      = sizeof(struct otlp_http),
	.fields    = fields,
	.metrics   = metrics,
	.custodian = true,
	.validate  = validate,
	.start     = start,
	.consume   = consume,
	.stop      = stop,
	.destroy   = destroy,
	.measure   = measure,
);
