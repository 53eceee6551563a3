# SPDX-License-Identifier: Apache-2.0
"""How the gRPC exporter reaches its backend: by a name, when the backend goes
and comes back, and through a proxy."""
import base64
import socket
import threading

import grpc
import pytest

from conftest import eventually, free_port, spans
from pipelines import HEAD, TELEMETRY


def config(endpoint, more=""):
    return HEAD + f"""
exporters:
  otlp_grpc:
    endpoint: {endpoint}
    tls: {{insecure: true}}
    retry_on_failure: {{initial_interval: 100ms, max_interval: 200ms}}
    {more}
service:
{TELEMETRY}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_grpc]}}
"""


class Proxy:
    """An HTTP proxy that knows CONNECT, and connects to one port whatever it
    is asked for."""

    def __init__(self, port, refuse=0):
        self.to, self.refuse = port, refuse
        self.heads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                s, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[s], daemon=True).start()

    def _serve(self, s):
        with s:
            head = b""
            while b"\r\n\r\n" not in head:
                more = s.recv(4096)
                if not more:
                    return
                head += more
            self.heads.append(head.decode())
            if self.refuse:
                self.refuse -= 1
                s.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.to)) as up:
                s.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self._pump, args=[up, s], daemon=True)
                back.start()
                self._pump(s, up)
                back.join(60)

    @staticmethod
    def _pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.listener.close()


@pytest.fixture
def proxy():
    running = []

    def start(*args, **how):
        running.append(Proxy(*args, **how))
        return running[-1]

    yield start
    for p in running:
        p.stop()


@pytest.mark.parametrize("endpoint", [
    "localhost:{}", "dns:///localhost:{}", "passthrough:///localhost:{}",
    "http://localhost:{}", "127.0.0.1:{}"])
def test_a_backend_is_found_by_its_name(weir, backend, client, endpoint):
    sink = backend()
    w = weir(config(endpoint.format(sink.port)))
    client(w.otlp).export("traces", spans(3))
    sink.until(lambda: len(sink.spans) == 3)


@pytest.mark.parametrize("balancer", ["round_robin", "pick_first"])
def test_a_backend_may_go_and_come_back(weir, backend, client, balancer):
    sink = backend()
    w = weir(config(f"localhost:{sink.port}", f"balancer_name: {balancer}"))
    c = client(w.otlp)
    c.export("traces", spans(3))
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 3, "an answer")
    sink.stop()
    c.export("traces", spans(4, first=3))
    eventually(lambda: w.metric("otelcol_exporter_queue_size", data_type="traces") == 1,
               "a queue")
    again = backend(port=sink.port)
    again.until(lambda: len(again.spans) == 4)
    eventually(lambda: w.metric("otelcol_exporter_sent_spans") == 7, "the answer")


def test_a_proxy_is_asked_for_the_name(weir, backend, client, proxy):
    sink = backend()
    p = proxy(sink.port)
    w = weir(config("backend.test:4317"),
             HTTPS_PROXY=f"http://ann:secret@127.0.0.1:{p.port}")
    client(w.otlp).export("traces", spans(300))
    sink.until(lambda: len(sink.spans) == 300)
    login = base64.b64encode(b"ann:secret").decode()
    assert set(p.heads) == {     # one a worker
        "CONNECT backend.test:4317 HTTP/1.1\r\nHost: backend.test:4317\r\n"
        f"User-Agent: Weir\r\nProxy-Authorization: Basic {login}\r\n\r\n"}
    assert "secret" not in w.output


def test_a_proxy_that_refuses_is_named_and_asked_again(weir, backend, client, proxy):
    sink = backend()
    p = proxy(sink.port, refuse=1_000_000)
    w = weir(config("backend.test:4317", "sending_queue: {enabled: false}")
             .replace("retry_on_failure: {", "retry_on_failure: {enabled: false, "),
             HTTPS_PROXY=f"http://127.0.0.1:{p.port}")
    c = client(w.otlp)
    with pytest.raises(grpc.RpcError) as refused:
        c.export("traces", spans(2))
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert 'failed to do connect handshake, response: "HTTP/1.1 407 Proxy' \
        in refused.value.details()
    p.refuse = 0

    def through():
        try:
            return c.export("traces", spans(2))
        except grpc.RpcError:
            return None
    eventually(through, "the tunnel")
    assert len(sink.spans) == 2


def test_what_is_on_this_host_needs_no_proxy(weir, backend, client):
    sink = backend()
    w = weir(config(f"localhost:{sink.port}"),
             HTTPS_PROXY=f"http://127.0.0.1:{free_port()}")
    client(w.otlp).export("traces", spans(2))
    sink.until(lambda: len(sink.spans) == 2)
