/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp: traces, metrics and logs as OTLP, over gRPC.
 *
 * A message becomes a batch as it came, is forwarded, and its call is answered
 * when the pipeline has answered the batch: empty responses for success, the
 * backend's partial success when it said one, else the outcome.  Holds nothing
 * but what is in flight.  Must never answer OK for what was not taken.
 */
#include <weir/kit/grpc.h>
#include <weir/plugin.h>

#include <stdio.h>

struct otlp_protocols {
	struct weir_grpc_server_config grpc;
	const struct weir_node *http;	/* recognised, not there yet */
};

struct otlp {
	struct weir_component base;
	struct otlp_protocols protocols;	/* config */
	struct weir_grpc_server *server;
	struct weir_grpc_method methods[WEIR_SIGNAL_COUNT];
};

static const struct weir_field protocol_fields[] = {
	WEIR_OPTIONAL(struct otlp_protocols, grpc, weir_grpc_server_fields,
		      WEIR_BLOCK_DEFAULT, "OTLP over gRPC."),
	WEIR_FIELD(struct otlp_protocols, http, NULL,
		   "OTLP over HTTP: not available yet, refused."),
	WEIR_END
};

static const struct weir_field fields[] = {
	WEIR_BLOCK(struct otlp, protocols, protocol_fields,
		   "The protocols to serve; at least one."),
	WEIR_END
};

/* One call a signal; the methods carry nothing else that could tell. */
static void receive(struct weir_component *c, enum weir_signal signal,
		    struct weir_grpc_call *call, struct weir_payload **message,
		    size_t len)
{
	struct weir_outcome refused;
	struct weir_batch *batch;

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
	weir_count_refused(c, WEIR_SIGNAL_##SIGNAL, outcome->reason, 0);	\
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

static size_t put_varint(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		out[n++] = (uint8_t)(value | 0x80);
	out[n++] = (uint8_t)value;
	return n;
}

/* Export*Response { partial_success = 1: { rejected_* = 1, error_message = 2 } }
 * where 0 and "" are left out.  Returns the length; room for 224 bytes. */
static size_t put_partial(uint8_t *out, const struct weir_outcome *outcome)
{
	uint8_t partial[sizeof(outcome->text) + 16];
	size_t n = 0, text = strnlen(outcome->text, sizeof(outcome->text));

	if (outcome->rejected) {
		partial[n++] = 0x08;
		n += put_varint(partial + n, outcome->rejected);
	}
	if (text) {
		partial[n++] = 0x12;
		n += put_varint(partial + n, text);
		memcpy(partial + n, outcome->text, text);
		n += text;
	}
	out[0] = 0x0a;
	size_t head = 1 + put_varint(out + 1, n);
	memcpy(out + head, partial, n);
	return head + n;
}

static void answered(struct weir_component *c, struct weir_batch *batch,
		     const struct weir_outcome *outcome, void *cookie)
{
	struct weir_grpc_call *call = cookie;
	uint8_t response[224];
	size_t len = 0;

	(void)c;
	if (outcome->status != WEIR_OK) {
		weir_grpc_fail(call, outcome);
		weir_batch_nack(batch, outcome);
		return;
	}
	if (outcome->rejected)
		len = put_partial(response, outcome);
	weir_grpc_reply(call, response, len);
	weir_batch_ack(batch);
}

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct otlp *self = WEIR_SELF(c, struct otlp);

	if (self->protocols.http)
		return weir_fail(error, "protocols.http", "OTLP over HTTP is "
				 "not available yet: use protocols.grpc");
	if (!self->protocols.grpc.enabled)
		return weir_fail(error, "", "must specify at least one "
				 "protocol when using the OTLP receiver");
	return weir_grpc_server_validate(&self->protocols.grpc,
					 "protocols.grpc", error);
}

/* What to set in an application; :4317 is reached on the loopback. */
static void announce(struct weir_component *c, const char *address)
{
	const char *port = strrchr(address, ':');
	char hint[256];

	if (!port) {		/* a unix socket */
		weir_announce(c, "OTLP/gRPC", address, "");
		return;
	}
	snprintf(hint, sizeof(hint),
		 "  export OTEL_EXPORTER_OTLP_PROTOCOL=grpc\n"
		 "  export OTEL_EXPORTER_OTLP_INSECURE=true\n"
		 "  export OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1%s",
		 port);
	weir_announce(c, "OTLP/gRPC", address, hint);
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct otlp *self = WEIR_SELF(c, struct otlp);
	size_t n = 0;

	weir_set_transport(c, "grpc");
	for (int s = 0; s < WEIR_SIGNAL_COUNT; s++)
		if (weir_has_pipeline(c, (enum weir_signal)s))
			self->methods[n++] = methods[s];
	self->server = weir_grpc_server_start(c, &self->protocols.grpc,
					      self->methods, n, error);
	if (!self->server)
		return -1;
	announce(c, weir_grpc_server_address(self->server));
	return 0;
}

static void stop(struct weir_component *c)
{
	struct otlp *self = WEIR_SELF(c, struct otlp);

	if (self->server)
		weir_grpc_server_stop(self->server);
}

static void destroy(struct weir_component *c)
{
	struct otlp *self = WEIR_SELF(c, struct otlp);

	weir_grpc_server_free(&self->server);
}

WEIR_PLUGIN(WEIR_RECEIVER, "otlp", "",
	.about = "Receives traces, metrics and logs as OTLP over gRPC.",
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
