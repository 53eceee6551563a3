/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client.c: requests to a backend, up to where libcurl takes them.
 *
 *	call -> [max_conns_per_host: wait for a place] -> packed -> transfer
 *
 * Holds the requests under way, each with its packed body, and the lines of
 * headers that all of them send.  Must never run done before call has returned,
 * nor after cancel.
 */
#include <weir/kit/http_client.h>

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <weir/library.h>

#include "curl/shim.h"

#define LIBRARY "libweircurl.so"
#define MOST_LINES 128
#define MOST_REPLY (4u << 20)	/* unpacked */
#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif

struct weir_http_client {
	struct weir_component *c;
	const struct weir_http_client_config *config;
	const struct weircurl *curl;
	struct curl_pool *pool;
	struct weir_compressor *compressor;	/* NULL: none */
	struct weir_http_request *requests;
};

struct weir_http_request {
	struct weir_http_request *next, *prev;
	struct weir_http_client *client;
	struct weir_http_call call;	/* the URL is ours */
	char *url;
	char *lines[MOST_LINES];	/* headers, each malloc'd */
	size_t n_lines;
	uint8_t *packed;
	struct weir_slice piece;	/* packed */
	struct weir_credits *places;	/* of max_conns_per_host; NULL: none */
	struct weir_credits_wait wait;
	bool placed;
	struct curl_transfer *transfer;
	struct weir_timer failing;	/* it could not begin */
	bool no_memory;
};

/* --- Headers -------------------------------------------------------------- */

static bool same_name(weir_str name, const char *other)
{
	return name.len == strlen(other) &&
	       !strncasecmp(name.ptr, other, name.len);
}

static bool is_configured(const struct weir_pairs *pairs, weir_str name)
{
	for (size_t i = 0; i < pairs->len; i++)
		if (pairs->items[i].name.len == name.len &&
		    !strncasecmp(pairs->items[i].name.ptr, name.ptr, name.len))
			return true;
	return false;
}

/* What frames the message is not the user's to set (Go's client leaves it out
 * as well). */
static bool is_framing(weir_str name)
{
	return same_name(name, "content-length") ||
	       same_name(name, "transfer-encoding") ||
	       same_name(name, "trailer");
}

/* "name: value"; libcurl wants "name;" for an empty value. */
static void add_line(struct weir_http_request *r, weir_str name,
		     weir_str value)
{
	char *line;

	if (r->n_lines == MOST_LINES ||
	    asprintf(&line, "%.*s%s%.*s", WEIR_STR_FMT(name),
		     value.len ? ": " : ";", WEIR_STR_FMT(value)) < 0)
		r->no_memory = true;
	else
		r->lines[r->n_lines++] = line;
}

static void add_default(struct weir_http_request *r, weir_str name,
			weir_str value)
{
	if (!is_configured(&r->client->config->headers, name))
		add_line(r, name, value);
}

/* A line that ends with its colon keeps libcurl from sending its own. */
static void add_silence(struct weir_http_request *r, const char *line)
{
	char *copy = strdup(line);

	if (copy && r->n_lines < MOST_LINES)
		r->lines[r->n_lines++] = copy;
	else
		r->no_memory = true;
}

static void add_lines(struct weir_http_request *r)
{
	const struct weir_http_client_config *config = r->client->config;
	const struct weir_pairs *pairs = &config->headers;

	if (!is_configured(pairs, WEIR_STR("expect")))
		add_silence(r, "Expect:");
	if (!is_configured(pairs, WEIR_STR("accept")))
		add_silence(r, "Accept:");
	add_default(r, WEIR_STR("Accept-Encoding"), WEIR_STR("gzip"));
	if (r->call.content_type.len)
		add_default(r, WEIR_STR("Content-Type"), r->call.content_type);
	else if (!is_configured(pairs, WEIR_STR("content-type")))
		add_silence(r, "Content-Type:");
	add_default(r, WEIR_STR("User-Agent"),
		    WEIR_STR("Weir/" WEIR_VERSION " (linux/" ARCH ")"));
	if (r->packed)
		add_default(r, WEIR_STR("Content-Encoding"),
			    config->compression);
	if (config->disable_keep_alives)
		add_default(r, WEIR_STR("Connection"), WEIR_STR("close"));
	for (size_t i = 0; i < r->call.n_headers; i++)
		add_default(r, r->call.headers[i].name,
			    r->call.headers[i].value);
	for (size_t i = 0; i < pairs->len; i++)
		if (!is_framing(pairs->items[i].name))
			add_line(r, pairs->items[i].name,
				 pairs->items[i].value.text);
}

/* --- A request's life ----------------------------------------------------- */

static void release(struct weir_http_request *r)
{
	struct weir_http_client *client = r->client;

	if (r->prev)
		r->prev->next = r->next;
	else
		client->requests = r->next;
	if (r->next)
		r->next->prev = r->prev;
	weir_timer_cancel(&r->failing);
	if (r->places && r->placed)
		weir_credits_give(r->places, 1);
	else if (r->places)
		weir_credits_cancel(&r->wait);
	for (size_t i = 0; i < r->n_lines; i++)
		free(r->lines[i]);
	free(r->packed);
	free(r->url);
	free(r);
}

static void finish(struct weir_http_request *r,
		   const struct weir_http_reply *reply)
{
	struct weir_component *c = r->client->c;
	struct weir_http_call call = r->call;

	release(r);
	call.done(c, call.arg, reply);
}

/* A body that came packed, as we said it may.  One that cannot be unpacked
 * leaves a refusal a refusal, but makes a success none. */
static struct weir_payload *unpack(struct weir_component *c,
				   struct weir_http_reply *reply)
{
	struct weir_outcome why = { .status = WEIR_OK };
	struct weir_payload *body;
	weir_str name;

	if (!reply->len ||
	    !weir_http_reply_header(reply, WEIR_STR("content-encoding"),
				    &name) ||
	    !weir_str_eq(name, WEIR_STR("gzip")))
		return NULL;
	body = weir_decompress(c, WEIR_ENCODING_GZIP, reply->body, reply->len,
			       MOST_REPLY, &reply->len, &why);
	reply->body = body ? weir_payload_bytes(body) : NULL;
	if (!body && reply->status < 300) {
		*reply = (struct weir_http_reply){ .status = 0 };
		weir_outcome_set(&reply->outcome, WEIR_INTERNAL,
				 WEIR_REASON_BACKEND, "the reply cannot be "
				 "read: %s", why.text);
	}
	return body;
}

static void on_done(void *arg, const struct weir_http_reply *reply)
{
	struct weir_http_request *r = arg;
	struct weir_http_reply plain = *reply;
	struct weir_payload *body = unpack(r->client->c, &plain);

	finish(r, &plain);
	weir_payload_free(&body);
}

static void on_failing(struct weir_component *c, struct weir_timer *timer)
{
	struct weir_http_request *r = (struct weir_http_request *)(void *)
		((char *)timer - offsetof(struct weir_http_request, failing));
	struct weir_http_reply reply = { 0 };

	(void)c;
	weir_outcome_set(&reply.outcome, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
			 "no memory for the request");
	finish(r, &reply);
}

/* The pieces as one, packed; slices and iovecs are alike. */
static void pack(struct weir_http_request *r)
{
	struct weir_iovec *in = malloc((r->call.n + 1) * sizeof(*in));
	size_t len = 0;

	for (size_t i = 0; in && i < r->call.n; i++)
		in[i] = (struct weir_iovec){ r->call.body[i].ptr,
					     r->call.body[i].len };
	if (in)
		r->packed = weir_compress(r->client->compressor, in,
					  r->call.n, 0, &len);
	free(in);
	if (!r->packed)
		r->no_memory = true;
	r->piece = (struct weir_slice){ r->packed, len };
}

static bool says_encoding(const struct weir_http_call *call)
{
	for (size_t i = 0; i < call->n_headers; i++)
		if (same_name(call->headers[i].name, "content-encoding"))
			return true;
	return false;
}

static void begin(struct weir_http_request *r)
{
	struct weir_http_client *client = r->client;
	struct curl_call call = {
		.method = r->call.method,
		.url = r->call.url,
		.body = r->call.body,
		.n = r->call.n,
		.timeout = r->call.timeout,
		.done = on_done,
		.arg = r
	};

	if (client->compressor && r->call.n && !says_encoding(&r->call)) {
		pack(r);
		call.body = &r->piece;
		call.n = 1;
	}
	add_lines(r);
	call.headers = (const char *const *)r->lines;
	call.n_headers = r->n_lines;
	if (!r->no_memory)
		r->transfer = client->curl->call(client->pool, &call);
	if (!r->transfer)
		weir_timer_set(&r->failing, client->c, (weir_duration){ 0 },
			       on_failing);
}

static void on_place(struct weir_component *c, struct weir_credits_wait *wait)
{
	struct weir_http_request *r = (struct weir_http_request *)(void *)
		((char *)wait - offsetof(struct weir_http_request, wait));

	(void)c;
	r->placed = true;
	begin(r);
}

/* Places are counted by host, in the whole process. */
static void take_place(struct weir_http_request *r)
{
	struct weir_http_client *client = r->client;
	int64_t most = client->config->max_conns_per_host;
	struct weir_http_url url;
	struct weir_error error;
	char name[300];

	if (most <= 0 || weir_http_url_parse(r->call.url, &url, &error)) {
		begin(r);
		return;
	}
	snprintf(name, sizeof(name), "conns %.*s:%.*s", WEIR_STR_FMT(url.host),
		 WEIR_STR_FMT(url.port));
	r->places = weir_credits_get(client->c, WEIR_SIGNAL_COUNT, name,
				     (uint64_t)most);
	r->wait.granted = on_place;
	if (weir_credits_take(r->places, 1)) {
		r->placed = true;
		begin(r);
	} else {
		weir_credits_wait(&r->wait, client->c, r->places, 1);
	}
}

struct weir_http_request *weir_http_client_call(
	struct weir_http_client *client, const struct weir_http_call *call)
{
	struct weir_http_request *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->client = client;
	r->call = *call;
	r->url = strndup(call->url.ptr, call->url.len);
	if (!r->url)
		abort();
	r->call.url.ptr = r->url;
	r->next = client->requests;
	if (r->next)
		r->next->prev = r;
	client->requests = r;
	take_place(r);
	return r;
}

void weir_http_request_cancel(struct weir_http_request **request)
{
	struct weir_http_request *r = *request;

	if (!r)
		return;
	if (r->transfer)
		r->client->curl->cancel(r->transfer);
	release(r);
	*request = NULL;
}

bool weir_http_reply_header(const struct weir_http_reply *reply, weir_str name,
			    weir_str *value)
{
	for (size_t i = 0; i < reply->n_headers; i++) {
		if (!weir_str_eq(reply->headers[i].name, name))
			continue;
		*value = reply->headers[i].value;
		return true;
	}
	return false;
}

/* --- The client ----------------------------------------------------------- */

static const struct weircurl *open_library(struct weir_error *error)
{
	const struct weircurl *curl;

	curl = weir_library_open(LIBRARY, WEIRCURL_SYMBOL, error);
	if (curl && curl->version != WEIRCURL_VERSION) {
		weir_fail(error, NULL, LIBRARY " is of another weir");
		return NULL;
	}
	return curl;
}

struct weir_http_client *weir_http_client_new(struct weir_component *c,
	const struct weir_http_client_config *config, struct weir_error *error)
{
	struct weir_http_client *client = calloc(1, sizeof(*client));
	enum weir_encoding encoding = weir_encoding_parse(config->compression);

	if (!client)
		goto out_of_memory;
	client->c = c;
	client->config = config;
	client->curl = open_library(error);
	if (client->curl)
		client->pool = client->curl->open(c, config, error);
	if (!client->pool) {
		weir_http_client_free(&client);
		return NULL;
	}
	if (encoding != WEIR_ENCODING_IDENTITY &&
	    encoding != WEIR_ENCODING_UNKNOWN) {
		client->compressor = weir_compressor_new(encoding,
			config->compression_params.level);
		if (!client->compressor)
			goto out_of_memory;
	}
	return client;
out_of_memory:
	weir_http_client_free(&client);
	weir_fail(error, NULL, "out of memory");
	return NULL;
}

void weir_http_client_free(struct weir_http_client **at)
{
	struct weir_http_client *client = *at;

	if (!client)
		return;
	while (client->requests) {
		struct weir_http_request *r = client->requests;

		weir_http_request_cancel(&r);
	}
	if (client->pool)
		client->curl->close(client->pool);
	weir_compressor_free(&client->compressor);
	free(client);
	*at = NULL;
}
