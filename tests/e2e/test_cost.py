# SPDX-License-Identifier: Apache-2.0
"""Small requests that could cost a lot: four times as much of it takes about
four times the CPU."""
import os

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import \
    ExportTraceServiceRequest

from pipelines import HEAD, TELEMETRY

PIPELINE = HEAD + """
processors:
%s
exporters:
  otlp_grpc:
    endpoint: 127.0.0.1:${env:BACKEND}
    tls: {insecure: true}
service:
""" + TELEMETRY + """
  pipelines:
    traces: {receivers: [otlp], processors: [%s], exporters: [otlp_grpc]}
"""


def cpu(weir):
    """Seconds of CPU the process has used."""
    with open(f"/proc/{weir.process.pid}/stat") as stat:
        user, system = stat.read().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


SAMPLING = PIPELINE % ("""
  tail_sampling:
    decision_wait: 1s
    policies: [{name: all, type: always_sample}]
""", "tail_sampling")


def test_scopes_of_one_resource(weir, backend, client):
    def cost(n):
        sink = backend()
        w = weir(SAMPLING, BACKEND=sink.port)
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        for trace in range(1, n + 1):
            resource.scope_spans.add().spans.add(
                trace_id=trace.to_bytes(16, "big"), span_id=b"12345678")
        before = cpu(w)
        client(w.otlp).export("traces", request.SerializeToString())
        sink.until(lambda: len(sink.spans) == n)
        return cpu(w) - before
    assert cost(20000) < 8 * max(cost(5000), 0.1)


CONTENTS = PIPELINE % ("""
  redaction:
    allow_all_keys: true
    content: [{pattern: '^prompt', action: drop}]
""", "redaction")


def test_contents_of_one_element(weir, backend, client):
    def cost(n):
        sink = backend()
        w = weir(CONTENTS, BACKEND=sink.port)
        request = ExportTraceServiceRequest()
        span = request.resource_spans.add().scope_spans.add().spans.add()
        for i in range(n):
            span.attributes.add(key=f"prompt.{i}").value.string_value = "x"
        before = cpu(w)
        client(w.otlp).export("traces", request.SerializeToString())
        sink.until(lambda: sink.spans)
        assert not [a for a in sink.spans[0].attributes if a.value.string_value]
        return cpu(w) - before
    assert cost(24000) < 8 * max(cost(6000), 0.1)
