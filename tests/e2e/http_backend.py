# SPDX-License-Identifier: Apache-2.0
"""An HTTP server that records export requests and misbehaves on request."""
import gzip
import ssl
import threading
import zlib
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import PATIENCE, ROOT, SERVICES

Request = namedtuple("Request", "path headers body connection")

DECODERS = {
    None: bytes,
    "gzip": gzip.decompress,
    "zlib": zlib.decompress,
    "deflate": zlib.decompress,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_POST(self):
        self.server.backend.take(self)

    do_GET = do_POST

    def answer(self, status, headers=(), body=b""):
        self.send_response_only(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        pass  # a peer that went away


class HttpBackend:
    """tls: the newest version to speak, "TLSv1_3"; None: plain HTTP.
    `answers` says how the next requests end: (status, headers, body), or a
    function of the handler; when it is empty, with 200 and nothing."""

    def __init__(self, port=0, tls=None, host="127.0.0.1"):
        self.changed = threading.Condition()
        self.requests = []
        self.answers = []
        self.inside = self.most_inside = 0
        self.gate = threading.Event()
        self.gate.set()
        self.server = Server((host, port), Handler)
        self.server.backend = self
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            data = ROOT / "tests" / "data" / "tls"
            context.load_cert_chain(data / "self-signed.pem", data / "self-signed.key")
            context.maximum_version = getattr(ssl.TLSVersion, tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,),
                         daemon=True).start()

    def take(self, handler):
        length = int(handler.headers.get("Content-Length", 0))
        body = handler.rfile.read(length)
        with self.changed:
            self.inside += 1
            self.most_inside = max(self.inside, self.most_inside)
            self.requests.append(Request(handler.path, handler.headers, body,
                                         handler.client_address))
            answer = self.answers.pop(0) if self.answers else (200, {}, b"")
            self.changed.notify_all()
        self.gate.wait(PATIENCE)
        with self.changed:
            self.inside -= 1
        if callable(answer):
            answer(handler)
        else:
            handler.answer(*answer)

    def messages(self, signal="traces"):
        """What came for a signal, as messages."""
        _, kind, _ = SERVICES[signal]
        with self.changed:
            return [kind.FromString(DECODERS[r.headers["Content-Encoding"]](r.body))
                    for r in self.requests if r.path.endswith("/v1/" + signal)]

    @property
    def spans(self):
        return [s for m in self.messages() for rs in m.resource_spans
                for ss in rs.scope_spans for s in ss.spans]

    def until(self, condition):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), \
                f"the backend has {len(self.requests)} requests"

    def stop(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def http_backend():
    running = []

    def start(**how):
        b = HttpBackend(**how)
        running.append(b)
        return b

    yield start
    for b in running:
        b.stop()
