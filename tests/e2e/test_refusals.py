# SPDX-License-Identifier: Apache-2.0
"""Bad input gets a clear answer, a counter, and hurts nobody else.

Numbers are rows of the catalogue of attacks."""
import gzip
import socket
import struct

import grpc
import pytest

from conftest import SERVICES, eventually, spans
from pipelines import HEAD, TELEMETRY, to_backend


def refused(call):
    with pytest.raises(grpc.RpcError) as e:
        call()
    return e.value


@pytest.fixture
def pair(weir, backend, client):
    there = backend()
    w = weir(to_backend(), BACKEND=there.port)
    return w, there, client(w.otlp)


def still_serves(there, c):
    c.export("traces", spans(1, first=777))
    there.until(lambda: any(s.name == "op-777" for s in there.spans))


def test_13_cut_short_requests_are_invalid_argument(pair):
    w, there, c = pair
    whole = spans(1).SerializeToString()
    for n in (1, 2, len(whole) // 2, len(whole) - 1):
        e = refused(lambda n=n: c.export("traces", whole[:n]))
        assert e.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert len(e.details()) <= 256
    assert not there.spans
    assert w.metric("weir_refused_requests", reason="malformed") == 4
    still_serves(there, c)


def test_2_a_message_over_the_cap_is_resource_exhausted_without_retry_info(pair):
    w, there, c = pair
    e = refused(lambda: c.export("traces", b"\0" * (4 * 1024 * 1024 + 1)))
    assert e.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "grpc-status-details-bin" not in dict(e.trailing_metadata() or ())
    assert w.metric("weir_refused_requests", reason="too_big") == 1
    still_serves(there, c)


def test_4_a_gzip_bomb_stops_at_the_cap(pair, client):
    w, there, c = pair
    bomb = client(w.otlp, compression=grpc.Compression.Gzip)
    e = refused(lambda: bomb.export("traces", b"\0" * (64 << 20)))
    assert e.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    still_serves(there, c)
    assert w.metric("otelcol_process_memory_rss") < 200e6


def test_17_nesting_too_deep_is_refused(pair):
    w, there, c = pair

    def deep(levels):
        """An attribute value: lists inside each other."""
        value = b""
        for _ in range(levels):
            array = b"\x0a" + varint(len(value)) + value
            value = b"\x2a" + varint(len(array)) + array
        kv = b"\x0a\x01k\x12" + varint(len(value)) + value
        for tag in (b"\x4a", b"\x12", b"\x12", b"\x0a"):
            kv = tag + varint(len(kv)) + kv
        return kv

    def varint(n):
        out = b""
        while n > 127:
            out += bytes([n & 127 | 128])
            n >>= 7
        return out + bytes([n])

    c.export("traces", deep(20))
    e = refused(lambda: c.export("traces", deep(4000)))
    assert e.code() == grpc.StatusCode.INVALID_ARGUMENT
    still_serves(there, c)


def test_24_ids_of_a_wrong_length_are_refused_and_empty_ones_pass(pair):
    w, there, c = pair
    request = spans(1)
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"12345"
    assert refused(lambda: c.export("traces", request)).code() == \
        grpc.StatusCode.INVALID_ARGUMENT
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b""
    c.export("traces", request)
    there.until(lambda: there.spans)


def test_21_unknown_fields_survive(pair):
    w, there, c = pair
    request = spans(1).SerializeToString()
    unknown = b"\xd2\x3e\x03abc"     # field 1002 of the request's record
    inner = request[request.index(b"\x0a") + 2:] if request[1] < 128 else request[3:]
    body = inner + unknown
    n = len(body)
    head = b"\x0a" + (bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7]))
    c.export("traces", head + body)
    there.until(lambda: there.spans)
    assert unknown in there.requests["traces"][0].SerializeToString()


def test_22_invalid_utf8_is_mended(pair):
    w, there, c = pair
    request = spans(1, attributes=[("k", "BAD!")]).SerializeToString()
    c.export("traces", request.replace(b"BAD!", b"B\xff\xfe!"))
    there.until(lambda: there.spans)
    assert there.spans[0].attributes[0].value.string_value == "B\ufffd\ufffd!"
    assert w.metric("weir_mended_requests") == 1


def test_27_an_empty_request_is_fine(pair):
    w, there, c = pair
    answer = c.export("traces", b"")
    assert not answer.HasField("partial_success")
    assert w.metric("otelcol_receiver_accepted_spans") in (None, 0)


def test_69_an_unknown_method_is_unimplemented(pair):
    w, there, c = pair
    call = c.channel.unary_unary("/no.such.Service/Export", lambda b: b, lambda b: b)
    assert refused(lambda: call(b"", timeout=10)).code() == grpc.StatusCode.UNIMPLEMENTED


def test_a_signal_without_a_pipeline_is_unimplemented(weir, backend, client):
    there = backend()
    w = weir(HEAD + f"""
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{there.port}", tls: {{insecure: true}}}}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
""")
    c = client(w.otlp)
    assert refused(lambda: c.export("logs", b"")).code() == grpc.StatusCode.UNIMPLEMENTED
    c.export("traces", spans(1))


def test_53_http_1_on_the_grpc_port_is_closed(pair):
    w, there, c = pair
    with socket.create_connection(("127.0.0.1", int(w.env["OTLP"])), timeout=10) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while s.recv(4096):
            pass
    still_serves(there, c)


def test_3_a_prefix_that_promises_4_gib_allocates_nothing(pair):
    """By hand: preface, SETTINGS, HEADERS with a literal header block, and a
    gRPC prefix of FFFFFFFF."""
    w, there, c = pair
    before = w.metric("otelcol_process_memory_rss")

    def literal(name, value):
        return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value

    path = SERVICES["traces"][0].encode()
    block = (literal(b":method", b"POST") + literal(b":scheme", b"http")
             + literal(b":path", path) + literal(b":authority", b"x")
             + literal(b"content-type", b"application/grpc") + literal(b"te", b"trailers"))

    def frame(kind, flags, stream, body):
        return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) \
            + struct.pack(">I", stream) + body

    with socket.create_connection(("127.0.0.1", int(w.env["OTLP"])), timeout=10) as s:
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
                  + frame(1, 4, 1, block) + frame(0, 0, 1, b"\0\xff\xff\xff\xff"))
        seen = b""
        while b"grpc-status" not in seen and b"\x01\x05" not in seen[-3:]:
            more = s.recv(65536)
            if not more:
                break
            seen += more
            if len(seen) > 100 and b"\0\0\x04\x03" in seen:   # RST_STREAM
                break
    eventually(lambda: w.metric("weir_refused_requests", reason="too_big") == 1, "refusal")
    assert w.metric("otelcol_process_memory_rss") - before < 8e6
    still_serves(there, c)
