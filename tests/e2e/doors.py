# SPDX-License-Identifier: Apache-2.0
"""The ways in: OTLP/gRPC, OTLP/HTTP in HTTP/1.1 and in HTTP/2, protobuf and
JSON.  A door knocks with any bytes and says what the answer means, in one
vocabulary, after it has checked that the answer has the right form.
"""
import base64
import itertools
import json
import struct
from urllib.parse import unquote

import pytest
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2

import by_hand
from by_hand import H1, H2
from conftest import SERVICES, Backend, eventually, launching, spans, total
from pipelines import HEAD, to_backend

OK = "taken"
MALFORMED = "malformed"        # drop it
BROKEN = "broken compression"  # drop it
TOO_BIG = "too big"            # drop it
NO_CODING = "unknown coding"   # drop it, and here is what we know
NO_TYPE = "unknown media type"
NOT_HERE = "no such thing"
LATER = "try again"            # ... and it says when

GRPC = {0: OK, 3: MALFORMED, 8: TOO_BIG, 12: NOT_HERE, 13: BROKEN, 14: LATER}
HTTP = {200: OK, 400: MALFORMED, 404: NOT_HERE, 413: TOO_BIG, 503: LATER}

PATHS = {"traces": "/v1/traces", "metrics": "/v1/metrics", "logs": "/v1/logs"}
PROTOBUF, JSON = "application/x-protobuf", "application/json"

PROTOCOLS = """
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${env:OTLP}
        max_recv_msg_size_mib: ${env:CAP_MIB}
        include_metadata: ${env:METADATA}
        keepalive: ${env:KEEPALIVE}
      http:
        endpoint: 127.0.0.1:${env:HTTP}
        max_request_body_size: ${env:CAP}
        include_metadata: ${env:METADATA}
        # more
"""


NUMBERS = itertools.count()


def printable(text):
    return len(text) <= 256 and all(c >= " " and c != "\x7f" for c in text)


class Grpc:
    """One connection to the gRPC port."""

    def __init__(self, w):
        self.port = w.env["OTLP"]
        self.h2 = H2(self.port)

    def headers(self, signal, *more):
        return [(":method", "POST"), (":scheme", "http"),
                (":path", SERVICES[signal][0]), (":authority", "x"),
                ("content-type", "application/grpc"), ("te", "trailers"), *more]

    def call(self, signal, message, *more):
        """message: prefix included."""
        return self.h2.ask(self.headers(signal, *more), message)

    def knock(self, signal, body, coding=None):
        more = [("grpc-encoding", coding)] if coding else []
        stream = self.call(signal, struct.pack(">BI", bool(coding), len(body)) + body,
                           *more)
        return self.meaning(signal, stream)

    def begin(self, signal, part, total):
        """Sends all of a request but what is behind part; does not wait."""
        number = next(self.h2.ids)
        self.h2.headers(number, self.headers(signal), by_hand.END_HEADERS)
        self.h2.data(number, struct.pack(">BI", 0, total) + part, end=False)

    def meaning(self, signal, stream):
        assert stream.reset in (None, by_hand.NO_ERROR), f"reset {stream.reset}"
        assert stream.header(":status") == "200"
        code = int(stream.header("grpc-status"))
        details = stream.header("grpc-status-details-bin")
        self.text = unquote(stream.header("grpc-message") or "")
        self.retry_info = False
        assert printable(self.text), self.text
        if details:
            status = status_pb2.Status.FromString(
                base64.b64decode(details + "=" * (-len(details) % 4)))
            assert status.code == code and status.message == self.text
            self.retry_info = any(d.Is(error_details_pb2.RetryInfo.DESCRIPTOR)
                                  for d in status.details)
        meaning = GRPC[code]
        assert self.retry_info == (meaning == LATER), stream.blocks
        if meaning == OK:
            assert stream.data[:1] == b"\0"
            self.response = SERVICES[signal][2].FromString(stream.data[5:])
        if meaning == NOT_HERE and stream.header("grpc-accept-encoding"):
            self.known = stream.header("grpc-accept-encoding")
            meaning = NO_CODING
        return meaning

    def close(self):
        self.h2.close()


class Http:
    """What the doors into the HTTP port share: what an answer means."""
    type = PROTOBUF

    def meaning(self, signal, r):
        """r: status, header(), body."""
        assert r.header("content-type") == self.type, (r.status, r.body)
        meaning = HTTP.get(r.status)
        if r.status == 200:
            self.response = self.parse(SERVICES[signal][2], r.body)
            return meaning
        status = self.parse(status_pb2.Status, r.body)
        self.text = status.message
        assert len(r.body) <= 512 and printable(status.message), r.body
        assert (r.header("retry-after") is not None) == (meaning == LATER)
        if meaning == LATER:
            assert int(r.header("retry-after")) >= 1
        if r.status == 415:
            self.known = r.header("accept-encoding")
            return NO_CODING if self.known else NO_TYPE
        if r.status == 400 and self.coded:
            return BROKEN
        return meaning

    def parse(self, cls, body):
        if self.type == JSON:
            return json_format.ParseDict(json.loads(body), cls())
        return cls.FromString(body)


class Http1(Http):
    def __init__(self, w):
        self.port = w.env["HTTP"]
        self.h1 = H1(self.port)

    def knock(self, signal, body, coding=None, path=None):
        extra = f"Content-Encoding: {coding}\r\n" if coding else ""
        self.coded = bool(coding)
        self.h1.send(by_hand.post(path or PATHS[signal], body, self.type, extra))
        r = self.h1.response()
        if r.header("connection") == "close":
            assert self.h1.is_closed()
            self.h1.close()
            self.h1 = H1(self.port)
        return self.meaning(signal, r)

    def begin(self, signal, part, total):
        self.h1.send(by_hand.post(PATHS[signal], part, self.type, length=total))

    def close(self):
        self.h1.close()


class Http1Json(Http1):
    type = JSON


class H2Response:
    """A stream, read as a response."""

    def __init__(self, stream):
        assert stream.reset in (None, by_hand.NO_ERROR), f"reset {stream.reset}"
        self.status = int(stream.header(":status"))
        self.header, self.body = stream.header, stream.data


class Http2(Http):
    def __init__(self, w):
        self.port = w.env["HTTP"]
        self.h2 = H2(self.port)

    def headers(self, signal, *more, path=None):
        return [(":method", "POST"), (":scheme", "http"),
                (":path", path or PATHS[signal]), (":authority", "x"),
                ("content-type", self.type), *more]

    def knock(self, signal, body, coding=None, path=None):
        self.coded = bool(coding)
        more = [("content-encoding", coding)] if coding else []
        stream = self.h2.ask(self.headers(signal, *more, path=path), body)
        return self.meaning(signal, H2Response(stream))

    def begin(self, signal, part, total):
        number = next(self.h2.ids)
        self.h2.headers(number, self.headers(signal), by_hand.END_HEADERS)
        self.h2.data(number, part, end=False)

    def close(self):
        self.h2.close()


DOORS = {"grpc": Grpc, "http1": Http1, "http2": Http2}


@pytest.fixture(params=DOORS)
def knock_at(request):
    """knock_at(w): a door of each kind; closed at the end."""
    opened = []

    def open_(w):
        opened.append(DOORS[request.param](w))
        return opened[-1]

    yield open_
    for door in opened:
        door.close()


class Site:
    """A weir with all doors open, a backend behind it, and what the tests of
    the catalogue ask of both."""

    def __init__(self, w, there):
        self.w, self.there = w, there

    def refusals(self, reason):
        return self.w.metric("weir_refused_requests", reason=reason) or 0

    def serves(self, door):
        """A span that is sent now arrives (R1), over a new connection."""
        fresh = type(door)(self.w)
        name = f"alive-{next(NUMBERS)}"
        assert fresh.knock("traces", spans(1, name=name).SerializeToString()) == OK
        fresh.close()
        self.there.until(lambda: any(s.name == f"{name}-0" for s in self.there.spans))

    def is_empty(self):
        """Nothing was ingested."""
        return not (self.w.metric("otelcol_receiver_accepted_spans")
                    or self.w.metric("otelcol_receiver_accepted_metric_points")
                    or self.w.metric("otelcol_receiver_accepted_log_records"))


def config(processors="", chain="[]", exporters="", to="[otlp_grpc]", service="",
           http=""):
    """All doors, these processors, to ${env:BACKEND} or elsewhere.  http: more
    keys of that protocol, a line each."""
    keys = "".join(f"\n        {key}" for key in http.splitlines())
    return to_backend(processors, chain, exporters, service).replace(
        HEAD, PROTOCOLS).replace("[otlp_grpc]", to).replace("\n        # more", keys)


class Since:
    """A weir that has run before: its counters count from here."""

    def __init__(self, w):
        self.whole = w
        self.before = w.metrics()

    def __getattr__(self, name):
        return getattr(self.whole, name)

    def metric(self, name, **labels):
        now = self.whole.metric(name, **labels)
        if now is None or name.startswith(("otelcol_process_", "weir_budget_")):
            return now
        return now - (total(self.before, name, labels) or 0)


def is_quiet(w):
    """What was accepted has been sent on."""
    page = w.metrics()
    return all((total(page, f"otelcol_receiver_accepted_{items}", {}) or 0)
               == (total(page, f"otelcol_exporter_sent_{items}", {}) or 0)
               for items in ("spans", "metric_points", "log_records"))


def plain(start, there, cap_mib=4, metadata=False, keepalive="null", **how):
    return start(config(**how), BACKEND=there.port, CAP=cap_mib << 20, CAP_MIB=cap_mib,
                 METADATA=str(metadata).lower(), KEEPALIVE=keepalive)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The site of all tests of a file that ask for nothing special: what one
    of them has attacked must serve the next."""
    kept = []
    with launching(tmp_path_factory.mktemp("house")) as start:
        def enter():
            if not kept or kept[-1].w.process.poll() is not None:
                there = Backend()
                kept.append(Site(plain(start, there), there))
            s = kept[-1]
            eventually(lambda: is_quiet(s.w), "quiet")
            for requests in s.there.requests.values():
                requests.clear()
            return Site(Since(s.w), s.there)
        yield enter
    for s in kept:
        s.there.stop()


@pytest.fixture
def site(weir, backend, house):
    def start(**how):
        if not how:
            return house()
        there = backend()
        return Site(plain(weir, there, **how), there)
    return start
