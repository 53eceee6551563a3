# SPDX-License-Identifier: Apache-2.0
"""A secret planted in every place of every signal, in every encoding that a
parser accepts, must not come out behind `redaction` (112); what only looks like
it must.

Requests are written byte by byte here: no library writes what an attacker
does.  Each planted secret has a number, so that a leak names its place.
"""
import re

import pytest

from conftest import BUILD, eventually
from pipelines import to_backend

SECRET = re.compile(rb"PLANTED-(\d+)-SECRET")
LOOKALIKE = b"PLANTED-SECRET and PLANTED-12-SECRE"

# --- Writing ---------------------------------------------------------------


def varint(n, longer=0):
    """A varint, and so many bytes longer than it needs to be."""
    out = bytearray()
    while n >= 0x80 or longer:
        if n < 0x80:
            longer -= 1
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, body, long_tag=0, long_len=0):
    return varint(number << 3 | 2, long_tag) + varint(len(body), long_len) + body


def string(text):
    return field(1, text)


def key_value(key, value):
    return field(1, key) + field(2, value)


UNKNOWN = field(700, b"of next year") + varint(701 << 3) + varint(5)
GROUP = varint(702 << 3 | 3) + field(1, b"in a group") + varint(702 << 3 | 4)

# --- Places ----------------------------------------------------------------

# Field numbers from the request down; what is there: t(ext), v(alue) or
# k(ey and value).
PLACES = {
    "traces": {
        "resource attribute": ("k", 1, 1, 1), "resource schema": ("t", 1, 3),
        "scope attribute": ("k", 1, 2, 1, 3), "scope name": ("t", 1, 2, 1, 1),
        "scope version": ("t", 1, 2, 1, 2), "scope schema": ("t", 1, 2, 3),
        "attribute": ("k", 1, 2, 2, 9), "name": ("t", 1, 2, 2, 5),
        "trace state": ("t", 1, 2, 2, 3), "status": ("t", 1, 2, 2, 15, 2),
        "event": ("t", 1, 2, 2, 11, 2), "event attribute": ("k", 1, 2, 2, 11, 3),
        "link state": ("t", 1, 2, 2, 13, 3),
        "link attribute": ("k", 1, 2, 2, 13, 4),
    },
    "logs": {
        "resource attribute": ("k", 1, 1, 1), "resource schema": ("t", 1, 3),
        "scope attribute": ("k", 1, 2, 1, 3), "scope name": ("t", 1, 2, 1, 1),
        "scope version": ("t", 1, 2, 1, 2), "scope schema": ("t", 1, 2, 3),
        "attribute": ("k", 1, 2, 2, 6), "severity": ("t", 1, 2, 2, 3),
        "event name": ("t", 1, 2, 2, 12), "body": ("v", 1, 2, 2, 5),
    },
    "metrics": {
        "resource attribute": ("k", 1, 1, 1), "resource schema": ("t", 1, 3),
        "scope attribute": ("k", 1, 2, 1, 3), "scope name": ("t", 1, 2, 1, 1),
        "scope version": ("t", 1, 2, 1, 2), "scope schema": ("t", 1, 2, 3),
        "name": ("t", 1, 2, 2, 1), "description": ("t", 1, 2, 2, 2),
        "unit": ("t", 1, 2, 2, 3), "metadata": ("k", 1, 2, 2, 12),
        "gauge": ("k", 1, 2, 2, 5, 1, 7), "sum": ("k", 1, 2, 2, 7, 1, 7),
        "histogram": ("k", 1, 2, 2, 9, 1, 9),
        "exponential": ("k", 1, 2, 2, 10, 1, 1),
        "summary": ("k", 1, 2, 2, 11, 1, 7),
        "gauge exemplar": ("k", 1, 2, 2, 5, 1, 5, 7),
        "sum exemplar": ("k", 1, 2, 2, 7, 1, 5, 7),
        "histogram exemplar": ("k", 1, 2, 2, 9, 1, 8, 7),
        "exponential exemplar": ("k", 1, 2, 2, 10, 1, 11, 7),
    },
}

# A record that keeps each ResourceX worth sending, with a look-alike in it.
CARRIER = {
    "traces": field(2, field(2, field(5, LOOKALIKE))),
    "logs": field(2, field(2, field(5, string(LOOKALIKE)))),
    "metrics": field(2, field(2, field(1, LOOKALIKE) + field(5, field(1, b"")))),
}

# --- Tricks: how the message of each level is written ------------------------


def plain(number, body, depth, path):
    return field(number, body)


def in_pieces(number, body, depth, path):
    """A singular message may come in pieces; a repeated one is then two."""
    return field(number, UNKNOWN) + field(number, body) + field(number, b"")


def after_unknown(number, body, depth, path):
    return UNKNOWN + field(number, body) + UNKNOWN


def after_a_group(number, body, depth, path):
    return GROUP + field(number, body)


def long_lengths(number, body, depth, path):
    return field(number, body, 0, 1 + depth % 3)


def long_tags(number, body, depth, path):
    return field(number, body, 1 + depth % 3)


def behind_the_children(number, body, depth, path):
    """A resource or scope behind what it is about."""
    head = number == 1 and (depth == 1 or depth == 2 and path[1] == 2)
    return (field(2, b"") if head else b"") + field(number, body)


def by_the_old_number(number, body, depth, path):
    return field(1000 if depth == 1 and number == 2 else number, body)


LEVELS = [plain, in_pieces, after_unknown, after_a_group, long_lengths,
          long_tags, behind_the_children, by_the_old_number]

# --- Tricks: how the secret itself is written ----------------------------------


def list_of(*values):
    return field(5, b"".join(field(1, v) for v in values))


def map_of(**entries):
    return field(6, b"".join(field(1, key_value(k.encode(), v))
                             for k, v in entries.items()))


def deep(value, n=14):
    for _ in range(n):
        value = list_of(string(b"x"), map_of(a=string(b"y"), b=value))
    return value


VALUES = {
    "string": string,
    "bytes": lambda s: field(7, s),
    "bytes, raw": lambda s: field(7, b"\xff\x00" + s + b"\x80"),
    "list": lambda s: list_of(string(b"a"), string(s)),
    "bytes in a list": lambda s: list_of(field(7, s)),
    "map": lambda s: map_of(a=string(b"b"), c=string(s)),
    "deep": lambda s: deep(string(s)),
    "deep bytes": lambda s: deep(field(7, s)),
    "the last member": lambda s: field(7, b"x") + varint(3 << 3) + b"\x05" + string(s),
    "not the last member": lambda s: string(s) + varint(3 << 3) + b"\x05",
    "twice": lambda s: string(b"harmless") + string(s),
    "twice, first": lambda s: string(s) + string(b"harmless"),
    "a map in pieces": lambda s: map_of(a=string(b"b")) + map_of(c=string(s)),
    "a list in pieces": lambda s: list_of(string(s)) + list_of(string(b"x")),
    "broken UTF-8 before": lambda s: string(b"\xe2\x82" + s + b"\xff"),
    "NUL before": lambda s: string(b"\0" + s + b"\0"),
    "after 127 bytes": lambda s: string(b"x" * 127 + s),
    "after 16383 bytes": lambda s: string(b"x" * 16383 + s),
    "unknown members": lambda s: UNKNOWN + string(s) + UNKNOWN,
    "a group before": lambda s: GROUP + string(s),
    "a long tag": lambda s: field(1, s, 2),
    "a long length": lambda s: field(1, s, 0, 3),
    "the same key twice": lambda s: field(6, field(1, key_value(b"k", string(s))) +
                                          field(1, key_value(b"k", string(b"x")))),
}

PAIRS = {
    "key, value": key_value,
    "value, key": lambda k, v: field(2, v) + field(1, k),
    "another key first": lambda k, v: field(1, b"harmless") + key_value(k, v),
    "another key between": lambda k, v: field(1, b"x") + field(2, v) + field(1, k),
    "a value in pieces": lambda k, v: field(1, k) + field(2, b"") + field(2, v),
    "another value first": lambda k, v: key_value(k, string(b"x")) + field(2, v),
    "long tag of the key": lambda k, v: field(1, k, 3) + field(2, v),
    "long length of the key": lambda k, v: field(1, k, 0, 2) + field(2, v),
    "long tag of the value": lambda k, v: field(1, k) + field(2, v, 1),
    "unknown fields": lambda k, v: UNKNOWN + field(1, k) + UNKNOWN + field(2, v),
    "a group": lambda k, v: field(1, k) + GROUP + field(2, v),
}

KEYS = {
    "plain": b"k", "none": b"", "NUL": b"a\0b", "broken": b"a\xffb",
    "long": b"l" * 200, "63": b"x" * 63, "64": b"x" * 64, "65": b"x" * 65,
}

# --- Requests ------------------------------------------------------------------


class Planter:
    """Numbers what it plants, and remembers where."""

    def __init__(self):
        self.where = []

    def secret(self, *where):
        self.where.append(where)
        return b"PLANTED-%d-SECRET" % (len(self.where) - 1)

    def one(self, signal, place, leaf, level=plain):
        """A whole ResourceX with the leaf in that place."""
        path = PLACES[signal][place][1:]
        body = leaf
        for depth in range(len(path) - 1, 0, -1):
            body = level(path[depth], body, depth, path)
        if level is by_the_old_number and 1000 in _numbers(body):
            return field(1, body)      # the Collector reads either, not both
        return field(1, body + CARRIER[signal])

    def values(self, signal, level=plain):
        """Every place, by every kind of value that it can hold."""
        for place, (kind, *_) in PLACES[signal].items():
            if kind == "t":
                for what in ("", "\xff", "x" * 127):
                    s = what.encode("latin-1") + self.secret(place, what)
                    yield self.one(signal, place, s, level)
                continue
            for name, value in VALUES.items():
                leaf = value(self.secret(place, name, level.__name__))
                if kind == "k":
                    leaf = key_value(b"k", leaf)
                yield self.one(signal, place, leaf, level)

    def pairs(self, signal):
        for place, (kind, *_) in PLACES[signal].items():
            if kind != "k":
                continue
            for name, pair in PAIRS.items():
                for key_name, key in KEYS.items():
                    s = self.secret(place, name, key_name)
                    yield self.one(signal, place, pair(key, string(s)))

    def blocked(self, signal):
        """Under a blocked key nothing stays, whatever its type."""
        for place, (kind, *_) in PLACES[signal].items():
            pairs = PAIRS.items() if kind == "k" else []
            for name, pair in pairs:
                for value in ("string", "bytes", "deep", "list"):
                    s = self.secret(place, name, value, "blocked")
                    yield self.one(signal, place,
                                   pair(b"my_api_key", VALUES[value](s)))
            if kind != "t":
                s = self.secret(place, "inside a map", "blocked")
                leaf = deep(map_of(my_api_key=deep(string(s), 2)))
                yield self.one(signal, place,
                               key_value(b"k", leaf) if kind == "k" else leaf)


def _numbers(body):
    """The field numbers of a message that this file wrote."""
    out, at = [], 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = body[at]
            at += 1
            n |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return n
    while at < len(body):
        tag = number()
        out.append(tag >> 3)
        length = number()
        at += length if tag & 7 == 2 else 0
    return out


def outcome(sink, signal, n):
    """What arrived: n records of the top level at least."""
    def parts():
        return [p for r in sink.requests[signal]
                for p in getattr(r, "resource_" + {"traces": "spans"}.get(signal, signal))]
    sink.until(lambda: len(parts()) >= n)
    with sink.changed:
        return [p.SerializeToString() for p in parts()]


def send(w, connect, sink, signal, planter, records):
    c = connect(w.otlp)
    before = sum(len(getattr(r, "resource_" + {"traces": "spans"}.get(signal, signal)))
                 for r in sink.requests[signal])
    records = list(records)
    for i in range(0, len(records), 64):
        c.export(signal, b"".join(records[i:i + 64]))
    arrived = outcome(sink, signal, before + len(records))[before:]
    leaks = [planter.where[int(n)] for part in arrived
             for n in SECRET.findall(part)]
    assert not leaks, f"{len(leaks)} slipped past: {leaks[:20]}"
    return arrived


BLOCKED = """
    blocked_values: ['PLANTED-[0-9]+-SECRET']
    blocked_key_patterns: ['(?i)api_?key']
"""
BLOCKED_WORDS = """
    blocked_values: ['PLANTED-[0-9]+-SECRET', 'of no use']
    blocked_key_patterns: ['^(my_api_key|token)$']
"""
REDACTION = "  redaction:\n    levels: all\n    allow_all_keys: true"
SOME_KEYS = "\n    allowed_keys: [k, a, b, c, '', my_api_key]"

CONFIGS = {
    "masked": (REDACTION + BLOCKED, "[redaction]"),
    "by words": (REDACTION + BLOCKED_WORDS, "[redaction]"),
    "deleted": (REDACTION + "\n    blocked_key_action: delete" + BLOCKED,
                "[redaction]"),
    "by a list": ("  redaction:\n    levels: all" + SOME_KEYS + BLOCKED,
                  "[redaction]"),
    "told": (REDACTION + "\n    summary: info" + BLOCKED, "[redaction]"),
    "behind a batch": ("  batch:\n    timeout: 10ms\n" + REDACTION + BLOCKED,
                       "[batch, redaction]"),
    "in a run": ("  attributes:\n    actions:\n"
                 "      - {key: added, value: x, action: upsert}\n"
                 "  resource:\n    attributes:\n"
                 "      - {key: added, value: x, action: upsert}\n" +
                 REDACTION + BLOCKED, "[attributes, resource, redaction]"),
}


@pytest.mark.parametrize("config", CONFIGS)
def test_112_nothing_planted_comes_out(weir, backend, client, config):
    sink = backend()
    w = weir(to_backend(*CONFIGS[config]), BACKEND=sink.port)
    for signal in PLACES:
        planter = Planter()
        for level in LEVELS:
            arrived = send(w, client, sink, signal, planter,
                           planter.values(signal, level))
            if level is not by_the_old_number:      # there it has no place
                assert all(LOOKALIKE in part for part in arrived)
        send(w, client, sink, signal, planter, planter.pairs(signal))
        send(w, client, sink, signal, planter, planter.blocked(signal))


def test_112_more_keys_than_any_cache_holds(weir, backend, client):
    sink = backend()
    w = weir(to_backend(*CONFIGS["masked"]), BACKEND=sink.port)
    planter = Planter()

    def many():
        for i in range(6000):
            key = b"key-%d" % i if i % 3 else b"key-%d-api_key" % i
            s = planter.secret(key) if i % 3 == 0 else b"harmless"
            yield planter.one("traces", "attribute", key_value(key, string(s)))
    for _ in range(2):
        arrived = send(w, client, sink, "traces", planter, many())
        assert sum(b"harmless" in part for part in arrived) == 4000


def test_112_a_stage_before_cannot_blind_redaction(weir, backend, client):
    """Metadata is bytes: what it puts into a span is made text, and a run
    behind it looks all the same."""
    chain = to_backend(
        "  attributes:\n    actions:\n"
        "      - {key: from, from_context: metadata.tenant-bin, action: upsert}\n"
        "  batch:\n    timeout: 10ms\n" + REDACTION + BLOCKED,
        "[attributes, batch, redaction]")
    sink = backend()
    w = weir(chain.replace("endpoint: 127.0.0.1:${env:OTLP}",
                           "endpoint: 127.0.0.1:${env:OTLP}\n"
                           "        include_metadata: true"), BACKEND=sink.port)
    planter = Planter()
    records = [planter.one("traces", "attribute",
                           key_value(b"k", string(planter.secret(i))))
               for i in range(20)]
    client(w.otlp).export("traces", b"".join(records),
                          metadata=[("tenant-bin", b"\xff\xfe")])
    arrived = outcome(sink, "traces", len(records))
    assert not [n for part in arrived for n in SECRET.findall(part)]
    assert all("\ufffd\ufffd".encode() in part for part in arrived)


def test_112_every_copy_of_a_deleted_key_goes(weir, backend, client):
    delete = ("    actions:\n      - {key: my_api_key, action: delete}\n"
              "      - {pattern: '(?i)^x.*token', action: delete}\n")
    sink = backend()
    w = weir(to_backend("  attributes:\n" + delete + "  resource:\n" +
                        delete.replace("actions", "attributes"),
                        "[resource, attributes]"), BACKEND=sink.port)
    for signal, places in {
            "traces": ["resource attribute", "attribute"],
            "logs": ["resource attribute", "attribute"],
            "metrics": ["resource attribute", "gauge", "sum", "histogram",
                        "exponential", "summary"]}.items():
        planter = Planter()

        def records():
            for place in places:
                for name, pair in PAIRS.items():
                    for key in (b"my_api_key", b"X-Auth-Token"):
                        leaf = pair(key, string(planter.secret(place, name)))
                        number = PLACES[signal][place][-1]
                        copy = pair(key, field(7, planter.secret(place, "copy")))
                        yield planter.one(signal, place, leaf,
                                          lambda n, body, *_: field(n, body) + (
                                              field(n, copy) if n == number and
                                              body == leaf else b""))
        send(w, client, sink, signal, planter, records())


def test_23_a_summary_does_not_grow_with_the_square(weir, backend, client):
    """The path of each entry holds the long key that they are in."""
    sink = backend()
    w = weir(to_backend(REDACTION + "\n    summary: debug" + BLOCKED, "[redaction]"),
             BACKEND=sink.port)
    planter = Planter()
    inside = list_of(*[string(planter.secret(i)) for i in range(2000)])
    body = field(6, field(1, key_value(b"k" * 200_000, inside)))
    client(w.otlp).export("logs", planter.one("logs", "body", body))
    arrived, = outcome(sink, "logs", 1)
    assert not SECRET.findall(arrived)
    assert len(arrived) < 400_000
    told = {a.key: a.value for a in sink.logs[0].attributes}
    assert told["redaction.body.masked.count"].int_value == 2000


def test_113_nothing_that_a_terminal_obeys_is_shown(weir, client):
    w = weir(to_backend("", "[]", "  debug:\n    verbosity: detailed\n")
             .replace("exporters: [otlp_grpc]", "exporters: [debug]"), BACKEND=1)
    planter = Planter()
    client(w.otlp).export("traces", planter.one(
        "traces", "name", b"name\x1b[2J\r\0\x7f end"))
    w.saw("name\\u001b[2J\\u000d\\u0000\\u007f end")


@pytest.mark.skipif("address" in BUILD.name, reason="freed memory is kept there")
@pytest.mark.parametrize("what", [b"\x4a\x00", b"\x5a\x00"])
def test_19_what_many_empty_messages_took_is_given_back(weir, backend, client, what):
    sink = backend()
    w = weir(to_backend("  redaction:\n    allowed_keys: [k]\n", "[redaction]"),
             BACKEND=sink.port)
    c = client(w.otlp)

    def resident():
        status = open(f"/proc/{w.process.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    before = resident()
    c.export("traces", field(1, field(2, field(2, what * 2_000_000))))
    for _ in range(3):
        c.export("traces", field(1, field(2, field(2, b""))))
    # of what is free, libc keeps up to 64 MiB
    eventually(lambda: resident() < before + 90_000, "giving memory back")
