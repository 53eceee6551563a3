# SPDX-License-Identifier: Apache-2.0
"""A real weir, real sockets, real clients.

`weir(yaml)` starts the built program on a configuration whose ${NAME}s are
free ports or what the test gives; `backend()` is a grpcio server that records
what it is sent and misbehaves on request.  Nothing here sleeps: waits are on
conditions, bounded by PATIENCE.
"""
import contextlib
import gzip
import os
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from google.protobuf import any_pb2, duration_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

# A sanitizer's report ends the program with a code that is no other's.
SANITIZED = 99
for _name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    os.environ.setdefault(_name, f"halt_on_error=1:exitcode={SANITIZED}"
                          # freed memory counts as used while it waits there;
                          # LeakSanitizer: see tests/run-unit
                          + (":quarantine_size_mb=4:intercept_tls_get_addr=0"
                             if _name[0] == "A" else ""))

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("WEIR_BUILD", "build")
PATIENCE = float(os.environ.get("WEIR_TEST_PATIENCE", "30"))

SERVICES = {
    "traces": ("/opentelemetry.proto.collector.trace.v1.TraceService/Export",
               trace_service_pb2.ExportTraceServiceRequest,
               trace_service_pb2.ExportTraceServiceResponse),
    "metrics": ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
                metrics_service_pb2.ExportMetricsServiceRequest,
                metrics_service_pb2.ExportMetricsServiceResponse),
    "logs": ("/opentelemetry.proto.collector.logs.v1.LogsService/Export",
             logs_service_pb2.ExportLogsServiceRequest,
             logs_service_pb2.ExportLogsServiceResponse),
}


# What a sanitizer writes; and what a build without one must never.
REPORT = re.compile(r"(?:Address|Leak|Thread|UndefinedBehavior)Sanitizer|runtime error:")


def free_ports(n):
    """So many different ones."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(n)]
        for s in held:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in held]


def free_port():
    return free_ports(1)[0]


def eventually(condition, what="condition"):
    """Waits until condition() is true; for what cannot signal (a page, a
    file).  Bounded."""
    end = time.monotonic() + PATIENCE
    tick = threading.Event()
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come true in {PATIENCE} s"
        tick.wait(0.02)
    return value


def total(page, name, labels):
    """The sum of a metric over the series that have these labels; None when
    there is none."""
    total = None
    for line in page.splitlines():
        m = re.match(r'([\w:]+)(?:\{(.*)\})? (\S+)$', line)
        if not m or m[1] != name:
            continue
        have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m[2] or ""))
        if all(have.get(k) == v for k, v in labels.items()):
            total = (total or 0) + float(m[3])
    return total


class Weir:
    """One running weir."""

    def __init__(self, config, env, args=(), program=BUILD / "weir"):
        self.config = config
        self.env = env
        self.process = subprocess.Popen(
            [str(program), "--config", str(config), *args],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=config.parent, env={**os.environ, **env})
        self.killed = False
        self.lines = []
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)  # the end
            self.changed.notify_all()

    @property
    def output(self):
        with self.changed:
            return "\n".join(l for l in self.lines if l is not None)

    def saw(self, text):
        """Waits for a line of the log that holds text."""
        def there():
            return (any(l is not None and text in l for l in self.lines)
                    or (self.lines and self.lines[-1] is None))
        with self.changed:
            assert self.changed.wait_for(there, PATIENCE), \
                f"no {text!r} in:\n{self.output}"
            assert any(l and text in l for l in self.lines), \
                f"weir ended without {text!r}:\n{self.output}"
        return self

    def metrics(self):
        port = self.env["METRICS"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics",
                                    timeout=PATIENCE) as page:
            return page.read().decode()

    def metric(self, name, **labels):
        return total(self.metrics(), name, labels)

    def stop(self, how=signal.SIGTERM):
        """Ends it and returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(timeout=PATIENCE + 30)
        self.reader.join(timeout=PATIENCE)
        return code

    def kill(self):
        """As the kernel does when memory is out."""
        self.killed = True
        self.stop(signal.SIGKILL)

    @property
    def otlp(self):
        return f"127.0.0.1:{self.env['OTLP']}"


@contextlib.contextmanager
def launching(folder):
    """A function that starts weirs; at the end they must end well."""
    running = []

    def start(yaml, wait=True, args=(), program=BUILD / "weir", **env):
        names = ("OTLP", "HTTP", "METRICS", "HEALTH")
        env = {**dict(zip(names, map(str, free_ports(4)))),
               **{k: str(v) for k, v in env.items()}}
        path = folder / f"weir-{len(running)}.yaml"
        path.write_text(yaml)
        w = Weir(path, env, args, program)
        running.append(w)
        if wait:
            w.saw("Everything is ready")
        return w

    yield start
    for w in running:
        code = w.stop()
        text = w.output
        assert not REPORT.search(text), text
        assert w.killed or code in (0, 1), f"exit code {code}:\n{text}"


@pytest.fixture
def weir(tmp_path):
    with launching(tmp_path) as start:
        yield start


def retry_info(code, message, seconds=None):
    """A grpc status with or without RetryInfo, as trailers."""
    status = status_pb2.Status(code=code, message=message)
    if seconds is not None:
        info = error_details_pb2.RetryInfo(
            retry_delay=duration_pb2.Duration(
                seconds=int(seconds), nanos=int(seconds % 1 * 1e9)))
        detail = any_pb2.Any()
        detail.Pack(info)
        status.details.append(detail)
    return status


class Backend(grpc.GenericRpcHandler):
    """Records export requests; `answers` says how the next ones end."""

    def __init__(self, port=None, max_bytes=64 << 20):
        self.changed = threading.Condition()
        self.requests = {"traces": [], "metrics": [], "logs": []}
        self.metadata = []
        self.answers = []      # (code, message, retry seconds or None), or a response
        self.refused = 0
        self.gate = threading.Event()
        self.gate.set()
        self.port = port or free_port()
        self.server = grpc.server(
            futures.ThreadPoolExecutor(16), handlers=[self],
            options=[("grpc.max_receive_message_length", max_bytes),
                     ("grpc.so_reuseport", 0)])
        assert self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        self.server.start()

    def service(self, details):
        for signal_name, (path, request, response) in SERVICES.items():
            if details.method == path:
                return grpc.unary_unary_rpc_method_handler(
                    lambda r, c, s=signal_name, t=response: self._export(s, t, r, c),
                    request_deserializer=request.FromString,
                    response_serializer=lambda m: m.SerializeToString())
        return None

    def _export(self, signal_name, response, request, context):
        self.gate.wait(PATIENCE)
        with self.changed:
            answer = self.answers.pop(0) if self.answers else None
            if isinstance(answer, tuple):
                self.refused += 1
                self.changed.notify_all()
            else:
                self.requests[signal_name].append(request)
                self.metadata.append(dict(context.invocation_metadata()))
                self.changed.notify_all()
        if isinstance(answer, tuple):
            code, message, seconds = answer
            status = retry_info(code.value[0], message, seconds)
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),))
            context.abort(code, message)
        return answer or response()

    @property
    def spans(self):
        with self.changed:
            return [s for r in self.requests["traces"] for rs in r.resource_spans
                    for ss in rs.scope_spans for s in ss.spans]

    @property
    def logs(self):
        with self.changed:
            return [l for r in self.requests["logs"] for rl in r.resource_logs
                    for sl in rl.scope_logs for l in sl.log_records]

    @property
    def metrics(self):
        with self.changed:
            return [m for r in self.requests["metrics"] for rm in r.resource_metrics
                    for sm in rm.scope_metrics for m in sm.metrics]

    def until(self, condition, patience=PATIENCE):
        with self.changed:
            assert self.changed.wait_for(condition, patience), \
                f"backend has {len(self.spans)} spans, {len(self.logs)} logs, " \
                f"{len(self.metrics)} metrics, {self.refused} refusals"

    def stop(self):
        self.gate.set()
        self.server.stop(None).wait(PATIENCE)


@pytest.fixture
def backend():
    running = []

    def start(**how):
        b = Backend(**how)
        running.append(b)
        return b

    yield start
    for b in running:
        b.stop()


class Client:
    """A raw grpcio client: bytes in, bytes or a status out."""

    def __init__(self, target, compression=None):
        # a connection of its own: equal channels share one else
        self.channel = grpc.insecure_channel(target, options=[
            ("grpc.max_send_message_length", 128 << 20),
            ("grpc.max_receive_message_length", 128 << 20),
            ("grpc.use_local_subchannel_pool", 1)])
        self.compression = compression

    def export(self, signal_name, request, timeout=PATIENCE, **how):
        path, _, response = SERVICES[signal_name]
        data = request if isinstance(request, bytes) else request.SerializeToString()
        call = self.channel.unary_unary(path, lambda b: b, response.FromString)
        return call(data, timeout=timeout, compression=self.compression, **how)

    def future(self, signal_name, request, timeout=PATIENCE):
        path, _, response = SERVICES[signal_name]
        call = self.channel.unary_unary(path, lambda b: b, response.FromString)
        return call.future(request.SerializeToString(), timeout=timeout,
                           compression=self.compression)

    def close(self):
        self.channel.close()


@pytest.fixture
def client():
    running = []

    def connect(target, **how):
        c = Client(target, **how)
        running.append(c)
        return c

    yield connect
    for c in running:
        c.close()


def spans(n, first=0, name="op", attributes=(), resource=()):
    """An export request with n spans, numbered in their ids from `first`."""
    request = trace_service_pb2.ExportTraceServiceRequest()
    rs = request.resource_spans.add()
    for k, v in (("service.name", "test"), *resource):
        rs.resource.attributes.add(key=k).value.string_value = v
    ss = rs.scope_spans.add()
    ss.scope.name = "e2e"
    for i in range(first, first + n):
        s = ss.spans.add(trace_id=(i + 1).to_bytes(16, "big"),
                         span_id=(i + 1).to_bytes(8, "big"), name=f"{name}-{i}",
                         kind=2, start_time_unix_nano=1_700_000_000_000_000_000,
                         end_time_unix_nano=1_700_000_000_001_000_000)
        for k, v in attributes:
            s.attributes.add(key=k).value.string_value = v
    return request


def keys_of(attributes):
    return {a.key for a in attributes}
