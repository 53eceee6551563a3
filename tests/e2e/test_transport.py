# SPDX-License-Identifier: Apache-2.0
"""Sockets, codings and sizes: every span arrives once, whatever carries it."""
import socket

import grpc
import pytest

from conftest import PATIENCE, Client, eventually, spans
from pipelines import HEAD, TELEMETRY, to_backend


def test_a_unix_socket_serves_and_is_gone_at_the_end(weir, backend, client, tmp_path):
    there = backend()
    path = tmp_path / "weir.sock"
    w = weir(f"""
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "{path}", transport: unix}}}}}}
exporters:
  otlp_grpc: {{endpoint: "127.0.0.1:{there.port}", tls: {{insecure: true}}}}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
""")
    client(f"unix:{path}").export("traces", spans(7))
    there.until(lambda: len(there.spans) == 7)
    assert w.metric("otelcol_receiver_accepted_spans") == 7
    assert w.stop() == 0
    assert not path.exists()


def test_a_socket_that_a_dead_process_left_behind_is_taken_over(weir, client, tmp_path):
    path = tmp_path / "weir.sock"
    config = f"""
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: "{path}", transport: unix}}}}}}
exporters: {{nop: }}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [nop]}}
"""
    first = weir(config)
    first.kill()
    assert path.exists()
    weir(config)
    client(f"unix:{path}").export("traces", spans(1))


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_gzip_in_and_each_coding_on_through_two_weirs(
        weir, backend, client, compression):
    there = backend()
    last = weir(to_backend(exporter="    compression: gzip"), BACKEND=there.port)
    first = weir(to_backend(exporter=f"    compression: {compression}"),
                 BACKEND=last.env["OTLP"])
    c = client(first.otlp, compression=grpc.Compression.Gzip)
    for i in range(20):
        c.export("traces", spans(50, first=50 * i, attributes=[("k", "v" * 50)]))
    there.until(lambda: len(there.spans) == 1000)
    assert len({s.span_id for s in there.spans}) == 1000
    for w in (first, last):
        assert w.metric("otelcol_receiver_accepted_spans") == 1000
        eventually(lambda w=w: w.metric("otelcol_exporter_sent_spans") == 1000, "sent")


def test_64_mib_pass_when_the_cap_says_so_and_a_byte_more_does_not(weir, client):
    w = weir(f"""
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:${{env:OTLP}}", max_recv_msg_size_mib: 64}}
exporters: {{nop: }}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [nop]}}
""")
    cap = 64 << 20
    request = spans(1, attributes=[("k", "v" * (cap - 1000))])
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value
    value.string_value = "v" * (cap - 1000 + cap - request.ByteSize())
    assert request.ByteSize() == cap
    c = client(w.otlp)
    c.export("traces", request)
    value.string_value += "v"
    with pytest.raises(grpc.RpcError) as e:
        c.export("traces", request)
    assert e.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert w.metric("otelcol_receiver_accepted_spans") == 1
    assert w.metric("weir_refused_requests", reason="too_big") == 1
    c.export("traces", spans(1))


def test_two_hundred_connections_at_once(weir, backend):
    there = backend()
    w = weir(to_backend("  batch: {timeout: 20ms}\n", "[batch]",
                        service="  workers: 2"), BACKEND=there.port)
    clients = [Client(w.otlp) for _ in range(200)]
    try:
        calls = [c.future("traces", spans(5, first=5 * i))
                 for i, c in enumerate(clients)]
        for call in calls:
            call.result()
        there.until(lambda: len(there.spans) == 1000)
        assert len({s.span_id for s in there.spans}) == 1000
    finally:
        for c in clients:
            c.close()


def test_an_address_that_cannot_be_is_said_before_anything_runs(weir):
    w = weir(HEAD.replace("127.0.0.1:${env:OTLP}", "256.1.1.1:4317") + """
exporters: {nop: }
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [nop]}
""", wait=False)
    assert w.process.wait(timeout=30) == 1
    w.reader.join(timeout=10)
    assert "256.1.1.1" in w.output and "Everything is ready" not in w.output


@pytest.mark.parametrize("port", ["OTLP", "HTTP"])
def test_106_one_address_has_so_many_connections(weir, port):
    """The fifth is closed unheard; when one has gone there is room again."""
    few = "max_connections_per_address: 4"
    w = weir(f"""
receivers:
  otlp:
    protocols:
      grpc: {{endpoint: "127.0.0.1:${{env:OTLP}}", {few}}}
      http: {{endpoint: "127.0.0.1:${{env:HTTP}}", {few}}}
exporters: {{nop: }}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [nop]}}
""")

    def dial():
        return socket.create_connection(("127.0.0.1", w.env[port]), PATIENCE)

    def is_closed(s):
        s.settimeout(PATIENCE)
        try:
            return s.recv(1000) == b""
        except ConnectionResetError:
            return True

    held = [dial() for _ in range(4)]
    fifth = dial()
    assert is_closed(fifth)
    assert w.metric("weir_refused_connections") == 1
    w.saw("Connection refused: too many")
    held.pop().close()

    def is_served():
        with dial() as s:
            s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            try:
                return bool(s.recv(1000))
            except ConnectionResetError:
                return False
    eventually(is_served, "a place")
    for s in (fifth, *held):
        s.close()
