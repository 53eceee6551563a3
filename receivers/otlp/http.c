/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c: OTLP over HTTP, protobuf and JSON.
 *
 * One route a signal; a signal without a pipeline has none and is 404.  A body
 * in protobuf is the batch's payload as it came; JSON is read into protobuf
 * first, and the walk sees both.  Holds nothing: the exchange is the cookie of
 * its batch.
 */
#include "otlp.h"

#include <weir/kit/otlp_json.h>

#include <stdio.h>
#include <stdlib.h>

#define PROTOBUF "application/x-protobuf"
#define JSON "application/json"
#define DEFAULT_BODY (20 << 20)

/* A digit and its comma become eight bytes of a fixed64 at most. */
#define GROWTH 4

static bool is_json(const struct weir_http_exchange *x)
{
	return weir_str_eq(weir_http_content_type(x), WEIR_STR(JSON));
}

/* --- Requests ----------------------------------------------------------- */

static size_t most(const struct otlp *self)
{
	int64_t body = self->protocols.http.server.max_request_body_size;
	size_t max = body > 0 ? (size_t)body : DEFAULT_BODY;

	return max < SIZE_MAX / GROWTH ? max * GROWTH : SIZE_MAX;
}

/* What JSON says; the text, NULL for none, does not wait for the answer. */
static struct weir_payload *read_json(struct weir_component *c,
				      enum weir_signal signal,
				      struct weir_payload *text, size_t *len,
				      struct weir_outcome *refused)
{
	const uint8_t *bytes = text ? weir_payload_bytes(text)
				    : (const uint8_t *)"";
	struct weir_payload *message = weir_otlp_json_read(c, signal, bytes,
		*len, most(WEIR_SELF(c, struct otlp)), len, refused);

	if (text)
		weir_payload_free(&text);
	return message;
}

/* The body as protobuf, the caller's; NULL: refused. */
static struct weir_payload *take_message(struct weir_component *c,
					 enum weir_signal signal,
					 struct weir_http_exchange *x,
					 size_t *len,
					 struct weir_outcome *refused)
{
	struct weir_payload *message = weir_http_take_body(x, len);

	if (is_json(x))
		return read_json(c, signal, message, len, refused);
	if (!message)		/* an empty request */
		message = weir_payload_new(c, 0);
	if (!message)
		weir_outcome_set(refused, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
				 "out of memory for this request");
	return message;
}

static void receive(struct weir_component *c, struct weir_http_exchange *x,
		    void *arg)
{
	enum weir_signal signal = *(const enum weir_signal *)arg;
	struct weir_outcome refused;
	struct weir_batch *batch = NULL;
	struct weir_payload *message;
	size_t len;

	weir_set_transport(c, "http");
	message = take_message(c, signal, x, &len, &refused);
	if (message)
		batch = weir_batch_decode(c, signal, &message, len,
					  weir_http_context(x), 0, &refused);
	if (!batch) {
		weir_count_refused(c, signal, refused.reason, 0);
		weir_http_fail(x, &refused);
		return;
	}
	weir_batch_track(c, batch, otlp_http_cookie(x));
	weir_forward(c, batch);
}

static void count(struct weir_component *c, const struct weir_outcome *outcome,
		  void *arg)
{
	weir_set_transport(c, "http");
	weir_count_refused(c, *(const enum weir_signal *)arg, outcome->reason,
			   0);
}

void otlp_http_answer(struct weir_http_exchange *x, enum weir_signal signal,
		      const struct weir_outcome *outcome)
{
	char response[OTLP_RESPONSE];
	bool json = is_json(x);
	size_t len;

	if (outcome->status != WEIR_OK) {
		weir_http_fail(x, outcome);
		return;
	}
	len = json ? otlp_response_json(response, signal, outcome)
		   : otlp_response_protobuf((uint8_t *)response, outcome);
	weir_http_respond(x, 200, json ? JSON : PROTOBUF, "",
			  (weir_str){ response, len });
}

/* --- Life --------------------------------------------------------------- */

static enum weir_signal signals[WEIR_SIGNAL_COUNT] = {
	WEIR_SIGNAL_TRACES, WEIR_SIGNAL_METRICS, WEIR_SIGNAL_LOGS
};
static const char *const keys[WEIR_SIGNAL_COUNT] = {
	[WEIR_SIGNAL_TRACES] = "traces_url_path",
	[WEIR_SIGNAL_METRICS] = "metrics_url_path",
	[WEIR_SIGNAL_LOGS] = "logs_url_path",
};

static int set_path(struct otlp *self, enum weir_signal signal, weir_str url,
		    struct weir_error *error)
{
	const char *fault;
	char key[64];

	snprintf(key, sizeof(key), "protocols.http.%s", keys[signal]);
	free(self->paths[signal]);
	self->paths[signal] = malloc(url.len + 2);
	if (!self->paths[signal])
		return weir_fail(error, key, "out of memory");
	fault = otlp_url_path(url, self->paths[signal]);
	if (fault)
		return weir_fail(error, key, "invalid HTTP URL path set for "
				 "signal: parse \"%.*s\": %s",
				 (int)(url.len < 200 ? url.len : 200), url.ptr,
				 fault);
	for (int s = 0; s < (int)signal; s++)
		if (!strcmp(self->paths[s], self->paths[signal]))
			return weir_fail(error, key, "%s is the path of "
					 "another signal: %s",
					 self->paths[signal], keys[s]);
	return 0;
}

int otlp_http_validate(struct otlp *self, struct weir_error *error)
{
	const struct otlp_http_config *http = &self->protocols.http;

	if (weir_http_server_validate(&http->server, "protocols.http", error))
		return -1;
	if (set_path(self, WEIR_SIGNAL_TRACES, http->traces_url_path, error) ||
	    set_path(self, WEIR_SIGNAL_METRICS, http->metrics_url_path,
		     error) ||
	    set_path(self, WEIR_SIGNAL_LOGS, http->logs_url_path, error))
		return -1;
	return 0;
}

int otlp_http_start(struct otlp *self, struct weir_error *error)
{
	struct weir_component *c = &self->base;
	size_t n = 0;

	for (int s = 0; s < WEIR_SIGNAL_COUNT; s++)
		if (weir_has_pipeline(c, signals[s]))
			self->routes[n++] = (struct weir_http_route){
				.path = weir_str_of(self->paths[s]),
				.methods = WEIR_HTTP_POST,
				.content_types = JSON " " PROTOBUF,
				.status_bodies = true,
				.handle = receive, .refused = count,
				.arg = &signals[s],
			};
	self->http = weir_http_server_start(c, &self->protocols.http.server,
					    self->routes, n, error);
	if (!self->http)
		return -1;
	if (!c->worker)
		weir_log_info(c, "Starting HTTP server", "endpoint=%s",
			      weir_http_server_address(self->http));
	return 0;
}

/* --- The first screen --------------------------------------------------- */

/* Where gRPC is served too, that is what an application is told to use. */
static int put_environment(char *out, size_t room, const char *port)
{
	return snprintf(out, room,
			"  export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n"
			"  export OTEL_EXPORTER_OTLP_ENDPOINT="
			"http://127.0.0.1%s\n", port);
}

/* A line that sends one span; it works as it stands. */
static void put_curl(char *out, size_t room, const char *port,
		     const char *path)
{
	snprintf(out, room,
		 "\nTo send one span:\n\n"
		 "  curl 127.0.0.1%s%s -H 'Content-Type: " JSON "'"
		 " -d '{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{"
		 "\"name\":\"hello\","
		 "\"traceId\":\"5b8efff798038103d269b633813fc60c\","
		 "\"spanId\":\"eee19b7ec3c1b174\"}]}]}]}'", port, path);
}

void otlp_http_announce(struct otlp *self)
{
	const char *address = weir_http_server_address(self->http);
	const char *port = strrchr(address, ':');
	char hint[640] = "";
	int n = 0;

	if (port && !self->grpc)	/* none: a unix socket */
		n = put_environment(hint, sizeof(hint), port);
	if (port && weir_has_pipeline(&self->base, WEIR_SIGNAL_TRACES))
		put_curl(hint + n, sizeof(hint) - (size_t)n, port,
			 self->paths[WEIR_SIGNAL_TRACES]);
	weir_announce(&self->base, "OTLP/HTTP", address, hint);
}
