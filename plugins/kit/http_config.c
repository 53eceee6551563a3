/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_config.c: the keys of an HTTP server, and what their rows cannot say.
 * Holds nothing.
 */
#include "config_check.h"

#include <weir/kit/http.h>

#include <stdio.h>

#define ENDPOINT "localhost:4318"
#define MAX_BODY 20971520

static const struct weir_field cors_fields[] = {
	WEIR_FIELD(struct weir_http_cors_config, allowed_origins, NULL,
		   "Origins whose pages may read answers; one * in each, or *."),
	WEIR_FIELD(struct weir_http_cors_config, allowed_headers, NULL,
		   "Headers they may send; none: accept, content-type, x-requested-with."),
	WEIR_FIELD(struct weir_http_cors_config, exposed_headers, NULL,
		   "Headers of answers they may read."),
	WEIR_FIELD(struct weir_http_cors_config, max_age, "0",
		   "Seconds that a browser may remember a preflight."),
	WEIR_END
};

const struct weir_field weir_http_common_fields[] = {
	WEIR_FIELD(struct weir_http_server_config, transport, "tcp",
		   "Kind of socket.", .choices = "tcp tcp4 tcp6 unix"),
	WEIR_OPTIONAL(struct weir_http_server_config, cors, cors_fields,
		      WEIR_BLOCK_NONE, "Which web pages may send and read."),
	WEIR_FIELD(struct weir_http_server_config, max_request_body_size,
		   "20971520",
		   "Largest body in bytes, compressed and inflated; 0: 20 MiB."),
	WEIR_FIELD(struct weir_http_server_config, include_metadata, "false",
		   "Keep the headers of requests for processors and exporters."),
	WEIR_FIELD(struct weir_http_server_config, response_headers, NULL,
		   "Headers to add to every answer."),
	WEIR_FIELD(struct weir_http_server_config, compression_algorithms,
		   "[\"\", gzip, zstd, zlib, snappy, deflate, lz4, "
		   "x-snappy-framed]",
		   "Content encodings to accept; []: bodies pass as they are."),
	WEIR_FIELD(struct weir_http_server_config, read_timeout, "0s",
		   "For a whole request; 0: 4 KiB in every 10s."),
	WEIR_FIELD(struct weir_http_server_config, read_header_timeout, "0s",
		   "For the head of a request; 0: read_timeout, or 10s."),
	WEIR_FIELD(struct weir_http_server_config, write_timeout, "0s",
		   "For the peer to take an answer; 0: 30s without progress."),
	WEIR_FIELD(struct weir_http_server_config, idle_timeout, "1m",
		   "Between two requests; 0: read_timeout, or 60s."),
	WEIR_FIELD(struct weir_http_server_config, tls, NULL,
		   "Not available yet: refused."),
	WEIR_FIELD(struct weir_http_server_config, auth, NULL,
		   "Not available yet: refused."),
	WEIR_FIELD(struct weir_http_server_config, middlewares, NULL,
		   "Not available yet: refused."),
	WEIR_END
};

const struct weir_field weir_http_server_fields[] = {
	WEIR_FIELD(struct weir_http_server_config, endpoint, ENDPOINT,
		   "Address to listen on: host:port, :port, or a socket's path."),
	{ .key = "", .type = WEIR_TYPE_BLOCK, .sub = weir_http_common_fields },
	WEIR_FIELD(struct weir_http_server_config, keep_alives_enabled, "true",
		   "Keep connections for further requests."),
	WEIR_FIELD(struct weir_http_server_config, max_connections_per_address,
		   "0", "Connections at once of one address; 0: three quarters "
		   "of all that the process may have.", .flags = WEIR_OURS),
	WEIR_END
};

void weir_http_server_defaults(struct weir_http_server_config *config)
{
	static const weir_str algorithms[] = {
		{ "", 0 }, { "gzip", 4 }, { "zstd", 4 }, { "zlib", 4 },
		{ "snappy", 6 }, { "deflate", 7 }, { "lz4", 3 },
		{ "x-snappy-framed", 15 },
	};

	*config = (struct weir_http_server_config){
		.enabled = true,
		.endpoint = WEIR_STR(ENDPOINT),
		.transport = WEIR_STR("tcp"),
		.max_request_body_size = MAX_BODY,
		.compression_algorithms = { algorithms, 8 },
		.keep_alives_enabled = true,
	};
}

/* --- what the rows cannot say --------------------------------------------- */

static int check_endpoint(const struct weir_http_server_config *config,
			  const char *path, struct weir_error *error)
{
	struct weir_error why;

	if (!weir_listen_check(config->endpoint, config->transport, &why))
		return 0;
	return fail_at(error, path, "endpoint", why.text);
}

/* RFC 9110 5.6.2, 5.5: what would break the head of an answer is said here. */
static bool is_name(weir_str name)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	for (size_t i = 0; i < name.len; i++) {
		char ch = name.ptr[i], low = (char)(ch | 32);

		if (!((ch >= '0' && ch <= '9') || (low >= 'a' && low <= 'z') ||
		      (ch && strchr(marks, ch))))
			return false;
	}
	return name.len;
}

static bool is_value(weir_str value)
{
	for (size_t i = 0; i < value.len; i++)
		if (((unsigned char)value.ptr[i] < ' ' &&
		     value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
			return false;
	return true;
}

static int check_headers(const struct weir_pairs *pairs, const char *path,
			 struct weir_error *error)
{
	if (pairs->len > WEIR_HTTP_MAX_RESPONSE_HEADERS)
		return fail_at(error, path, "response_headers",
			       "more than 64 headers");
	for (size_t i = 0; i < pairs->len; i++) {
		if (!is_name(pairs->items[i].name))
			return fail_at(error, path, "response_headers",
				       "a name is not one of a header");
		if (!is_value(pairs->items[i].value.text))
			return fail_at(error, path, "response_headers",
				       "a value holds a control character");
	}
	return 0;
}

static int check_names(const struct weir_strs *names, const char *path,
		       const char *key, struct weir_error *error)
{
	for (size_t i = 0; i < names->len; i++)
		if (!is_name(names->items[i]))
			return fail_at(error, path, key,
				       "a name is not one of a header");
	return 0;
}

int weir_http_server_validate(const struct weir_http_server_config *config,
			      const char *path, struct weir_error *error)
{
	if (check_endpoint(config, path, error) ||
	    check_headers(&config->response_headers, path, error) ||
	    check_names(&config->cors.exposed_headers, path,
			"cors.exposed_headers", error))
		return -1;
	if (weir_node_kind(config->tls) != WEIR_NODE_NULL)
		return fail_at(error, path, "tls", "TLS is not available yet: "
			       "take the block out, or put a proxy in front");
	if (is_given(config->auth))
		return fail_at(error, path, "auth", "authentication is not "
			       "available yet: take the block out");
	if (is_given(config->middlewares))
		return fail_at(error, path, "middlewares",
			       "middlewares are not available");
	return 0;
}
