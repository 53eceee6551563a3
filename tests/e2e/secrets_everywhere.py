# SPDX-License-Identifier: Apache-2.0
"""One request of each signal with a secret in every place that can hold one.

A place is called by its path; its secret is in `PLACES` order, so what is left
in the bytes that come out says which places were not looked at."""
import re

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

PATTERN = "SECRET-[0-9]+"


class Places:
    """Hands out a secret per place and finds the places in bytes."""

    def __init__(self):
        self.names = []

    def __call__(self, name):
        self.names.append(name)
        return f"a SECRET-{len(self.names):03} b"

    def left_in(self, data):
        return {self.names[int(n) - 1] for n in re.findall(rb"SECRET-(\d+)", data)}


def attributes(into, place, name):
    """A scalar, a list, a map in a list in a map, bytes."""
    into.add(key="plain").value.string_value = place(f"{name}.string")
    listed = into.add(key="listed").value.array_value.values.add()
    listed.string_value = place(f"{name}.list")
    outer = into.add(key="outer").value.kvlist_value.values.add(key="middle")
    inner = outer.value.array_value.values.add().kvlist_value.values.add(key="inner")
    inner.value.string_value = place(f"{name}.map")
    into.add(key="raw").value.bytes_value = place(f"{name}.bytes").encode()
    into.add(key="count").value.int_value = 7


def head(group, scope, place):
    attributes(group.resource.attributes, place, "resource")
    group.schema_url = place("resource.schema_url")
    scope.scope.name = place("scope.name")
    scope.scope.version = place("scope.version")
    scope.schema_url = place("scope.schema_url")
    attributes(scope.scope.attributes, place, "scope")


def traces(place):
    request = trace_service_pb2.ExportTraceServiceRequest()
    group = request.resource_spans.add()
    scope = group.scope_spans.add()
    head(group, scope, place)
    span = scope.spans.add(trace_id=b"t" * 16, span_id=b"s" * 8,
                           name=place("span.name"), trace_state=place("span.trace_state"))
    span.status.message = place("span.status")
    span.status.code = 2
    attributes(span.attributes, place, "span")
    event = span.events.add(name=place("event.name"))
    attributes(event.attributes, place, "event")
    link = span.links.add(trace_id=b"l" * 16, span_id=b"k" * 8,
                          trace_state=place("link.trace_state"))
    attributes(link.attributes, place, "link")
    return request


def logs(place, body="string"):
    request = logs_service_pb2.ExportLogsServiceRequest()
    group = request.resource_logs.add()
    scope = group.scope_logs.add()
    head(group, scope, place)
    record = scope.log_records.add(severity_text=place("log.severity_text"),
                                   severity_number=9, event_name=place("log.event_name"))
    if body == "string":
        record.body.string_value = place("body.string")
    else:
        attributes(record.body.kvlist_value.values, place, "body")
    attributes(record.attributes, place, "log")
    return request


def metrics(place):
    request = metrics_service_pb2.ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    scope = group.scope_metrics.add()
    head(group, scope, place)
    for kind in ("gauge", "sum", "histogram", "exponential_histogram", "summary"):
        metric = scope.metrics.add(name=place(f"{kind}.name"), unit=place(f"{kind}.unit"),
                                   description=place(f"{kind}.description"))
        attributes(metric.metadata, place, f"{kind}.metadata")
        data = getattr(metric, kind)
        if kind not in ("gauge", "summary"):
            if kind != "sum":
                data.aggregation_temporality = 2
        point = data.data_points.add(time_unix_nano=1)
        attributes(point.attributes, place, f"{kind}.point")
        if kind in ("gauge", "sum"):
            point.as_int = 1
        if kind != "summary":
            exemplar = point.exemplars.add(as_double=1.5, time_unix_nano=1)
            attributes(exemplar.filtered_attributes, place, f"{kind}.exemplar")
    return request
