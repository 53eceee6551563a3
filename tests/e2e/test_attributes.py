# SPDX-License-Identifier: Apache-2.0
"""Neighbouring attribute processors look at the bytes once."""
from conftest import spans
from pipelines import HEAD, TELEMETRY, to_backend

THREE = """
  attributes/one: {actions: [{key: one, action: upsert, value: 1}]}
  attributes/two: {actions: [{key: two, action: insert, from_attribute: one}]}
  resource: {attributes: [{key: three, action: upsert, value: "3"}]}
  batch: {timeout: 20ms}
"""


def value_of(span, key):
    return next(a.value for a in span.attributes if a.key == key)


def test_three_attribute_processors_in_a_row_walk_no_byte_twice(weir, backend, client):
    there = backend()
    w = weir(to_backend(THREE, "[attributes/one, attributes/two, resource, batch]"),
             BACKEND=there.port)
    request = spans(50)
    client(w.otlp).export("traces", request)
    there.until(lambda: len(there.spans) == 50)
    assert all(value_of(s, "two").int_value == 1 for s in there.spans)
    assert w.metric("weir_received_bytes") == request.ByteSize()
    assert w.metric("weir_walked_again_bytes") is None


def test_a_processor_between_them_that_breaks_the_run_costs_a_walk_and_no_byte(
        weir, backend, client):
    whole, broken = backend(), backend()
    a = weir(to_backend(THREE, "[attributes/one, attributes/two, resource]"),
             BACKEND=whole.port)
    b = weir(to_backend(THREE, "[attributes/one, batch, attributes/two, resource]"),
             BACKEND=broken.port)
    request = spans(50)
    for w, there in ((a, whole), (b, broken)):
        client(w.otlp).export("traces", request)
        there.until(lambda there=there: len(there.spans) == 50)
    assert b.metric("weir_walked_again_bytes") >= request.ByteSize()
    assert whole.requests["traces"][0].SerializeToString() == \
        broken.requests["traces"][0].SerializeToString()


def test_metadata_of_the_call_becomes_an_attribute(weir, backend, client):
    there = backend()
    w = weir(f"""
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:${{env:OTLP}}", include_metadata: true}}
processors:
  attributes:
    actions:
      - {{key: tenant, action: upsert, from_context: metadata.x-tenant}}
      - {{key: peer, action: upsert, from_context: client.address}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{there.port}", tls: {{insecure: true}}}}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], processors: [attributes], exporters: [otlp_grpc]}}
""")
    client(w.otlp).export("traces", spans(1), metadata=(("x-tenant", "blue"),))
    there.until(lambda: there.spans)
    assert value_of(there.spans[0], "tenant").string_value == "blue"
    assert value_of(there.spans[0], "peer").string_value == "127.0.0.1"


def test_without_include_metadata_there_is_none(weir, backend, client):
    there = backend()
    w = weir(to_backend("""
  attributes: {actions: [{key: tenant, action: upsert, from_context: metadata.x-tenant}]}
""", "[attributes]"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1), metadata=(("x-tenant", "blue"),))
    there.until(lambda: there.spans)
    assert [a.key for a in there.spans[0].attributes] == []


def test_two_pipelines_of_one_receiver_change_nothing_for_each_other(
        weir, backend, client):
    first, second = backend(), backend()
    w = weir(HEAD + f"""
processors:
  attributes: {{actions: [{{key: mine, action: upsert, value: yes}}]}}
exporters:
  otlp_grpc/1: {{endpoint: "127.0.0.1:{first.port}", tls: {{insecure: true}}}}
  otlp_grpc/2: {{endpoint: "127.0.0.1:{second.port}", tls: {{insecure: true}}}}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], processors: [attributes], exporters: [otlp_grpc/1]}}
    traces/raw: {{receivers: [otlp], exporters: [otlp_grpc/2]}}
""")
    request = spans(10)
    client(w.otlp).export("traces", request)
    first.until(lambda: len(first.spans) == 10)
    second.until(lambda: len(second.spans) == 10)
    assert second.requests["traces"][0] == request
    assert all([a.key for a in s.attributes] == ["mine"] for s in first.spans)
    assert w.metric("otelcol_receiver_accepted_spans") == 10


def test_one_exporter_in_two_pipelines_is_one_queue_and_sends_both(
        weir, backend, client):
    there = backend()
    w = weir(HEAD + f"""
processors:
  attributes: {{actions: [{{key: mine, action: upsert, value: yes}}]}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{there.port}", tls: {{insecure: true}}}}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], processors: [attributes], exporters: [otlp_grpc]}}
    traces/raw: {{receivers: [otlp], exporters: [otlp_grpc]}}
""")
    client(w.otlp).export("traces", spans(10))
    there.until(lambda: len(there.spans) == 20)
    assert sum(1 for s in there.spans if s.attributes) == 10
    assert w.metric("otelcol_exporter_queue_capacity", data_type="traces") == 1000
