/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client.h: HTTP requests to a backend.
 *
 * Keys, defaults and error texts are the Collector's confighttp (client).  An
 * exporter says method, URL, type and body; connections, proxies, compression
 * and cookies are the kit's.  Nothing blocks: names are resolved on threads.
 * libcurl lies in libweircurl.so, which weir_http_client_new opens.
 *
 * A reply is read as carefully as a request: its headers end at 64 KiB, its
 * body at 4 MiB, before and after gzip, which is the only encoding it may have.  A redirect that keeps method and body (307, 308) is followed
 * within the same origin, ten times; no other is: what was configured as one
 * backend's is never sent to another, and a POST never becomes a GET.
 */
#ifndef WEIR_KIT_HTTP_CLIENT_H
#define WEIR_KIT_HTTP_CLIENT_H

#include <weir/kit/compress.h>
#include <weir/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Configuration -------------------------------------------------------- */

struct weir_http_compression_params {
	int64_t level;
};
struct weir_http_cookies {
	bool enabled;
};
struct weir_http_client_config {	/* rows: weir_http_client_fields */
	weir_str endpoint;
	weir_str compression;
	struct weir_http_compression_params compression_params;
	struct weir_pairs headers;
	weir_str proxy_url;
	int64_t read_buffer_size, write_buffer_size;
	int64_t max_idle_conns, max_idle_conns_per_host, max_conns_per_host;
	weir_duration idle_conn_timeout;
	bool disable_keep_alives, force_attempt_http2;
	weir_duration http2_read_idle_timeout, http2_ping_timeout;
	struct weir_http_cookies cookies;
	/* Recognised, and refused where they say more than can be done. */
	const struct weir_node *tls, *auth, *middlewares;
};
/* Not among them: `timeout`, which is WEIR_SENDER_FIELDS'. */
WEIR_API extern const struct weir_field weir_http_client_fields[];
/* What the rows cannot say.  The endpoint is the exporter's to check. */
WEIR_API int weir_http_client_validate(
	const struct weir_http_client_config *config,
	struct weir_error *error);

/* The parts of "http://user@host:port/path?query"; port is "" unless the text
 * has one.  -1 and a sentence unless it is http or https with a host. */
struct weir_http_url {
	weir_str scheme, host, port, path;
};
WEIR_API int weir_http_url_parse(weir_str text, struct weir_http_url *url,
				 struct weir_error *error);

/* A URL as strangers and logs may see it: "***" for user and password, and for
 * what is behind a '?'.  Written to out, which is returned; cut when it does
 * not fit. */
WEIR_API const char *weir_http_url_shown(weir_str url, char *out, size_t size);

/* --- Requests ------------------------------------------------------------- */

struct weir_http_client;
struct weir_http_request;

struct weir_http_header {
	weir_str name, value;
};

struct weir_http_reply {
	/* 100..599; 0: there was no whole answer, and outcome says why. */
	int status;
	/* OK with a status; else UNAVAILABLE, DEADLINE_EXCEEDED, or
	 * RESOURCE_EXHAUSTED/TOO_BIG for a reply over the caps. */
	struct weir_outcome outcome;
	const struct weir_http_header *headers;	/* names in lower case */
	size_t n_headers;
	const uint8_t *body;
	size_t len;
};
/* The first of that name (lower case); false when there is none. */
WEIR_API bool weir_http_reply_header(const struct weir_http_reply *reply,
				     weir_str name, weir_str *value);

struct weir_http_call {
	const char *method;		/* "POST" */
	weir_str url;			/* copied */
	weir_str content_type;		/* "": no such header */
	/* Further headers; those of the configuration win.  Copied. */
	const struct weir_http_header *headers;
	size_t n_headers;
	/* The body in pieces; they stay until done.  Sent as they are unless
	 * they are to be compressed. */
	const struct weir_slice *body;
	size_t n;
	weir_duration timeout;		/* of the whole request; 0: none */
	/* The reply dies with the call. */
	void (*done)(struct weir_component *c, void *arg,
		     const struct weir_http_reply *reply);
	void *arg;
};

/* From start; config outlives the client.  NULL and a sentence on failure. */
WEIR_API struct weir_http_client *weir_http_client_new(
	struct weir_component *c, const struct weir_http_client_config *config,
	struct weir_error *error);
/* Requests under way end without done.  Not from done.  Leaves NULL. */
WEIR_API void weir_http_client_free(struct weir_http_client **client);
/* Sends; done runs once, in a later turn.  Never NULL. */
WEIR_API struct weir_http_request *weir_http_client_call(
	struct weir_http_client *client, const struct weir_http_call *call);
/* done does not run.  Leaves NULL. */
WEIR_API void weir_http_request_cancel(struct weir_http_request **request);

#ifdef __cplusplus
}
#endif
#endif
