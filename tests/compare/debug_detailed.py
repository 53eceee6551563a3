#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""debug_detailed.py [SEEDS]: generated requests of every signal through the debug
exporter of the Go collector and of Weir, at every verbosity; the texts must be
the same, byte for byte.  Exit 1 and the first differing lines where not.

What differs on purpose is not asked for: control characters, which Weir
escapes; the last digit of a bound; a list or map with a NaN or an infinity in it, of which the Collector
shows nothing."""
import difflib
import math
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import time

import grpc
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as traces

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:{port}
exporters:
  debug/basic: {{use_internal_logger: false, output_paths: [{dir}/basic]}}
  debug/normal:
    {{verbosity: normal, use_internal_logger: false, output_paths: [{dir}/normal]}}
  debug/detailed:
    {{verbosity: detailed, use_internal_logger: false, output_paths: [{dir}/detailed]}}
service:
  telemetry:
    metrics: {{level: none}}
  pipelines:
    traces: &all
      receivers: [otlp]
      exporters: [debug/basic, debug/normal, debug/detailed]
    metrics: *all
    logs: *all
"""
WORDS = ["", "x", "service.name", "\u00e9\u4e16\U0001f600", "two words", "a\nb\tc",
         '"quoted" \\ <b>&', "\x1b[31m\x00\x7f\x9b", "%s %d", "1e6", "\u2028", "\ufffd"]
DOUBLES = [0.0, -0.0, 1.0, 0.1, -2.5, 1e-5, 1e-4, 123456.0, 999999.0, 1e6, 1234567.5,
           1e20, 1e21, 1e22, -1e-7, 5e-324, 1.7976931348623157e308, float("inf"),
           float("-inf"), float("nan"), 1 / 3, 2.0**53, 0.5, 2.5, 1e15 + 0.3]
FINITE = [d for d in DOUBLES if math.isfinite(d)]
INTS = [0, 1, -1, 42, 2**31, 2**63 - 1, -2**63]
TIMES = [0, 1, 10**9, 1_700_000_000_123_456_789, 1_700_000_000_100_000_000,
         2**63 - 1, 2**63, 2**64 - 1, 253_402_300_800 * 10**9 % 2**64]


class Generator:
    """Requests from a seed: every kind of value, fields that are missing, and
    numbers that no enum has."""

    def __init__(self, seed):
        self.r = random.Random(seed)

    def maybe(self, p=0.5):
        return self.r.random() < p

    def word(self):
        return self.r.choice(WORDS)

    def value(self, into, depth=0):
        kind = self.r.randrange(8 if depth < 3 else 6)
        if kind == 0:
            into.string_value = self.word()
        elif kind == 1:
            into.int_value = self.r.choice(INTS)
        elif kind == 2:
            into.double_value = self.r.choice(FINITE if depth else DOUBLES)
        elif kind == 3:
            into.bool_value = self.maybe()
        elif kind == 4:
            into.bytes_value = self.r.randbytes(self.r.randrange(5))
        elif kind == 6:
            into.array_value.SetInParent()
            for _ in range(self.r.randrange(4)):
                self.value(into.array_value.values.add(), depth + 1)
        elif kind == 7:
            into.kvlist_value.SetInParent()
            for i in range(self.r.randrange(4)):
                self.value(into.kvlist_value.values.add(key=f"{self.word()}{i}").value,
                           depth + 1)

    def attributes(self, into):
        for i in range(self.r.choice([0, 0, 1, 3])):
            self.value(into.add(key=f"{self.word()}{i}").value)

    def id(self, n):
        return self.r.choice([b"", bytes(n), self.r.randbytes(n)])

    def time(self):
        return self.r.choice(TIMES)

    def count(self):
        return self.r.choice([0, 0, 1, 2**32 - 1])

    def head(self, group, scope):
        if self.maybe(0.8):
            group.resource.SetInParent()
            self.attributes(group.resource.attributes)
            group.resource.dropped_attributes_count = self.count()
            for _ in range(self.r.choice([0, 0, 1, 2])):
                ref = group.resource.entity_refs.add(type=self.word(),
                                                     schema_url=self.word())
                ref.id_keys.extend(self.word() for _ in range(self.r.randrange(3)))
                ref.description_keys.extend(
                    self.word() for _ in range(self.r.randrange(3)))
        group.schema_url = self.word()
        if self.maybe(0.8):
            scope.scope.name, scope.scope.version = self.word(), self.word()
            self.attributes(scope.scope.attributes)
        scope.schema_url = self.word()

    def groups(self, request, repeated, scopes):
        for _ in range(self.r.choice([0, 1, 1, 2])):
            group = getattr(request, repeated).add()
            for _ in range(self.r.choice([0, 1, 1, 2])):
                scope = getattr(group, scopes).add()
                self.head(group, scope)
                for _ in range(self.r.randrange(4)):
                    yield scope

    def traces(self):
        request = traces.ExportTraceServiceRequest()
        for scope in self.groups(request, "resource_spans", "scope_spans"):
            s = scope.spans.add(
                trace_id=self.id(16), span_id=self.id(8), parent_span_id=self.id(8),
                name=self.word(), kind=self.r.choice([0, 1, 2, 3, 4, 5, 6, 99]),
                trace_state=self.r.choice(["", "a=b"]), flags=self.count(),
                start_time_unix_nano=self.time(), end_time_unix_nano=self.time(),
                dropped_attributes_count=self.count(),
                dropped_events_count=self.count(), dropped_links_count=self.count())
            if self.maybe():
                s.status.message = self.word()
                s.status.code = self.r.choice([0, 1, 2, 3, 77])
            self.attributes(s.attributes)
            for _ in range(self.r.randrange(3)):
                e = s.events.add(name=self.word(), time_unix_nano=self.time(),
                                 dropped_attributes_count=self.count())
                self.attributes(e.attributes)
            for _ in range(self.r.randrange(3)):
                link = s.links.add(trace_id=self.id(16), span_id=self.id(8),
                                   trace_state=self.r.choice(["", "c=d"]),
                                   dropped_attributes_count=self.count())
                self.attributes(link.attributes)
        return request

    def logs(self):
        request = logs.ExportLogsServiceRequest()
        for scope in self.groups(request, "resource_logs", "scope_logs"):
            record = scope.log_records.add(
                time_unix_nano=self.time(), observed_time_unix_nano=self.time(),
                severity_number=self.r.choice([*range(25), 25, 1000]),
                severity_text=self.word(), trace_id=self.id(16), span_id=self.id(8),
                flags=self.count(), event_name=self.word(),
                dropped_attributes_count=self.count())
            if self.maybe(0.8):
                self.value(record.body)
            self.attributes(record.attributes)
        return request

    def exemplars(self, point):
        for _ in range(self.r.randrange(3)):
            e = point.exemplars.add(time_unix_nano=self.time(), trace_id=self.id(16),
                                    span_id=self.id(8))
            self.number(e)
            self.attributes(e.filtered_attributes)

    def number(self, into):
        kind = self.r.randrange(3)
        if kind == 0:
            into.as_int = self.r.choice(INTS)
        elif kind == 1:
            into.as_double = self.r.choice(DOUBLES)

    def point(self, points, **fields):
        point = points.add(start_time_unix_nano=self.time(),
                           time_unix_nano=self.time(), flags=self.count(), **fields)
        self.attributes(point.attributes)
        return point

    def summed(self, point):
        for field in ("sum", "min", "max"):
            if self.maybe():
                setattr(point, field, self.r.choice(DOUBLES))
        point.count = self.r.choice([0, 7, 2**64 - 1])

    def histogram(self, points):
        p = self.point(points)
        self.summed(p)
        n = self.r.randrange(5)
        p.explicit_bounds.extend(self.r.choice(DOUBLES) for _ in range(n))
        p.bucket_counts.extend(self.r.choice([0, 3, 2**64 - 1])
                               for _ in range(self.r.choice([0, n, n + 1, n + 2])))
        self.exemplars(p)

    def exponential(self, points):
        p = self.point(points, scale=self.r.choice([0, 1, -1, 3, 20, -10]),
                       zero_count=self.r.choice([0, 4]), zero_threshold=0.5)
        self.summed(p)
        for side in (p.positive, p.negative):
            if self.maybe(0.7):
                side.offset = self.r.choice([0, 1, -3, 40, 2**31 - 1, -2**31])
                side.bucket_counts.extend(self.r.choice([0, 1, 300, 2**64 - 1])
                                          for _ in range(self.r.randrange(5)))
        self.exemplars(p)

    def metrics(self):
        request = metrics.ExportMetricsServiceRequest()
        for scope in self.groups(request, "resource_metrics", "scope_metrics"):
            m = scope.metrics.add(name=self.word(), description=self.word(),
                                  unit=self.word())
            self.attributes(m.metadata)
            kind = self.r.choice([None, "gauge", "sum", "histogram",
                                  "exponential_histogram", "summary"])
            if not kind:
                continue
            data = getattr(m, kind)
            data.SetInParent()
            if kind in ("sum", "histogram", "exponential_histogram"):
                data.aggregation_temporality = self.r.choice([0, 1, 2, 3])
            if kind == "sum":
                data.is_monotonic = self.maybe()
            for _ in range(self.r.randrange(3)):
                if kind in ("gauge", "sum"):
                    p = self.point(data.data_points)
                    self.number(p)
                    self.exemplars(p)
                elif kind == "histogram":
                    self.histogram(data.data_points)
                elif kind == "exponential_histogram":
                    self.exponential(data.data_points)
                else:
                    p = self.point(data.data_points, count=self.r.choice([0, 9]),
                                   sum=self.r.choice(DOUBLES))
                    for _ in range(self.r.randrange(3)):
                        p.quantile_values.add(quantile=self.r.choice(DOUBLES),
                                              value=self.r.choice(DOUBLES))
        return request


class Side:
    """One of the two programs, and what it wrote."""

    def __init__(self, command, directory):
        directory.mkdir()
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        config = directory / "config.yaml"
        config.write_text(CONFIG.format(port=port, dir=directory))
        self.directory = directory
        self.read = {name: 0 for name in ("basic", "normal", "detailed")}
        self.log = (directory / "log").open("wb")
        self.process = subprocess.Popen([*command, "--config", str(config)],
                                        stdout=self.log, stderr=self.log)
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        grpc.channel_ready_future(self.channel).result(timeout=30)

    def export(self, signal, request):
        service = {"traces": "trace.v1.Trace", "metrics": "metrics.v1.Metrics",
                   "logs": "logs.v1.Logs"}[signal]
        call = self.channel.unary_unary(
            f"/opentelemetry.proto.collector.{service}Service/Export")
        call(request, timeout=30)

    def written(self, verbosity):
        """What came since the last call.  Both write before they answer."""
        with (self.directory / verbosity).open("rb") as f:
            f.seek(self.read[verbosity])
            text = f.read()
        self.read[verbosity] += len(text)
        return text.decode()

    def stop(self):
        self.channel.close()
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def escaped(text):
    """As Weir shows what a terminal would obey."""
    return re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]",
                  lambda m: f"\\u{ord(m[0]):04x}", text)


NUMBER = re.compile(r"([-+]?\d[\d.]*(?:e[-+]\d+)?)")


def alike(want, have):
    """The same but for the last digit of a bound of an exponential histogram:
    two libraries compute it."""
    if want == have:
        return True
    a, b = want.split("\n"), have.split("\n")
    return len(a) == len(b) and all(map(alike_line, a, b))


def alike_line(want, have):
    if want == have:
        return True
    if not re.match(r"Bucket [[(]|.* le", want):
        return False
    a, b = NUMBER.split(want), NUMBER.split(have)
    return len(a) == len(b) and a[::2] == b[::2] and all(
        math.isclose(float(x), float(y), rel_tol=1e-15)
        for x, y in zip(a[1::2], b[1::2]))


def differences(seed, go, weir):
    generator = Generator(seed)
    for signal in ("traces", "metrics", "logs"):
        request = getattr(generator, signal)().SerializeToString()
        for side in (go, weir):
            side.export(signal, request)
        for verbosity in go.read:
            want, have = escaped(go.written(verbosity)), weir.written(verbosity)
            if not alike(want, have):
                lines = difflib.unified_diff(want.split("\n"), have.split("\n"), "go",
                                             "weir", n=1, lineterm="")
                yield f"seed {seed}, {signal}, {verbosity}:", *list(lines)[:12]


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    begun, wrong = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        sides = []
        try:
            sides.append(Side([str(ROOT / "build/peers/otelcol")], tmp / "go"))
            sides.append(Side([str(ROOT / "build/weir")], tmp / "weir"))
            for seed in range(seeds):
                for lines in differences(seed, *sides):
                    wrong += 1
                    if wrong <= 10:
                        print("\n".join(lines))
        finally:
            for side in sides:
                side.stop()
    print(f"debug: {seeds * 9} texts, {wrong} differ, "
          f"{time.monotonic() - begun:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
