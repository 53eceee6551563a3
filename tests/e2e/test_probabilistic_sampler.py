# SPDX-License-Identifier: Apache-2.0
"""A share of the spans passes, says so, and is counted as in the Collector."""
from conftest import spans
from pipelines import HEAD, TELEMETRY

COUNTED = "otelcol_processor_probabilistic_sampler_count_traces_sampled"
TWO = """
  probabilistic_sampler/half: {mode: equalizing, sampling_percentage: 50}
  probabilistic_sampler/all: {mode: proportional, sampling_percentage: 100}
"""


def traces(processors, chain):
    return f"""{HEAD}
processors: {processors}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:${{env:BACKEND}}", tls: {{insecure: true}}}}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], processors: {chain}, exporters: [otlp_grpc]}}
"""


def request_of(n):
    """Randomness in even steps, so that the share is exact."""
    request = spans(n)
    for i, span in enumerate(request.resource_spans[0].scope_spans[0].spans):
        span.trace_id = bytes([1] * 9 + [256 * i // n] + [0] * 6)
    return request


def test_two_samplers_in_a_row_keep_what_the_first_keeps(weir, backend, client):
    there = backend()
    w = weir(traces(TWO, "[probabilistic_sampler/half, probabilistic_sampler/all]"),
             BACKEND=there.port)
    client(w.otlp).export("traces", request_of(64))
    there.until(lambda: len(there.spans) == 32)
    assert {s.trace_state for s in there.spans} == {"ot=th:8"}
    assert min(s.trace_id[9] for s in there.spans) == 128
    # Both samplers add to one series: no label says which.
    assert w.metric(COUNTED, policy="trace_id_w3c", sampled="true") == 64
    assert w.metric(COUNTED, policy="trace_id_w3c", sampled="false") == 32
    assert w.metric(COUNTED) == 96
    assert not any(COUNTED in line and "processor=" in line
                   for line in w.metrics().splitlines())
    assert w.metric("otelcol_processor_incoming_items",
                    processor="probabilistic_sampler/half") == 64
    assert w.metric("otelcol_processor_outgoing_items",
                    processor="probabilistic_sampler/half") == 32


def test_what_is_not_kept_is_answered_as_delivered(weir, backend, client):
    there = backend()
    w = weir(traces("\n  probabilistic_sampler: {}\n", "[probabilistic_sampler]"),
             BACKEND=there.port)
    client(w.otlp).export("traces", request_of(10))
    assert w.metric(COUNTED, policy="sampling_priority", sampled="false") == 10
    w.stop()
    assert not there.spans
