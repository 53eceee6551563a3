/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim.h: libcurl's multi interface on a worker's loop, behind a table.
 *
 * libweircurl.so exports this table and nothing else; the kit's HTTP client
 * opens it.  Bodies come packed, headers as whole lines.
 */
#ifndef WEIR_KIT_CURL_H
#define WEIR_KIT_CURL_H

#include <weir/kit/http_client.h>

#define WEIRCURL_VERSION 1
#define WEIRCURL_SYMBOL "weircurl"

struct curl_pool;
struct curl_transfer;

struct curl_call {
	const char *method;
	weir_str url;
	const char *const *headers;	/* n lines, "name: value" */
	size_t n_headers;
	const struct weir_slice *body;	/* stays until done */
	size_t n;
	weir_duration timeout;
	void (*done)(void *arg, const struct weir_http_reply *reply);
	void *arg;
};

struct weircurl {
	uint32_t version;
	/* config outlives the pool. */
	struct curl_pool *(*open)(struct weir_component *c,
		const struct weir_http_client_config *config,
		struct weir_error *error);
	/* Ends what is under way, without done. */
	void (*close)(struct curl_pool *pool);
	/* NULL: no memory.  done runs in a later turn. */
	struct curl_transfer *(*call)(struct curl_pool *pool,
				      const struct curl_call *call);
	void (*cancel)(struct curl_transfer *transfer);
};

#endif
