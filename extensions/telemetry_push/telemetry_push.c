/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry_push: the process's own metrics, sent every interval.
 *
 * Core starts one for each periodic reader of service.telemetry.metrics.  An
 * export is a snapshot, which visits every worker, put into OTLP bytes and
 * sent; the last one is made at the stop.  Holds at most one export.  A tick
 * that finds one under way is left out: nothing queues, nothing blocks.
 */
#include <weir/kit/otlp_reply.h>

#include "config.h"
#include "console.h"
#include "delta.h"

#define PATH "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

struct telemetry_push {
	struct weir_component base;
	struct push_config config;
	struct push_target target;
	struct weir_grpc_client *grpc;
	struct weir_http_client *http;
	struct weir_grpc_request *call;
	struct weir_http_request *post;
	struct weir_timer timer;
	bool under_way;			/* an export */
	bool stopping;			/* there is one more to make */
	bool last;			/* and this is it */
	struct weir_text body;
	struct weir_slice slice;	/* body */
	struct delta delta;
	uint64_t taken;			/* Unix ns: this export */
	uint64_t arrived;		/* the last good one */
	weir_counter sent, failed;
};

static const struct weir_field fields[] = {
	WEIR_INCLUDE(struct telemetry_push, config, push_fields),
	WEIR_END
};

static const struct weir_metric_def metrics[] = {
	WEIR_METRIC(struct telemetry_push, sent,
		    "weir_telemetry_push_sent_exports", WEIR_SHOW_BASIC,
		    "{export}", "Exports of own metrics that arrived."),
	WEIR_METRIC(struct telemetry_push, failed,
		    "weir_telemetry_push_failed_exports", WEIR_SHOW_BASIC,
		    "{export}", "Exports of own metrics that did not arrive."),
	WEIR_METRIC_END
};

static int validate(struct weir_component *c, struct weir_error *error)
{
	struct telemetry_push *self = WEIR_SELF(c, struct telemetry_push);

	return push_target_read(&self->config, &self->target, error);
}

/* --- How an export ended ------------------------------------------------ */

static void begin(struct telemetry_push *self);

static void finish(struct telemetry_push *self,
		   const struct weir_outcome *outcome)
{
	struct weir_component *c = &self->base;

	self->under_way = false;
	weir_text_clear(&self->body);
	if (outcome->status != WEIR_OK) {
		weir_counter_add(&self->failed, 1);
		weir_log_warn(c, "Failed to push own metrics", "error=%s",
			      outcome->text);
	} else {
		weir_counter_add(&self->sent, 1);
		delta_arrived(&self->delta);
		self->arrived = self->taken;
		if (outcome->rejected || outcome->text[0])
			weir_log_warn(c, "Own metrics were not all taken",
				      "rejected=%llu message=%s",
				      (unsigned long long)outcome->rejected,
				      outcome->text);
	}
	if (self->stopping && !self->last) {
		self->last = true;
		begin(self);
	} else {
		weir_set_busy(c, false);
	}
}

static void called(struct weir_component *c, void *arg,
		   const struct weir_outcome *outcome, const uint8_t *reply,
		   size_t len)
{
	struct telemetry_push *self = WEIR_SELF(c, struct telemetry_push);
	struct weir_outcome mine = *outcome;

	(void)arg;
	self->call = NULL;
	if (mine.status == WEIR_OK) {
		mine.text[0] = '\0';
		weir_otlp_partial_success(reply, len, &mine);
	} else {
		weir_otlp_error_text(&mine, mine.status);
	}
	finish(self, &mine);
}

static void posted(struct weir_component *c, void *arg,
		   const struct weir_http_reply *reply)
{
	struct telemetry_push *self = WEIR_SELF(c, struct telemetry_push);
	struct weir_outcome outcome = { .status = WEIR_OK };

	(void)arg;
	self->post = NULL;
	if (!reply->status)
		outcome = reply->outcome;
	else if (reply->status < 200 || reply->status > 299)
		weir_outcome_set(&outcome, WEIR_UNKNOWN, WEIR_REASON_BACKEND,
				 "HTTP status %d", reply->status);
	else
		weir_otlp_partial_success(reply->body, reply->len, &outcome);
	finish(self, &outcome);
}

static void printed(struct weir_component *c, const char *failure)
{
	struct weir_outcome outcome = { .status = WEIR_OK };

	if (failure)
		weir_outcome_set(&outcome, WEIR_UNAVAILABLE,
				 WEIR_REASON_BACKEND, "stdout: %s", failure);
	finish(WEIR_SELF(c, struct telemetry_push), &outcome);
}

/* --- An export ---------------------------------------------------------- */

static void call(struct telemetry_push *self)
{
	const struct weir_grpc_unary unary = {
		.path = PATH,
		.body = &self->slice,
		.n = 1,
		.timeout = self->target.timeout,
		.done = called,
	};

	self->call = weir_grpc_client_call(self->grpc, &unary);
}

static void post(struct telemetry_push *self)
{
	const struct weir_http_call request = {
		.method = "POST",
		.url = { self->target.url.ptr, self->target.url.len },
		.content_type = WEIR_STR("application/x-protobuf"),
		.body = &self->slice,
		.n = 1,
		.timeout = self->target.timeout,
		.done = posted,
	};

	self->post = weir_http_client_call(self->http, &request);
}

static void send_body(struct telemetry_push *self)
{
	self->slice = (struct weir_slice){ (const uint8_t *)self->body.ptr,
					   self->body.len };
	switch (self->target.kind) {
	case PUSH_GRPC:
		call(self);
		break;
	case PUSH_HTTP:
		post(self);
		break;
	case PUSH_CONSOLE:
		console_print(&self->base, &self->slice, self->target.timeout,
			      printed);
		break;
	}
}

static bool encode(struct telemetry_push *self,
		   const struct weir_family *families, size_t n)
{
	struct encode_options options = {
		.scope_version = weir_version(),
		.preference = self->target.preference,
		.last = self->arrived,
	};
	struct weir_family *differences;
	uint64_t ready;

	options.resource = weir_service_resource(&options.n_resource);
	weir_service_since(&options.start, &ready);
	self->taken = options.now = weir_wall_now();
	if (options.preference == PREFER_CUMULATIVE) {
		encode_request(&self->body, &options, families, n);
		return true;
	}
	differences = delta_take(&self->delta, options.preference, families,
				 n);
	if (!differences)
		return false;
	encode_request(&self->body, &options, differences, n);
	delta_free(&differences);
	return true;
}

static void on_snapshot(struct weir_component *c, void *arg,
			const struct weir_family *families, size_t n)
{
	struct telemetry_push *self = WEIR_SELF(c, struct telemetry_push);
	struct weir_outcome outcome;

	(void)arg;
	if (encode(self, families, n)) {
		send_body(self);
		return;
	}
	weir_outcome_set(&outcome, WEIR_UNAVAILABLE, WEIR_REASON_MEMORY,
			 "out of memory");
	finish(self, &outcome);
}

static void begin(struct telemetry_push *self)
{
	self->under_way = true;
	weir_set_busy(&self->base, true);
	weir_metrics_snapshot(&self->base, on_snapshot, NULL);
}

/* --- Life --------------------------------------------------------------- */

static void tick(struct weir_component *c, struct weir_timer *timer)
{
	struct telemetry_push *self = WEIR_SELF(c, struct telemetry_push);

	weir_timer_set(timer, c, self->target.interval, tick);
	if (!self->under_way)
		begin(self);
}

static int start(struct weir_component *c, struct weir_error *error)
{
	struct telemetry_push *self = WEIR_SELF(c, struct telemetry_push);

	if (self->target.kind == PUSH_GRPC) {
		self->grpc = weir_grpc_client_new(c, &self->target.grpc, error);
		if (!self->grpc)
			return -1;
	}
	if (self->target.kind == PUSH_HTTP) {
		self->http = weir_http_client_new(c, &self->target.http, error);
		if (!self->http)
			return -1;
	}
	weir_timer_set(&self->timer, c, self->target.interval, tick);
	return 0;
}

static void stop(struct weir_component *c)
{
	struct telemetry_push *self = WEIR_SELF(c, struct telemetry_push);

	if (!weir_timer_is_set(&self->timer))
		return;			/* not started, or stopped before */
	weir_timer_cancel(&self->timer);
	self->stopping = true;
	if (self->under_way)
		return;			/* finish goes on */
	self->last = true;
	begin(self);
}

static void destroy(struct weir_component *c)
{
	struct telemetry_push *self = WEIR_SELF(c, struct telemetry_push);

	if (!c->node) {
		push_target_release(&self->target);
		return;
	}
	if (self->call)
		weir_grpc_request_cancel(&self->call);
	if (self->post)
		weir_http_request_cancel(&self->post);
	if (self->grpc)
		weir_grpc_client_free(&self->grpc);
	weir_http_client_free(&self->http);
	weir_text_release(&self->body);
	delta_release(&self->delta);
}

WEIR_PLUGIN(WEIR_EXTENSION, "telemetry_push", "",
	.about = "Sends the process's own metrics somewhere.",
	.placement = WEIR_ONE,
	.stability = WEIR_STABILITY_BETA,
	.size = sizeof(struct telemetry_push),
	.fields = fields,
	.metrics = metrics,
	.validate = validate,
	.start = start,
	.stop = stop,
	.destroy = destroy,
);
