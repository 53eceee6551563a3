# SPDX-License-Identifier: Apache-2.0
"""What was accepted arrives: retries, fan-out, partial success, drain."""
import threading

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from conftest import eventually, spans
from pipelines import HEAD, TELEMETRY, to_backend

FAST_RETRY = """
    retry_on_failure:
      initial_interval: 50ms
      max_interval: 100ms
      randomization_factor: 0
"""


def test_what_a_busy_backend_refuses_is_sent_again_and_nothing_is_lost(
        weir, backend, client):
    busy = backend()
    busy.answers = [(grpc.StatusCode.UNAVAILABLE, "busy", None)] * 2
    w = weir(to_backend(exporter=FAST_RETRY), BACKEND=busy.port)
    client(w.otlp).export("traces", spans(3))

    busy.until(lambda: len(busy.spans) == 3)
    assert busy.refused == 2
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "sent")
    assert w.metric("otelcol_exporter_send_failed_spans") is None


def test_resource_exhausted_is_retried_only_when_the_backend_says_when(
        weir, backend, client):
    told = backend()
    told.answers = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "later", 0.05)]
    w = weir(to_backend(exporter=FAST_RETRY), BACKEND=told.port)
    c = client(w.otlp)
    c.export("traces", spans(2))
    told.until(lambda: len(told.spans) == 2)

    told.answers = [(grpc.StatusCode.INVALID_ARGUMENT, "never", None)]
    c.export("traces", spans(5, first=100))
    eventually(lambda: w.metric("otelcol_exporter_send_failed_spans") == 5, "given up")
    assert len(told.spans) == 2
    assert w.metric("otelcol_exporter_sent_spans") == 2


def test_partial_success_is_counted_as_sent_and_never_retried(weir, backend, client):
    there = backend()
    there.answers = [trace_service_pb2.ExportTraceServiceResponse(
        partial_success={"rejected_spans": 2, "error_message": "too old"})]
    w = weir(to_backend(exporter=FAST_RETRY), BACKEND=there.port)
    client(w.otlp).export("traces", spans(5))

    w.saw("Partial success response")
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 5, "sent")
    assert len(there.requests["traces"]) == 1


def test_a_dead_backend_neither_slows_nor_repeats_the_living_one(weir, backend, client):
    living = backend()
    dead = backend()
    dead.stop()
    w = weir(HEAD + f"""
exporters:
  otlp_grpc/living:
    endpoint: 127.0.0.1:{living.port}
    tls: {{insecure: true}}
  otlp_grpc/dead:
    endpoint: 127.0.0.1:{dead.port}
    tls: {{insecure: true}}
    sending_queue: {{queue_size: 10}}
    retry_on_failure: {{initial_interval: 1h, max_interval: 1h, max_elapsed_time: 0}}
service:
  drain_timeout: 1s
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc/living, otlp_grpc/dead]}}
""")
    c = client(w.otlp)
    for i in range(100):
        c.export("traces", spans(10, first=10 * i))

    living.until(lambda: len(living.spans) == 1000)
    ids = [s.span_id for s in living.spans]
    assert len(set(ids)) == 1000
    queued = w.metric("otelcol_exporter_queue_size", exporter="otlp_grpc/dead")
    lost = w.metric("otelcol_exporter_enqueue_failed_spans", exporter="otlp_grpc/dead")
    assert queued == 10
    assert queued * 10 + lost == 1000
    assert w.metric("otelcol_exporter_enqueue_failed_spans",
                    exporter="otlp_grpc/living") is None


def test_a_full_queue_is_unavailable_with_retry_info(weir, backend, client):
    slow = backend()
    slow.gate.clear()
    w = weir(to_backend(exporter="    sending_queue: {queue_size: 2, num_consumers: 1}"),
             BACKEND=slow.port)
    c = client(w.otlp)
    c.export("traces", spans(1))
    c.export("traces", spans(1, first=1))
    try:
        c.export("traces", spans(1, first=2))
        raise AssertionError("the third request was accepted")
    except grpc.RpcError as e:
        assert e.code() == grpc.StatusCode.UNAVAILABLE
        assert "sending queue is full" in e.details()
        assert "grpc-status-details-bin" in dict(e.trailing_metadata())
    slow.gate.set()
    slow.until(lambda: len(slow.spans) == 2)


def test_sigterm_under_load_loses_nothing_that_was_accepted(weir, backend, client):
    there = backend()
    w = weir(to_backend("  batch: {timeout: 5s}\n", "[batch]"), BACKEND=there.port)
    accepted, stop = [], threading.Event()

    def load(first):
        c = client(w.otlp)
        for i in range(first, first + 100_000, 10):
            if stop.is_set():
                return
            try:
                c.export("traces", spans(10, first=i), timeout=10)
            except grpc.RpcError as e:
                assert e.code() in (grpc.StatusCode.UNAVAILABLE,
                                    grpc.StatusCode.CANCELLED), e
                return
            accepted.append(i)

    senders = [threading.Thread(target=load, args=(k * 1_000_000,)) for k in range(4)]
    for s in senders:
        s.start()
    eventually(lambda: len(accepted) > 200, "load")
    assert w.stop() == 0
    stop.set()
    for s in senders:
        s.join(timeout=30)

    have = [int.from_bytes(s.span_id, "big") for s in there.spans]
    assert len(have) == len(set(have)), "a span was sent twice"
    want = {i + k + 1 for i in accepted for k in range(10)}
    assert want <= set(have), f"{len(want - set(have))} accepted spans are lost"


def test_requests_above_max_request_bytes_are_split(weir, backend, client):
    there = backend()
    w = weir(to_backend(exporter="    max_request_bytes: 20000"), BACKEND=there.port)
    client(w.otlp).export("traces", spans(1000, attributes=[("k", "v" * 100)]))

    there.until(lambda: len(there.spans) == 1000)
    assert len(there.requests["traces"]) > 5
    assert all(r.ByteSize() <= 20000 for r in there.requests["traces"])
    assert all(r.resource_spans[0].resource.attributes[0].value.string_value == "test"
               for r in there.requests["traces"])
    assert [s.name for s in there.spans] != []


def test_small_requests_are_sent_as_one_batch(weir, backend, client):
    there = backend()
    w = weir(to_backend("  batch: {send_batch_size: 100, timeout: 10s}\n", "[batch]",
                        service="  workers: 1"), BACKEND=there.port)
    c = client(w.otlp)
    for i in range(10):
        c.export("traces", spans(10, first=10 * i))
    there.until(lambda: len(there.spans) == 100)
    assert len(there.requests["traces"]) == 1
    assert w.metric("otelcol_processor_batch_batch_size_trigger_send") == 1
