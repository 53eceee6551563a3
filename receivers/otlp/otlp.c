/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp: traces, metrics and logs as OTLP, over gRPC and HTTP.
 *
 * A request becomes a batch as it came, is forwarded, and is answered when the
 * pipeline has answered the batch: empty responses for success, the backend's
 * partial success when it said one, else the outcome.  Holds nothing but what
 * is in flight.  Must never answer OK for what was not taken.
 */
#include "otlp.h"

#include <stdlib.h>

static const struct weir_field http_fields[] = {
	WEIR_INCLUDE(struct otlp_http_config, server, weir_http_server_fields),
	WEIR_FIELD(struct otlp_http_config, traces_url_path, "/v1/traces",
		   "Path that takes traces."),
	WEIR_FIELD(struct otlp_http_config, metrics_url_path, "/v1/metrics",
		   "Path that takes metrics."),
	WEIR_FIELD(struct otlp_http_config, logs_url_path, "/v1/logs",
		   "Path that takes logs."),
	WEIR_END
};

static const struct weir_field protocol_fields[] = {
	WEIR_OPTIONAL(struct otlp_protocols, grpc, weir_grpc_server_fields,
		      WEIR_BLOCK_DEFAULT, "OTLP over gRPC."),
	WEIR_OPTIONAL(struct otlp_protocols, http, http_fields,
		      WEIR_BLOCK_DEFAULT, "OTLP over HTTP: protobuf, JSON."),
	WEIR_END
};

static const struct weir_field fields[] = {
	WEIR_BLOCK(struct otlp, protocols, protocol_fields,
		   "The protocols to serve; at least one."),
	WEIR_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct otlp *self = WEIR_SELF(c, struct otlp);
	struct otlp_protocols *protocols = &self->protocols;

	if (!protocols->grpc.enabled && !protocols->http.enabled)
		return weir_fail(error, "", "must specify at least one "
				 "protocol when using the OTLP receiver");
	if (protocols->grpc.enabled &&
	    weir_grpc_server_validate(&protocols->grpc, "protocols.grpc",
				      error))
		return -1;
	return protocols->http.enabled ? otlp_http_validate(self, error) : 0;
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct otlp *self = WEIR_SELF(c, struct otlp);

	if (self->protocols.grpc.enabled && otlp_grpc_start(self, error))
		return -1;
	if (self->protocols.http.enabled && otlp_http_start(self, error))
		return -1;
	/* What is announced last is shown first. */
	if (self->http)
		otlp_http_announce(self);
	if (self->grpc)
		otlp_grpc_announce(self);
	return 0;
}

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	struct weir_http_exchange *x = otlp_http_of(cookie);

	(void)c;
	if (x)
		otlp_http_answer(x, weir_batch_signal(batch), outcome);
	else
		otlp_grpc_answer(cookie, outcome);
	if (outcome->status == WEIR_OK)
		weir_batch_ack(batch);
	else
		weir_batch_nack(batch, outcome);
}

static void stop(struct weir_component *c)
{
	struct otlp *self = WEIR_SELF(c, struct otlp);

	if (self->http)
		weir_http_server_stop(self->http);
	if (self->grpc)
		weir_grpc_server_stop(self->grpc);
}

static void destroy(struct weir_component *c)
{
	struct otlp *self = WEIR_SELF(c, struct otlp);

	weir_http_server_free(&self->http);
	weir_grpc_server_free(&self->grpc);
	if (!c->node)		/* the prototype: the last one */
		for (int s = 0; s < WEIR_SIGNAL_COUNT; s++)
			free(self->paths[s]);
}

WEIR_PLUGIN(WEIR_RECEIVER, "otlp", "",
	.about = "Receives traces, metrics and logs as OTLP over gRPC and HTTP.",
	.signals = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_STABLE,
	.size = sizeof(struct otlp),
	.fields = fields,
	.validate = validate,
	.start = start,
	.answered = answered,
	.stop = stop,
	.destroy = destroy,
);
