/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc.c: OTLP over gRPC.
 *
 * One method a signal; a signal without a pipeline has none and is
 * UNIMPLEMENTED.  Holds nothing: the call is the cookie of its batch.
 */
#include "otlp.h"

#include <stdio.h>

/* One call a signal; the methods carry nothing else that could tell. */
static void receive(struct weir_component *c, enum weir_signal signal,
		    struct weir_grpc_call *call, struct weir_payload **message,
		    size_t len)
{
	struct weir_outcome refused;
	struct weir_batch *batch;

	weir_set_transport(c, "grpc");
	batch = weir_batch_decode(c, signal, message, len,
				  weir_grpc_call_context(call),
				  weir_grpc_call_deadline(call), &refused);
	if (!batch) {
		weir_count_refused(c, signal, refused.reason, 0);
		weir_grpc_fail(call, &refused);
		return;
	}
	weir_batch_track(c, batch, call);
	weir_forward(c, batch);
}

static void count(struct weir_component *c, enum weir_signal signal,
		  const struct weir_outcome *outcome)
{
	weir_set_transport(c, "grpc");
	weir_count_refused(c, signal, outcome->reason, 0);
}

#define METHODS(XX)							\
	XX(TRACES, traces, "trace.v1.TraceService")			\
	XX(METRICS, metrics, "metrics.v1.MetricsService")		\
	XX(LOGS, logs, "logs.v1.LogsService")

#define XX(SIGNAL, signal, service)					\
static void export_##signal(struct weir_component *c,			\
			    struct weir_grpc_call *call,		\
			    struct weir_payload **message, size_t len,	\
			    void *arg)					\
{									\
	(void)arg;							\
	receive(c, WEIR_SIGNAL_##SIGNAL, call, message, len);		\
}									\
static void refused_##signal(struct weir_component *c,			\
			     const struct weir_outcome *outcome,	\
			     void *arg)					\
{									\
	(void)arg;							\
	count(c, WEIR_SIGNAL_##SIGNAL, outcome);			\
}
METHODS(XX)
#undef XX

static const struct weir_grpc_method methods[WEIR_SIGNAL_COUNT] = {
#define XX(SIGNAL, signal, service)					\
	[WEIR_SIGNAL_##SIGNAL] = {					\
		.path = "/opentelemetry.proto.collector." service	\
			"/Export",					\
		.call = export_##signal,				\
		.refused = refused_##signal,				\
	},
	METHODS(XX)
#undef XX
};

void otlp_grpc_answer(struct weir_grpc_call *call,
		      const struct weir_outcome *outcome)
{
	uint8_t response[OTLP_RESPONSE];

	if (outcome->status == WEIR_OK)
		weir_grpc_reply(call, response,
				otlp_response_protobuf(response, outcome));
	else
		weir_grpc_fail(call, outcome);
}

int otlp_grpc_start(struct otlp *self, struct weir_error *error)
{
	struct weir_component *c = &self->base;
	size_t n = 0;

	for (int s = 0; s < WEIR_SIGNAL_COUNT; s++)
		if (weir_has_pipeline(c, (enum weir_signal)s))
			self->methods[n++] = methods[s];
	self->grpc = weir_grpc_server_start(c, &self->protocols.grpc,
					    self->methods, n, error);
	return self->grpc ? 0 : -1;
}

/* What to set in an application; :4317 is reached on the loopback. */
void otlp_grpc_announce(struct otlp *self)
{
	const char *address = weir_grpc_server_address(self->grpc);
	const char *port = strrchr(address, ':');
	char hint[256];

	if (!port) {		/* a unix socket */
		weir_announce(&self->base, "OTLP/gRPC", address, "");
		return;
	}
	snprintf(hint, sizeof(hint),
		 "  export OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n"
		 "  export OTEL_EXPORTER_OTLP_INSECURE=true\n"
		 "  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1%s",
		 port);
	weir_announce(&self->base, "OTLP/gRPC", address, hint);
}
