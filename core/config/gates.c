/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gates.c: the Collector's feature gates.
 *
 * A command line written for it must run here, so its gates are known by name,
 * stage and default.  Few mean something here: the table says which.  A gate
 * that is no longer there is kept as stable: it may be named, not undone.
 * Holds nothing between calls.
 */
#include "gates.h"

#include <weir/log.h>

#include <assert.h>
#include <stdlib.h>

#include "bind.h"

enum stage { ALPHA, BETA, STABLE };

static const char *const stages[] = { "Alpha", "Beta", "Stable" };

static const struct row {
	const char *id;
	enum stage stage;
	bool effect;		/* here */
	const char *about;
} rows[] = {
	{ "confmap.enableMergeAppendOption", ALPHA, true,
	  "Lists of extensions, receivers and exporters under service are "
	  "joined when several sources have them." },
	{ "exporter.file.nativeCompression", ALPHA, false,
	  "The file exporter's output is one zstd stream." },
	{ "exporter.prometheusexporter.DisableAddMetricSuffixes", BETA, false,
	  "add_metric_suffixes of the prometheus exporter is ignored." },
	{ "exporter.prometheusremotewritexporter.enableSendingRW2", ALPHA,
	  false, "Remote Write 2.0 may be chosen." },
	{ "extension.healthcheck.useComponentStatus", ALPHA, false,
	  "health_check takes the keys of its second version." },
	{ "filter.filterlog.useOTTLBridge", ALPHA, false,
	  "include and exclude of logs are evaluated as OTTL." },
	{ "filter.filtermetric.useOTTLBridge", ALPHA, false,
	  "include and exclude of metrics are evaluated as OTTL." },
	{ "filter.filterspan.useOTTLBridge", ALPHA, false,
	  "include and exclude of spans are evaluated as OTTL." },
	{ "ottl.PanicDuplicateName", BETA, false,
	  "Two OTTL functions of one name are a mistake of the program." },
	{ "ottl.contexts.enableOTelColContext", BETA, false,
	  "OTTL paths may begin with otelcol." },
	{ "ottl.functions.enableLambda", ALPHA, false,
	  "OTTL functions may take lambdas." },
	{ "pdata.useProtoPooling", ALPHA, false,
	  "Memory of messages is pooled." },
	{ "pkg.confighttp.PrioritizeNewKeepalive", BETA, false,
	  "keepalive of HTTP goes before the keys that it replaces." },
	{ "pkg.exporterhelper.queueBatchEnabled", ALPHA, false,
	  "sending_queue.batch is on by default." },
	{ "pkg.translator.prometheus.PermissiveLabelSanitization", ALPHA, false,
	  "Labels may begin with an underscore." },
	{ "processor.filter.defaultErrorModeIgnore", STABLE, false,
	  "error_mode of filter is ignore by default." },
	{ "processor.resourcedetection.propagateerrors", STABLE, false,
	  "A detector that fails stops the start." },
	{ "processor.tailsamplingprocessor.disableinvertdecisions", STABLE,
	  false, "invert_match gives plain votes." },
	{ "processor.tailsamplingprocessor.metricstatcountbytessampled", ALPHA,
	  false, "Sampled bytes are counted for each policy." },
	{ "processor.tailsamplingprocessor.metricstatcountspanssampled", ALPHA,
	  false, "Sampled spans are counted for each policy." },
	{ "processor.tailsamplingprocessor.recordpolicy", ALPHA, false,
	  "The policy that decided is written to the scope." },
	{ "processor.tailsamplingprocessor.tailstorageextension", ALPHA, false,
	  "tail_storage may be given." },
	{ "processor.tailsamplingprocessor.usetracestate", ALPHA, false,
	  "Policies read and write the threshold in tracestate." },
	{ "receiver.jaeger.DisableRemoteSampling", STABLE, false,
	  "remote_sampling of the jaeger receiver is gone." },
	{ "receiverhelper.newReceiverMetrics", ALPHA, false,
	  "Receivers count what failed apart from what was refused." },
	{ "service.AllowNoPipelines", ALPHA, true,
	  "A configuration may have no pipelines." },
	{ "service.partialReload", ALPHA, false,
	  "A reload rebuilds only what changed." },
	{ "service.partialReloadReceivers", BETA, false,
	  "A reload that changes receivers only restarts those." },
	{ "service.profilesSupport", ALPHA, false,
	  "Pipelines may carry profiles." },
	{ "telemetry.newPipelineTelemetry", ALPHA, false,
	  "Metrics name the component in the attributes of their scope." },
	{ "transform.flatten.logs", ALPHA, false,
	  "flatten_data of transform may be given." },
};
#define N_ROWS (sizeof(rows) / sizeof(*rows))
_Static_assert(N_ROWS <= GATES_MAX, "struct gates holds them all");

void gates_init(struct gates *gates)
{
	for (size_t i = 0; i < N_ROWS; i++)
		gates->on[i] = rows[i].stage != ALPHA;
}

static const struct row *find(weir_str id)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (weir_str_eq(id, weir_str_of(rows[i].id)))
			return &rows[i];
	return NULL;
}

bool gates_on(const struct gates *gates, const char *id)
{
	const struct row *row = find(weir_str_of(id));

	assert(row);
	return gates->on[row - rows];
}

/* --- setting ------------------------------------------------------------- */

static void unknown(struct buf *why, weir_str id)
{
	struct nearest nearest = { .written = id };
	struct arena arena = { 0 };

	buf_addf(why, "no such feature gate \"%.*s\". valid gates: [",
		 WEIR_STR_FMT(id));
	for (size_t i = 0; i < N_ROWS; i++) {
		buf_addf(why, "%s%s", i ? " " : "", rows[i].id);
		nearest_offer(&nearest, weir_str_of(rows[i].id));
	}
	buf_addf(why, "]%s", nearest_hint(&nearest, &arena));
	arena_release(&arena);
}

/* One of the list; what is wrong is added to why. */
static void set(struct gates *gates, weir_str id, size_t index,
		struct buf *why)
{
	bool on = true;
	const struct row *row;
	const char *between = why->len ? "; " : "";

	if (!id.len) {
		buf_addf(why, "%sempty feature gate identifier at index %zu",
			 between, index);
		return;
	}
	if (*id.ptr == '-' || *id.ptr == '+') {
		on = *id.ptr == '+';
		id.ptr++;
		id.len--;
	}
	row = find(id);
	if (!row) {
		buf_addf(why, "%s", between);
		unknown(why, id);
	} else if (row->stage == STABLE && !on) {
		buf_addf(why, "%sfeature gate \"%s\" is stable, can not be "
			 "disabled", between, row->id);
	} else if (row->stage == STABLE) {
		weir_log_warn(NULL, "Feature gate is stable and already "
			      "enabled", "gate=%s", row->id);
	} else {
		gates->on[row - rows] = on;
	}
}

char *gates_set(struct gates *gates, const char *list)
{
	struct buf why = { 0 };
	size_t index = 0;

	while (*list) {
		size_t len = strcspn(list, ",");

		set(gates, (weir_str){ list, len }, index++, &why);
		list += len;
		if (*list == ',' && !*++list)
			set(gates, WEIR_STR(""), index, &why);
	}
	if (!why.len)
		return NULL;
	buf_add(&why, "", 1);
	return (char *)why.ptr;
}

void gates_tell(const struct gates *gates)
{
	struct gates standard;
	struct buf idle = { 0 };

	gates_init(&standard);
	for (size_t i = 0; i < N_ROWS; i++)
		if (!rows[i].effect && gates->on[i] != standard.on[i])
			buf_addf(&idle, "%s%s%s", idle.len ? "," : "",
				 gates->on[i] ? "" : "-", rows[i].id);
	if (idle.len)
		weir_log_warn(NULL, "Feature gates of the Collector have no "
			      "effect", "gates=%.*s", (int)idle.len,
			      (char *)idle.ptr);
	buf_release(&idle);
}

/* --- showing ------------------------------------------------------------- */

static const char *word(bool on)
{
	return on ? "true" : "false";
}

static void print_one(const struct gates *gates, const struct row *row,
		      FILE *out)
{
	fprintf(out, "Feature: %s\nEnabled: %s\nStage: %s\nDescription: %s\n"
		"Effect: %s\n", row->id, word(gates->on[row - rows]),
		stages[row->stage], row->about,
		row->effect ? "as described"
			    : "none here; the name is accepted");
}

int gates_print(const struct gates *gates, const char *id, FILE *out)
{
	int width = 2;

	if (id) {
		const struct row *row = find(weir_str_of(id));

		if (row)
			print_one(gates, row, out);
		return row ? 0 : -1;
	}
	for (size_t i = 0; i < N_ROWS; i++)
		if ((int)strlen(rows[i].id) > width)
			width = (int)strlen(rows[i].id);
	fprintf(out, "%-*s  Enabled  Stage   Description\n", width, "ID");
	for (size_t i = 0; i < N_ROWS; i++)
		fprintf(out, "%-*s  %-7s  %-6s  %s%s\n", width, rows[i].id,
			word(gates->on[i]), stages[rows[i].stage],
			rows[i].about, rows[i].effect ? "" : " (no effect)");
	return 0;
}
