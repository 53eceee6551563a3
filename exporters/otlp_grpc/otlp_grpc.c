/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_grpc: sends OTLP over gRPC.
 *
 * A batch is already the body of an export request, so its slices go out as
 * they are.  Queue, retries and timeout are the kit's sender, the connection
 * its gRPC client; here are only the paths, the answers and the labels.
 * Holds the calls under way.  Must never touch an attempt after cancel.
 */
#include <weir/kit/exporter.h>
#include <weir/kit/grpc.h>
#include <weir/kit/otlp_reply.h>

#include "otlp_grpc.h"

struct otlp_grpc {
	struct weir_component base;
	struct weir_sender_config sending;
	struct weir_grpc_client_config grpc;
	struct weir_sender_gauges gauges;
	struct weir_sender *sender;
	struct weir_grpc_client *client;
};

static const struct weir_field fields[] = {
	WEIR_SENDER_FIELDS(struct otlp_grpc, sending, "5s", "4MB"),
	WEIR_INCLUDE(struct otlp_grpc, grpc, weir_grpc_client_fields),
	/* Other defaults than a gRPC client has on its own. */
	WEIR_FIELD_AS(struct otlp_grpc, "compression", grpc.compression, "gzip",
		      "Of requests: gzip, zstd, snappy or none."),
	WEIR_FIELD_AS(struct otlp_grpc, "write_buffer_size",
		      grpc.write_buffer_size, "524288",
		      "Accepted; requests are written without a copy."),
	WEIR_END
};

static const struct weir_metric_def metrics[] = {
	WEIR_SENDER_METRICS(struct otlp_grpc, gauges),
	WEIR_METRIC_END
};

static const char *const paths[WEIR_SIGNAL_COUNT] = {
	[WEIR_SIGNAL_TRACES] =
		"/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	[WEIR_SIGNAL_METRICS] =
		"/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
	[WEIR_SIGNAL_LOGS] =
		"/opentelemetry.proto.collector.logs.v1.LogsService/Export"
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct otlp_grpc *self = WEIR_SELF(c, struct otlp_grpc);

	if (!otlp_authority(self->grpc.endpoint).len)
		return weir_fail(error, NULL, "requires a non-empty "
				 "\"endpoint\"");
	if (weir_grpc_client_validate(&self->grpc, "", error))
		return -1;
	return weir_sender_validate(&self->sending, error);
}

/* --- One attempt ------------------------------------------------------------- */

static void done(struct weir_component *c, void *arg,
		 const struct weir_outcome *outcome, const uint8_t *reply,
		 size_t len)
{
	struct weir_send *send = arg;
	struct weir_outcome mine = *outcome;

	(void)c;
	if (mine.status == WEIR_OK) {
		mine.text[0] = '\0';
		/* What is no such message says nothing: it was taken. */
		weir_otlp_partial_success(reply, len, &mine);
	} else {
		if (mine.reason == WEIR_REASON_NONE)
			mine.reason = WEIR_REASON_BACKEND;
		weir_otlp_error_text(&mine, mine.status);
	}
	weir_send_done(send, &mine);
}

static void send_batch(struct weir_component *c, struct weir_send *send,
		       const struct weir_batch *batch)
{
	struct otlp_grpc *self = WEIR_SELF(c, struct otlp_grpc);
	struct weir_grpc_unary unary = {
		.path = paths[weir_batch_signal(batch)],
		.timeout = self->sending.timeout,
		.done = done,
		.arg = send
	};

	unary.body = weir_batch_slices(batch, &unary.n);
	weir_send_set_data(send, weir_grpc_client_call(self->client, &unary));
}

static void cancel(struct weir_component *c, struct weir_send *send)
{
	struct weir_grpc_request *request = weir_send_data(send);

	(void)c;
	weir_grpc_request_cancel(&request);
}

static const struct weir_sender_ops ops = {
	.send = send_batch,
	.cancel = cancel
};

/* --- Life ------------------------------------------------------------------------ */

static void label(struct otlp_grpc *self)
{
	weir_str host, port;
	struct weir_label labels[2];
	size_t n = 0;

	otlp_host_port(self->grpc.endpoint, &host, &port);
	labels[n++] = (struct weir_label){ WEIR_STR("server_address"), host };
	if (port.len)
		labels[n++] = (struct weir_label){ WEIR_STR("server_port"),
						   port };
	weir_label_exporter(&self->base, labels, n);
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct otlp_grpc *self = WEIR_SELF(c, struct otlp_grpc);

	self->client = weir_grpc_client_new(c, &self->grpc, error);
	if (!self->client)
		return -1;
	self->sender = weir_sender_start(c, &self->sending, &ops, error);
	if (!self->sender)
		return -1;
	label(self);
	return 0;
}

static void consume(struct weir_component *c, struct weir_batch *batch)
{
	weir_sender_consume(WEIR_SELF(c, struct otlp_grpc)->sender, batch);
}

static void measure(struct weir_component *c)
{
	struct otlp_grpc *self = WEIR_SELF(c, struct otlp_grpc);

	weir_sender_measure(self->sender, &self->gauges);
}

static void stop(struct weir_component *c)
{
	weir_sender_stop(WEIR_SELF(c, struct otlp_grpc)->sender);
}

static void destroy(struct weir_component *c)
{
	struct otlp_grpc *self = WEIR_SELF(c, struct otlp_grpc);

	weir_sender_free(&self->sender);
	if (self->client)
		weir_grpc_client_free(&self->client);
}

WEIR_PLUGIN(WEIR_EXPORTER, "otlp_grpc", "otlp",
	.about     = "Sends OTLP over gRPC.",
	.signals   = WEIR_ALL_SIGNALS,
	.stability = WEIR_STABILITY_STABLE,
	.size      = sizeof(struct otlp_grpc),
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
