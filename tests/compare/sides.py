# SPDX-License-Identifier: Apache-2.0
"""The two programs beside each other: started on the same YAML, sent the same
requests, each with a backend of its own that records what it is sent."""
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import grpc  # noqa: E402
from case import EXPORTER  # noqa: E402
from conftest import BUILD, Backend, Client, free_port  # noqa: E402

PEER = ROOT / "build" / "peers" / "otelcol"
PATIENCE = 20
READY = "Everything is ready"


def a_backend():
    """Between finding a port and taking it another case may have it."""
    for _ in range(9):
        try:
            return Backend()
        except RuntimeError:
            pass
    return Backend()


# Takes OTLP/HTTP in any encoding, and hands it to the backend.
RELAY = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:${env:HTTP}"}}}}
exporters:""" + EXPORTER.format(name="otlp_grpc", port="BACKEND") + """
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_grpc]}
    metrics: {receivers: [otlp], exporters: [otlp_grpc]}
    logs: {receivers: [otlp], exporters: [otlp_grpc]}
"""


# Sends OTLP/HTTP in any encoding.
FRONT = """
receivers: {otlp: {protocols: {grpc: {endpoint: "127.0.0.1:${env:OTLP}"}}}}
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:${env:TARGET}
    encoding: ${env:ENCODING}
    compression: ${env:COMPRESSION}
    sending_queue: {enabled: false}
    retry_on_failure: {enabled: false}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp], exporters: [otlp_http]}
    metrics: {receivers: [otlp], exporters: [otlp_http]}
    logs: {receivers: [otlp], exporters: [otlp_http]}
"""


class Side:
    """One program on one configuration.  `name` is "go" or "weir".  With relay
    a Go collector stands before the backend and reads OTLP/HTTP for it, with
    front (encoding, compression) one before the program, that writes it."""

    def __init__(self, name, yaml, env=None, backends=("BACKEND",), relay=False,
                 front=()):
        self.name = name
        self.relay = Side("go", RELAY, backends=backends) if relay else None
        self.backends = self.relay.backends if relay else {
            b: a_backend() for b in backends}
        self.ports = {p: free_port() for p in ("OTLP", "HTTP")}
        if relay:
            self.ports["RELAY"] = self.relay.ports["HTTP"]
        self.front = Side("go", FRONT, backends=(), env={
            "TARGET": str(self.ports["HTTP"]), "ENCODING": front[0],
            "COMPRESSION": front[1]}) if front else None
        self.others = [s for s in (self.relay, self.front) if s]
        self.dir = tempfile.TemporaryDirectory(prefix=f"compare-{name}-")
        config = Path(self.dir.name) / "config.yaml"
        config.write_text(yaml)
        given = {**{k: str(v) for k, v in self.ports.items()},
                 **{k: str(b.port) for k, b in self.backends.items()},
                 "OUT": self.dir.name, **(env or {})}
        program = PEER if name == "go" else BUILD / "weir"
        self.process = subprocess.Popen(
            [str(program), "--config", str(config)], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
            cwd=self.dir.name, env={**os.environ, **given})
        self.lines = []
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.client = None

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            if READY in line:
                self.ready.set()
        self.ready.set()

    @property
    def output(self):
        return "\n".join(self.lines)

    def started(self):
        """Waits for it; False when it ended instead."""
        assert self.ready.wait(PATIENCE), f"{self.name} does not start:\n{self.output}"
        return (any(READY in line for line in self.lines)
                and all(s.started() for s in self.others))

    @property
    def port_was_taken(self):
        return ("address already in use" in self.output.lower()
                or any(s.port_was_taken for s in self.others))

    def send(self, signal, request, metadata=()):
        """The gRPC code's name: OK, UNAVAILABLE, ..."""
        if self.front:
            return self.front.send(signal, request, metadata)
        if not self.client:
            self.client = Client(f"127.0.0.1:{self.ports['OTLP']}")
        try:
            self.client.export(signal, request, timeout=PATIENCE, metadata=metadata)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"

    def took(self, backend, signal):
        """How many requests the backend has of that signal."""
        return self.backends[backend].requests[signal]

    def stop(self):
        if self.client:
            self.client.close()
            self.client = None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.reader.join(timeout=PATIENCE)
        return code

    def close(self):
        self.stop()
        for side in self.others:
            side.stop()
            side.dir.cleanup()
        for backend in self.backends.values():
            backend.stop()
        self.dir.cleanup()
