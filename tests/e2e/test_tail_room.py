# SPDX-License-Identifier: Apache-2.0
"""The tail sampler at its limit of memory, with more workers than connections:
what a sender hears is true of all spans of its request."""
import collections
import random

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import \
    ExportTraceServiceRequest

from conftest import eventually
from pipelines import HEAD

CONFIG = """
processors:
  tail_sampling:
    decision_wait: {wait}
    policies: [{{name: all, type: always_sample}}]
    {keys}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:${{env:BACKEND}}", tls: {{insecure: true}}}}
service:
  workers: {workers}
  telemetry:
    metrics: {{level: none}}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [tail_sampling]
      exporters: [otlp_grpc]
"""


def request(pairs, size):
    """Spans of that size; (trace, span)."""
    whole = ExportTraceServiceRequest()
    spans = whole.resource_spans.add().scope_spans.add().spans
    for trace, span in pairs:
        spans.add(trace_id=trace.to_bytes(16, "big"),
                  span_id=span.to_bytes(8, "big"), name="n" * size)
    return whole


def shuffled(traces, each):
    pairs = [(t, each * t + n) for t in range(1, traces + 1) for n in range(each)]
    random.Random(1).shuffle(pairs)
    return pairs


def times(there):
    return collections.Counter(s.span_id for s in there.spans)


@pytest.mark.parametrize("workers,mib,traces", [(8, 4, 1500), (8, 1, 400), (2, 8, 3000)])
def test_at_the_limit_nobody_is_refused_and_each_span_leaves_once(
        weir, backend, client, workers, mib, traces):
    there = backend()
    w = weir(HEAD + CONFIG.format(wait="1h", workers=workers,
                           keys=f"memory_limit_mib: {mib}"), BACKEND=there.port)
    pairs = shuffled(traces, 5)
    c = client(w.otlp)
    for i in range(0, len(pairs), 50):
        c.export("traces", request(pairs[i:i + 50], 5000))
    assert there.spans, "nothing gave way"
    assert w.stop() == 0
    assert len(times(there)) == len(pairs)
    assert set(times(there).values()) == {1}


def test_what_had_no_place_before_its_deadline_is_not_in_in_part(weir, backend, client):
    there = backend()
    w = weir(HEAD + CONFIG.format(wait="3s", workers=4,
                           keys="num_traces: 100\n    block_on_overflow: true"),
             BACKEND=there.port)
    c = client(w.otlp)
    requests = [range(first, first + 20) for first in range(1, 401, 20)]
    taken = []
    for spans in requests:
        try:
            c.export("traces", request([(n, n) for n in spans], 10), timeout=0.3)
            taken.append(spans)
        except grpc.RpcError as e:
            assert e.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert 5 <= len(taken) < len(requests)
    assert w.stop() == 0
    seen = times(there)
    assert set(seen.values()) == {1}
    # one may have got in just when its sender gave up: also whole
    whole = [r for r in requests if sum(n.to_bytes(8, "big") in seen for n in r)]
    assert len(seen) == 20 * len(whole)
    assert set(taken) <= set(whole)
    assert len(whole) - len(taken) <= 1


def test_who_waits_for_a_place_at_the_end_is_let_in(weir, backend, client):
    there = backend()
    w = weir(HEAD + CONFIG.format(wait="1h", workers=4,
                           keys="num_traces: 100\n    block_on_overflow: true"),
             BACKEND=there.port)
    clients = [client(w.otlp) for _ in range(4)]
    calls = [c.future("traces", request([(n, n) for n in range(first, first + 50)], 10))
             for c, first in zip(clients, (1, 51, 101, 151))]
    eventually(lambda: sum(call.done() for call in calls) == 2, "two are in")
    assert w.stop() == 0
    told = {n for call, first in zip(calls, (1, 51, 101, 151))
            if call.exception() is None for n in range(first, first + 50)}
    assert {int.from_bytes(s, "big") for s in times(there)} == told
    assert len(told) == 200
    assert set(times(there).values()) == {1}
