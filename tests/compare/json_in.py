#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OTLP/JSON in: the Go collector and Weir on the same texts.

    make build/tests/compare/json_read && tests/compare/json_in.py [SEEDS [FIRST]]

Each text goes to the Collector's OTLP/HTTP receiver, whose pipeline ends in an
exporter without a queue that sends protobuf to us, and to build/tests/compare/
json_read, which is Weir's reader with the walk behind it.  Both must take it or
both refuse it, and what they took must be the same request.  Where they differ
for a reason in REASONS it is counted; any other difference is printed and the
exit status is 1.
"""
import http.client
import http.server
import json
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import json_texts

ROOT = Path(__file__).resolve().parents[2]
OTELCOL = ROOT / "build/peers/otelcol"
READER = ROOT / "build/tests/compare/json_read"
PATIENCE = 30

CONFIG = """
receivers:
  otlp: {{protocols: {{http: {{endpoint: 127.0.0.1:{port}}}}}}}
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:{sink}
    compression: none
    sending_queue: {{enabled: false}}
    retry_on_failure: {{enabled: false}}
service:
  telemetry: {{metrics: {{level: none}}, logs: {{level: error}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_http]}}
    metrics: {{receivers: [otlp], exporters: [otlp_http]}}
    logs: {{receivers: [otlp], exporters: [otlp_http]}}
"""


# --- Why they may differ ----------------------------------------------------------

class Text:
    """What a strict reader of JSON makes of a text."""

    def __init__(self, raw):
        self.raw = raw
        self.integers = []
        self.keys = []
        self.strings = []
        self.good = True
        try:
            # Bytes as characters: what is no UTF-8 is another question.
            self.value = json.loads(raw.decode("latin-1"), object_pairs_hook=self.pairs, parse_int=self.integer,
                                    parse_constant=self.constant)
            self.visit(self.value)
        except (ValueError, RecursionError):
            self.good = False

    def integer(self, digits):
        self.integers.append(int(digits))
        return self.integers[-1]

    @staticmethod
    def constant(word):
        raise ValueError(word)

    def pairs(self, pairs):
        self.keys.extend(pairs)
        return [value for _, value in pairs]

    def visit(self, value):
        if isinstance(value, list):
            for v in value:
                self.visit(v)
        elif isinstance(value, str):
            self.strings.append(value)


def no_json(text, go, weir):
    """The Collector's scanner (json-iterator) takes brackets of the wrong kind,
    commas in odd places, control characters behind an escape, and whatever
    follows the request.  We are strict: RFC 8259."""
    return not text.good and not weir.ok


def wraps(text, go, weir):
    """Integers without quotes that do not fit: json-iterator notices an
    overflow only when the product became smaller, and passes others."""
    return go.ok and not weir.ok and any(abs(i) > 2**31 for i in text.integers)


def deep(text, go, weir):
    """We stop at 200 containers and, as everywhere, at 100 messages.  The
    Collector's decoder goes on until its stack ends."""
    return go.ok and ("nested too deep" in weir.why)


def empty_name(text, go, weir):
    """A member named "" ends its object for the Collector's decoder."""
    return text.good and any(key == "" for key, _ in text.keys)


def trace_severity(text, go, weir):
    """The Collector's table has a blank at the end of SEVERITY_NUMBER_TRACE."""
    return bool(re.search(rb'"SEVERITY_NUMBER_TRACE ?"', text.raw))


def surrogates(text, go, weir):
    """Behind half a surrogate pair the Collector also loses the next escape
    when that begins a pair of its own."""
    return weir.ok and bool(re.search(rb"\\u[dD][89abAB]..\\u[dD][89abAB]..\\u[dD]", text.raw))


def escaped_letters(text, go, weir):
    """Ids and bytes are read without looking at escapes."""
    return weir.ok and not go.ok and bool(re.search(
        rb'"(traceId|spanId|parentSpanId|bytesValue|trace_id|span_id|parent_span_id|bytes_value)"\s*:\s*"[^"]*\\',
        text.raw))


def for_profiles(text, go, weir):
    """Indices into a dictionary that only profiles have."""
    return b"trindex" in text.raw


REASONS = [deep, no_json, wraps, empty_name, trace_severity, surrogates, escaped_letters, for_profiles]


# --- The two sides ----------------------------------------------------------------

class Answer:
    def __init__(self, ok, form, why):
        self.ok, self.form, self.why = ok, form, why


class Weir:
    LETTER = {"traces": b"t", "metrics": b"m", "logs": b"l"}

    def __init__(self):
        self.process = subprocess.Popen([READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, letter, body):
        self.process.stdin.write(letter + struct.pack("<I", len(body)) + body)
        self.process.stdin.flush()
        head = self.process.stdout.read(5)
        found = self.process.stdout.read(struct.unpack("<I", head[1:])[0])
        return Answer(head[:1] == b"+", found, "" if head[:1] == b"+" else found.decode())

    def read(self, signal, text):
        return self.ask(self.LETTER[signal], text)

    def form(self, signal, protobuf):
        """The form of the Collector's request."""
        return self.ask(self.LETTER[signal].upper(), protobuf)


class Sink(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    got = []

    def do_POST(self):
        Sink.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Collector:
    def __init__(self, folder):
        sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        self.port = free_port()
        config = Path(folder) / "otelcol.yaml"
        config.write_text(CONFIG.format(port=self.port, sink=sink.server_address[1]))
        self.log = open(Path(folder) / "otelcol.log", "wb")
        self.process = subprocess.Popen([OTELCOL, "--config", config], stdout=self.log, stderr=self.log)
        self.connection = None
        end = time.monotonic() + PATIENCE
        while not self.connection:
            try:
                self.connect()
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.connect()
        self.connection = connection

    def read(self, signal, text):
        Sink.got.clear()
        try:
            self.connection.request("POST", "/v1/" + signal, text, {"Content-Type": "application/json"})
            response = self.connection.getresponse()
            body = response.read()
        except (http.client.HTTPException, OSError):
            self.connection.close()
            self.connect()      # it panics on some texts, and closes
            return Answer(False, b"", "connection closed")
        if response.status != 200:
            return Answer(False, b"", f"{response.status} {body[:300]!r}")
        return Answer(True, Sink.got[0] if Sink.got else None, "")


def has_items(form):
    """Does a request hold a span, a point or a record?  Field 2 of field 2 of
    field 1; of metrics a point in its data."""
    def fields(b):
        i = 0
        while i < len(b):
            tag, i = varint(b, i)
            if tag & 7 == 2:
                n, i = varint(b, i)
                yield tag >> 3, b[i:i + n]
                i += n
            elif tag & 7 == 0:
                _, i = varint(b, i)
            else:
                i += 8 if tag & 7 == 1 else 4

    def varint(b, i):
        v = shift = 0
        while True:
            v |= (b[i] & 0x7f) << shift
            shift += 7
            i += 1
            if b[i - 1] < 0x80:
                return v, i

    items = [item for n, resource in fields(form) if n == 1 for n, scope in fields(resource) if n == 2
             for n, item in fields(scope) if n == 2]
    return items


def counts(signal, form):
    items = has_items(form)
    if signal != "metrics":
        return bool(items)
    return any(b"\x0a" in item or b"\x3a" in item or b"\x2a" in item for item in items)


def same(signal, go, weir, reader):
    if go.ok != weir.ok:
        return False
    if not go.ok:
        return True
    if go.form is None:         # nothing in it: nothing was exported
        return signal == "metrics" or not has_items(weir.form)
    form = reader.form(signal, go.form)
    go.why = form.why
    return form.ok and form.form == weir.form


def show(seed, kind, signal, raw, go, weir, reader):
    print(f"seed {seed} ({kind} {signal}): the Collector {'took' if go.ok else 'refused'} it {go.why[:300]}")
    print(f"    Weir {'took' if weir.ok else 'refused'} it {weir.why}")
    print("    " + repr(raw[:1500])[2:-1])
    if go.ok and weir.ok and go.form is not None:
        ours, theirs = weir.form, reader.form(signal, go.form).form
        at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
        print(f"    Go from byte {at - 20}: {theirs[max(at - 20, 0):at + 60].hex()}")
        print(f"    Weir from byte {at - 20}: {ours[max(at - 20, 0):at + 60].hex()}")


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    reader = Weir()
    counted = Counter()
    unexplained = 0
    with tempfile.TemporaryDirectory() as folder:
        collector = Collector(folder)
        try:
            for seed in range(first, first + seeds):
                signal, raw, kind = json_texts.text(seed)
                weir, go = reader.read(signal, raw), collector.read(signal, raw)
                counted[kind, "taken" if weir.ok else "refused"] += 1
                if same(signal, go, weir, reader):
                    continue
                text = Text(raw)
                why = next((r.__name__ for r in REASONS if r(text, go, weir)), None)
                if why:
                    counted["differs", why] += 1
                    continue
                unexplained += 1
                if unexplained <= 20:
                    show(seed, kind, signal, raw, go, weir, reader)
        finally:
            collector.process.terminate()
            collector.process.wait()
    for key, n in sorted(counted.items()):
        print(f"{n:7} {' '.join(key)}")
    print(f"{seeds} texts, {unexplained} differences without a reason")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
