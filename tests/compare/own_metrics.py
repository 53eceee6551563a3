#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""own_metrics.py: what the Go collector and Weir push of their own metrics, after
the same requests: names, units, kinds, temporality, attributes with their types,
and the values of what is counted.  Exit 1 where they differ.

Differences on purpose stand in the README of extensions/telemetry_push: scopes,
descriptions, minima and maxima, and here in ONLY_GO, ONLY_WEIR and UNLABELLED."""
import re
import sys

from sides import Side

from conftest import spans
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics

CONFIG = """
receivers:
  otlp:
    protocols: {{grpc: {{endpoint: "127.0.0.1:${{env:OTLP}}"}}}}
processors:
  memory_limiter: {{check_interval: 1s, limit_mib: 500}}
  attributes: {{actions: [{{key: k, value: v, action: insert}}]}}
  batch: {{timeout: 10ms}}
exporters:
  nop:
  debug:
  otlp_grpc/gone:
    endpoint: 127.0.0.1:9
    tls: {{insecure: true}}
    retry_on_failure: {{enabled: false}}
  otlp_http/gone:
    endpoint: http://127.0.0.1:9/x
    retry_on_failure: {{enabled: false}}
    sending_queue: {{enabled: false}}
service:
  telemetry:
    resource: {{zone: eu, service.name: same, service.version: "1", service.instance.id: }}
    metrics:
      level: {level}
      readers:
        - periodic:
            interval: {interval}
            exporter:
              otlp:
                endpoint: http://127.0.0.1:${{env:{port}}}
                {keys}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, attributes, batch]
      exporters: [debug, otlp_grpc/gone]
    metrics: {{receivers: [otlp], processors: [attributes], exporters: [otlp_http/gone]}}
    logs: {{receivers: [otlp], processors: [batch], exporters: [debug]}}
"""
CASES = [
    ("cumulative", "normal", "protocol: grpc"),
    ("delta", "normal", "protocol: grpc\n                temporality_preference: delta"),
    ("lowmemory", "basic", "protocol: grpc\n                temporality_preference: lowmemory"),
    ("gzip", "detailed", "protocol: grpc\n                compression: gzip"),
    ("http", "normal", "protocol: http/protobuf"),
    ("http gzip", "normal", "protocol: http/protobuf\n                compression: gzip"),
]
# at `detailed`
ONLY_GO = re.compile(r"otelcol_exporter_(enqueue_size|queue_batch_send_size)(_bytes)?$"
                     r"|otelcol_processor_internal_duration$|(rpc|http)\.")
UNLABELLED = {"error.type", "error.permanent"}
ONLY_WEIR = re.compile("weir_")
# The Collector has forgotten its queues when it pushes for the last time.
ONLY_WEIR_LAST = re.compile("otelcol_exporter_queue_(size|capacity)$")
# of the process: other numbers each time
OWN = re.compile("otelcol_process_|.*_size_bytes$")


def requests():
    points = metrics.ExportMetricsServiceRequest()
    m = points.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    m.gauge.data_points.add(as_int=1)
    m.gauge.data_points.add(as_int=2)
    records = logs.ExportLogsServiceRequest()
    records.resource_logs.add().scope_logs.add().log_records.add().body.string_value = "b"
    return [("traces", spans(7)), ("metrics", points), ("logs", records)]


def value(v):
    return v.WhichOneof("value"), getattr(v, v.WhichOneof("value"))


def value_of(name, kind, point):
    if kind == "histogram":
        counted = (point.count, point.sum, tuple(point.bucket_counts))
        return tuple(point.explicit_bounds), None if OWN.match(name) else counted
    which = point.WhichOneof("value")
    return which, None if OWN.match(name) else getattr(point, which)


def shape(request):
    """name: all that is to be the same."""
    found = {}
    for m in (m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics):
        kind = m.WhichOneof("data")
        data = getattr(m, kind)
        series = {tuple(sorted((a.key, *value(a.value)) for a in p.attributes
                               if a.key not in UNLABELLED)): value_of(m.name, kind, p)
                  for p in data.data_points}
        assert all(p.time_unix_nano >= p.start_time_unix_nano > 0 for p in data.data_points)
        found[m.name] = (m.unit, kind, getattr(data, "aggregation_temporality", None),
                         getattr(data, "is_monotonic", None), series)
    resource = {a.key: value(a.value) for r in request.resource_metrics
                for a in r.resource.attributes}
    return {"resource": resource, **found}


def pushed(name, level, keys, last):
    """At the end, or while it runs."""
    http = "http" in keys
    side = Side(name, CONFIG.format(level=level, keys=keys, interval=3600000 if last else 400,
                                    port="RELAY" if http else "BACKEND"), relay=http)
    try:
        assert side.started(), side.output
        for signal, request in requests():
            side.send(signal, request)
        backend = side.backends["BACKEND"]
        got = backend.requests["metrics"]
        if last:
            assert not got
            side.stop()
            backend.until(lambda: got)
        else:
            before = len(got)     # the next was begun before all was counted
            backend.until(lambda: len(got) >= before + 3)
        return shape(got[-1])
    finally:
        side.close()


def differences(go, weir, last):
    for name in sorted(set(go) | set(weir)):
        if name not in weir:
            if not ONLY_GO.match(name):
                yield name, go[name], "nothing"
        elif name not in go:
            if not ONLY_WEIR.match(name) and not (last and ONLY_WEIR_LAST.match(name)):
                yield name, "nothing", weir[name]
        elif go[name] != weir[name]:
            yield name, go[name], weir[name]


def main():
    wrong = names = 0
    for what, level, keys in CASES:
        last = "temporality" in keys
        go, weir = (pushed(side, level, keys, last) for side in ("go", "weir"))
        names += len(set(go) & set(weir))
        for name, there, here in differences(go, weir, last):
            wrong += 1
            print(f"{what}: {name}\n  go   {there}\n  weir {here}")
    print(f"own metrics: {len(CASES)} readers, {names} metrics, {wrong} differ")
    return 1 if wrong or names < 100 else 0


if __name__ == "__main__":
    sys.exit(main())
