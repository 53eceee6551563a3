/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp.h: the receiver, as its files share it.
 *
 *	otlp.c		keys, servers, life
 *	grpc.c		a call becomes a batch, an answer ends the call
 *	http.c		the same for a request over HTTP
 *	url_path.c	the paths that are configured
 *	response.c	Export*Response, in protobuf and in JSON
 *
 * An answer finds its way by the cookie of its batch: a call, or an exchange
 * with the lowest bit set.  Both come from malloc, so the bit is free.
 */
#ifndef OTLP_H
#define OTLP_H

#include <weir/kit/grpc.h>
#include <weir/kit/http.h>
#include <weir/plugin.h>

struct otlp_http_config {
	bool enabled;
	struct weir_http_server_config server;
	weir_str traces_url_path, metrics_url_path, logs_url_path;
};

struct otlp_protocols {
	struct weir_grpc_server_config grpc;
	struct otlp_http_config http;
};

struct otlp {
	struct weir_component base;
	struct otlp_protocols protocols;	/* config */
	char *paths[WEIR_SIGNAL_COUNT];		/* the prototype's */

	struct weir_grpc_server *grpc;
	struct weir_grpc_method methods[WEIR_SIGNAL_COUNT];
	struct weir_http_server *http;
	struct weir_http_route routes[WEIR_SIGNAL_COUNT];
};

/* --- grpc.c ------------------------------------------------------------- */

int otlp_grpc_start(struct otlp *self, struct weir_error *error);
void otlp_grpc_announce(struct otlp *self);
void otlp_grpc_answer(struct weir_grpc_call *call,
		      const struct weir_outcome *outcome);

/* --- http.c ------------------------------------------------------------- */

/* Completes the prototype: the paths. */
int otlp_http_validate(struct otlp *self, struct weir_error *error);
int otlp_http_start(struct otlp *self, struct weir_error *error);
void otlp_http_announce(struct otlp *self);
void otlp_http_answer(struct weir_http_exchange *x, enum weir_signal signal,
		      const struct weir_outcome *outcome);

static inline void *otlp_http_cookie(struct weir_http_exchange *x)
{
	return (char *)x + 1;
}

/* NULL: the cookie is a call. */
static inline struct weir_http_exchange *otlp_http_of(void *cookie)
{
	if (!((uintptr_t)cookie & 1))
		return NULL;
	return (struct weir_http_exchange *)(void *)((char *)cookie - 1);
}

/* --- url_path.c --------------------------------------------------------- */

/* The path part of a URL as the Collector takes it, with a slash before it.
 * out: url.len + 2 bytes.  NULL, or what is wrong with it. */
const char *otlp_url_path(weir_str url, char *out);

/* --- response.c --------------------------------------------------------- */

/* Room for either form: a text, all of it escaped, and what stands around
 * it. */
#define OTLP_RESPONSE 512
_Static_assert(OTLP_RESPONSE >=
	       2 * sizeof(((struct weir_outcome *)NULL)->text) + 96,
	       "the longest text fits");

/* Success, which may be partial; the length. */
size_t otlp_response_protobuf(uint8_t out[OTLP_RESPONSE],
			      const struct weir_outcome *outcome);
size_t otlp_response_json(char out[OTLP_RESPONSE], enum weir_signal signal,
			  const struct weir_outcome *outcome);

#endif
