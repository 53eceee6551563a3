# SPDX-License-Identifier: Apache-2.0
"""Too much, too slow, gone: what senders hear, and how it ends."""
import time

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from conftest import Backend, eventually, spans
from pipelines import to_backend

FAST_RETRY = """
    timeout: 500ms
    retry_on_failure:
      initial_interval: 50ms
      max_interval: 100ms
      randomization_factor: 0
"""


def retry_delay(error):
    """Seconds of the RetryInfo of an error; None without."""
    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
    info = error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return info.retry_delay.seconds + info.retry_delay.nanos / 1e9
    return None


def test_a_memory_limiter_says_later_and_takes_data_again(weir, backend, client):
    """The payloads of a queue that cannot empty itself fill the memory."""
    slow = backend()
    slow.gate.clear()
    w = weir(to_backend("""
  memory_limiter: {check_interval: 50ms, limit_mib: 200, spike_limit_mib: 40}
""", "[memory_limiter]", exporter="    timeout: 60s",
                        service="  workers: 1"), BACKEND=slow.port)
    c = client(w.otlp)
    big = spans(1, attributes=[("k", "v" * 3_500_000)])
    accepted = 0
    error = None
    while error is None and accepted < 100:
        try:
            c.export("traces", big)
            accepted += 1
        except grpc.RpcError as e:
            error = e
    assert error and error.code() == grpc.StatusCode.UNAVAILABLE, accepted
    assert "memory" in error.details()
    assert retry_delay(error) is not None
    assert w.metric("otelcol_processor_memory_limiter_refused_spans") >= 1
    assert w.metric("otelcol_processor_memory_limiter_accepted_spans") == accepted
    assert w.metric("otelcol_receiver_refused_spans") >= 1

    slow.gate.set()
    slow.until(lambda: len(slow.spans) == accepted)

    def taken():
        try:
            c.export("traces", spans(1))
            return True
        except grpc.RpcError as e:
            assert e.code() == grpc.StatusCode.UNAVAILABLE
            return False

    eventually(taken, "recovery")
    slow.until(lambda: len(slow.spans) == accepted + 1)


def test_a_backend_that_dies_and_comes_back_gets_everything(weir, backend, client):
    first = backend()
    w = weir(to_backend(exporter=FAST_RETRY), BACKEND=first.port)
    c = client(w.otlp)
    c.export("traces", spans(10))
    # answered too: what dies unanswered is sent again
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 10, "sent")
    first.stop()
    for i in range(1, 6):
        c.export("traces", spans(10, first=10 * i))
    second = backend(port=first.port)
    second.until(lambda: len(second.spans) == 50)
    assert len({s.span_id for s in second.spans}) == 50
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 60, "sent")
    assert w.metric("otelcol_exporter_send_failed_spans") is None


def test_a_backend_that_hangs_is_given_up_after_timeout_and_tried_again(
        weir, backend, client):
    hung = backend()
    hung.gate.clear()
    w = weir(to_backend(exporter=FAST_RETRY), BACKEND=hung.port)
    client(w.otlp).export("traces", spans(3))
    w.saw("Exporting failed. Will retry the request after interval.")
    assert w.metric("otelcol_exporter_in_flight_requests", data_type="traces") == 1
    hung.gate.set()
    hung.until(lambda: len(hung.spans) >= 3)
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "sent")


def test_without_queue_and_retry_the_sender_hears_the_backend(weir, backend, client):
    there = backend()
    there.answers = [(grpc.StatusCode.UNAVAILABLE, "down for a while", 7),
                     (grpc.StatusCode.PERMISSION_DENIED, "who are you", None)]
    w = weir(to_backend(exporter="""
    sending_queue: {enabled: false}
    retry_on_failure: {enabled: false}
"""), BACKEND=there.port)
    c = client(w.otlp)
    with pytest.raises(grpc.RpcError) as later:
        c.export("traces", spans(1))
    assert later.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "down for a while" in later.value.details()
    assert retry_delay(later.value) == 7
    with pytest.raises(grpc.RpcError) as never:
        c.export("traces", spans(1))
    assert "who are you" in never.value.details()
    assert retry_delay(never.value) is None


@pytest.mark.parametrize("processors,chain", [
    ("", "[]"), ("  batch: {timeout: 10s}\n", "[batch]")])
def test_sigterm_with_a_dead_backend_ends_within_drain_timeout_with_0(
        weir, backend, client, processors, chain):
    dead = backend()
    dead.stop()
    w = weir(to_backend(processors, chain, service="  drain_timeout: 2s", exporter="""
    retry_on_failure: {initial_interval: 1h, max_interval: 1h, max_elapsed_time: 0}
"""), BACKEND=dead.port)
    c = client(w.otlp)
    for i in range(20):
        c.export("traces", spans(10, first=10 * i))
    began = time.monotonic()
    assert w.stop() == 0
    assert time.monotonic() - began < 2 + 3
    assert "Shutdown complete." in w.output


def test_sigterm_with_a_hung_backend_ends_within_drain_timeout_with_0(
        weir, backend, client):
    hung = backend()
    hung.gate.clear()
    w = weir(to_backend(service="  drain_timeout: 1s", exporter="    timeout: 1h"),
             BACKEND=hung.port)
    client(w.otlp).export("traces", spans(1))
    eventually(lambda: w.metric("otelcol_exporter_in_flight_requests") == 1, "sending")
    began = time.monotonic()
    assert w.stop() == 0
    assert time.monotonic() - began < 1 + 3
    assert "Shutdown deadline passed" in w.output


def test_19_two_million_empty_spans_do_not_get_memory_nobody_counted(
        weir, backend, client):
    """Each would be shown to the upsert; what that takes is asked of the
    budget first."""
    there = backend()
    w = weir(to_backend("""
  memory_limiter: {check_interval: 1s, limit_mib: 64, spike_limit_mib: 8}
  attributes: {actions: [{key: k, value: v, action: upsert}]}
""", "[memory_limiter, attributes]", service="  workers: 1"), BACKEND=there.port)
    c = client(w.otlp)
    body = b"\x12\x00" * 1_900_000
    scopes = b"\x12" + varint(len(body)) + body
    with pytest.raises(grpc.RpcError) as refused:
        c.export("traces", b"\x0a" + varint(len(scopes)) + scopes)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert w.metric("weir_refused_requests", reason="memory") == 1
    assert not there.spans


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])
