# SPDX-License-Identifier: Apache-2.0
"""Traces are kept or not as a whole, whichever connection and worker their
spans came by."""
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import \
    ExportTraceServiceRequest

from conftest import spans
from pipelines import HEAD

CONFIG = """
processors:
  tail_sampling/gate:
    decision_wait: {wait}
    policies:
      - {{name: errors, type: status_code, status_code: {{status_codes: [ERROR]}}}}
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${{env:BACKEND}}
    tls:
      insecure: true
service:
  workers: 4
  telemetry:
    metrics: {{level: none}}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [tail_sampling/gate]
      exporters: [otlp_grpc]
"""
TRACES = 200
ODD = set(range(1, TRACES, 2))


def send(w, client, round):
    """A span of each trace; with the second round every other one fails."""
    request = spans(TRACES)
    for i, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
        span.span_id = (round * TRACES + i + 1).to_bytes(8, "big")
        if round == 1 and i in ODD:
            span.status.code = 2
    client(w.otlp).export("traces", request)


def came(there):
    return [(int.from_bytes(s.trace_id, "big") - 1, int.from_bytes(s.span_id, "big"))
            for r in there.requests["traces"] for g in r.resource_spans
            for scope in g.scope_spans for s in scope.spans]


def check(there, rounds):
    got = came(there)
    assert len(got) == len(set(got))
    assert {trace for trace, _ in got} == ODD
    assert len(got) == rounds * len(ODD)


def test_spans_of_several_connections_are_one_trace(weir, backend, client):
    there = backend()
    w = weir(HEAD + CONFIG.format(wait="3s"), BACKEND=there.port)
    for round in range(3):
        send(w, client, round)
    there.until(lambda: len(came(there)) >= 3 * len(ODD))
    check(there, 3)
    send(w, client, 3)                                  # late
    there.until(lambda: len(came(there)) >= 4 * len(ODD))
    check(there, 4)


def test_at_the_end_what_is_there_is_decided(weir, backend, client):
    there = backend()
    w = weir(HEAD + CONFIG.format(wait="1h"), BACKEND=there.port)
    for round in range(2):
        send(w, client, round)
    assert not came(there)
    assert w.stop() == 0
    check(there, 2)


LIMITED = """
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 200}
  tail_sampling:
    decision_wait: 1s
    policies: [{name: all, type: always_sample}]
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${env:BACKEND}
    tls: {insecure: true}
service:
  telemetry:
    metrics: {level: none}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, tail_sampling]
      exporters: [otlp_grpc]
"""


def two_resources(traces, head):
    """Each trace has a span in both; both resources have an attribute of so many
    bytes."""
    request = ExportTraceServiceRequest()
    for number, letter in enumerate("ab", 1):
        resource = request.resource_spans.add()
        attribute = resource.resource.attributes.add(key="x")
        attribute.value.string_value = letter * head
        several = resource.scope_spans.add().spans
        for trace in range(1, traces + 1):
            several.add(trace_id=trace.to_bytes(16, "big"),
                        span_id=(2 * trace + number).to_bytes(8, "big"))
    return request


@pytest.mark.parametrize("traces,head", [(3000, 100_000), (1000, 300_000)],
                         ids=["heads in a segment", "heads above a segment"])
def test_a_request_that_would_grow_when_it_leaves_stops_nobody(weir, backend, client,
                                                               traces, head):
    there = backend(max_bytes=1 << 30)
    w = weir(HEAD + LIMITED, BACKEND=there.port)
    c = client(w.otlp)
    c.export("traces", two_resources(traces, head))
    there.until(lambda: len(came(there)) == 2 * traces)
    c.export("traces", spans(1))
    there.until(lambda: len(came(there)) == 2 * traces + 1)


NAME = "otelcol_processor_tail_sampling_"


def test_dashboards_find_what_they_know_at_every_level(weir):
    config = CONFIG.format(wait="1h").replace("{level: none}", """
      level: basic
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: "${env:METRICS}"}}}}]""")
    w = weir(HEAD + config, BACKEND=1)
    page = w.metrics()
    # Before anything came: an alert on what never happened must see a zero.
    for name in ("sampling_trace_dropped_too_early", "sampling_policy_evaluation_error",
                 "sampling_policy_execution_count{policy=\"gate.errors\"}",
                 "sampling_policy_execution_time_sum{policy=\"gate.errors\"}",
                 "sampling_traces_on_memory"):
        assert f"\n{NAME}{name} 0\n" in page, name
    assert NAME + "count_traces_sampled" not in page    # nothing voted yet


def test_it_has_no_counters_of_processors_that_answer_at_once(weir, backend, client):
    there = backend()
    config = CONFIG.format(wait="1s").replace("{level: none}", """
      readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: "${env:METRICS}"}}}}]""")
    w = weir(HEAD + config, BACKEND=there.port)
    send(w, client, 1)
    there.until(lambda: len(came(there)) == len(ODD))
    assert w.metric(NAME + "new_trace_id_received") == TRACES
    assert "otelcol_processor_incoming_items" not in w.metrics()
