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


class Side:
    """One program on one configuration.  `name` is "go" or "weir"."""

    def __init__(self, name, yaml, env=None, backends=("BACKEND",)):
        self.name = name
        self.backends = {b: a_backend() for b in backends}
        self.ports = {p: free_port() for p in ("OTLP", "HTTP")}
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
        return any(READY in line for line in self.lines)

    @property
    def port_was_taken(self):
        return "address already in use" in self.output.lower()

    def send(self, signal, request, metadata=()):
        """The gRPC code's name: OK, UNAVAILABLE, ..."""
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
        for backend in self.backends.values():
            backend.stop()
        self.dir.cleanup()
