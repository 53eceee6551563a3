# SPDX-License-Identifier: Apache-2.0
"""Every detector's secrets in every place of every signal, in every kind of
value, in JSON and in JSON in JSON (112): none comes out.  What only looks like
one does, and not a byte of it is changed."""
import itertools
import json

import pytest

from by_hand import H1
from conftest import SERVICES
from pipelines import to_backend
from secret_corpus import Secrets, lookalikes
from test_planted import (CARRIER, PLACES, deep, field, key_value, list_of, map_of,
                          outcome, string)

SEED = 20
DETECTORS = """
  redaction:
    allow_all_keys: true
    levels: all
    detectors: [email, payment_card, iban, jwt, private_key, credentials,
                cloud_key, llm_key]
"""
STRUCTURED = DETECTORS + "    structured_strings: {enabled: true}\n"



def in_order(config):
    """One request under way at a time: what arrives is counted off."""
    return to_backend(config, "[redaction]").replace(
        "insecure: true", "insecure: true\n    sending_queue: {num_consumers: 1}")


def dumps(value):
    return json.dumps(value, ensure_ascii=False)


def escaped(text):
    """A JSON string of nothing but escapes."""
    units = text.encode("utf-16-be").hex()
    return '"' + "".join("\\u" + units[i:i + 4] for i in range(0, len(units), 4)) + '"'


VALUES = {
    "string": lambda s: string(s.encode()),
    "bytes": lambda s: field(7, s.encode()),
    "raw bytes": lambda s: field(7, b"\xff\0 " + s.encode() + b" \x80"),
    "list": lambda s: list_of(string(b"a"), string(s.encode())),
    "map": lambda s: map_of(a=string(b"b"), c=string(s.encode())),
    "deep": lambda s: deep(string(s.encode())),
    "deep bytes": lambda s: deep(field(7, s.encode())),
    "far inside": lambda s: string(b"word " * 900 + s.encode() + b" word" * 900),
    "NUL around": lambda s: string(b"\0" + s.encode() + b"\0"),
}
JSON = {
    "JSON": lambda s: string(dumps({"k": [1, s]}).encode()),
    "JSON member": lambda s: string(dumps({"a": {"k": s}}).encode()),
    "JSON key": lambda s: string(dumps([{s: []}]).encode()),
    "JSON escapes": lambda s: string(b'[' + escaped(s).encode() + b']'),
    "JSON in JSON": lambda s: string(dumps({"a": dumps({"k": s})}).encode()),
    "JSON in JSON in JSON": lambda s: string(
        dumps([dumps({"a": dumps([s])})]).encode()),
    "JSON in a map": lambda s: map_of(c=string(dumps({"k": s}).encode())),
    "broken JSON": lambda s: string(b'{"k": ' + dumps(s).encode()),
    "broken JSON in JSON": lambda s: string(dumps(["[" + s]).encode()),
}


def whole(signal, place, leaf):
    """A ResourceX with the leaf in that place."""
    body = leaf
    for number in reversed(PLACES[signal][place][2:]):
        body = field(number, body)
    return field(1, body + CARRIER[signal])


def shown(hidden):
    """What it would look like, plain and in JSON and in JSON in JSON."""
    for text in hidden:
        for _ in range(4):
            yield text.encode()
            text = dumps(text)[1:-1]


def plant(signal, secrets, values):
    """Each secret in each kind of value, from place to place; one of each
    detector in every place."""
    places = itertools.cycle(PLACES[signal].items())
    for secret in secrets:
        for name in values:
            place, (kind, *_) = next(places)
            yield place, kind, name, secret
    for place, (kind, *_) in PLACES[signal].items():
        for name in values if kind != "t" else ["string"]:
            for secret in secrets.one_of_each():
                yield place, kind, name, secret


def leaf_of(kind, value, text):
    if kind == "t":
        return text.encode()
    return key_value(b"k", value(text)) if kind == "k" else value(text)


@pytest.mark.parametrize("signal", PLACES)
@pytest.mark.parametrize("config,values", [
    (DETECTORS, VALUES), (STRUCTURED, {**VALUES, **JSON})], ids=["text", "JSON"])
def test_112_no_secret_that_a_detector_knows_comes_out(
        weir, backend, client, signal, config, values):
    sink = backend()
    w = weir(in_order(config), BACKEND=sink.port)
    planted = list(plant(signal, Secrets(SEED), values))
    records = [whole(signal, place, leaf_of(kind, values[name], secret[1]))
               for place, kind, name, secret in planted]
    c = client(w.otlp)
    for i in range(0, len(records), 128):
        c.export(signal, b"".join(records[i:i + 128]))
    arrived = outcome(sink, signal, len(records))
    assert len(arrived) == len(records) > 5000
    leaks = [(place, name, *secret) for (place, _, name, secret), part in
             zip(planted, arrived) if any(s in part for s in shown(secret[2]))]
    assert not leaks, f"{len(leaks)} of {len(records)} slipped past: {leaks[:10]}"


def is_text_or_json(text):
    if text.lstrip(" \t\r\n")[:1] not in ("{", "["):
        return True
    try:
        return json.loads(text) is not None
    except ValueError:
        return False


@pytest.mark.parametrize("signal", PLACES)
def test_112_what_only_looks_like_a_secret_stays_as_it_is(weir, backend, client, signal):
    sink = backend()
    w = weir(in_order(STRUCTURED), BACKEND=sink.port)
    # what stands around them may make secrets of some
    values = {name: value for name, value in {**VALUES, **JSON}.items()
              if "broken" not in name and name not in
              ("raw bytes", "far inside", "NUL around")}
    places = itertools.cycle(PLACES[signal].items())
    planted = []
    for text in filter(is_text_or_json, lookalikes(SEED)):
        for name, value in values.items():
            place, (kind, *_) = next(places)
            planted.append((place, name, text,
                            whole(signal, place, leaf_of(kind, value, text))))
    c = client(w.otlp)
    for i in range(0, len(planted), 128):
        c.export(signal, b"".join(p[3] for p in planted[i:i + 128]))
    arrived = outcome(sink, signal, len(planted))
    request = SERVICES[signal][1]
    changed = [p[:3] for p, part in zip(planted, arrived)
               if request.FromString(p[3]) != request.FromString(field(1, part))]
    assert not changed, f"{len(changed)} of {len(planted)}: {changed[:10]}"
    assert w.metric("weir_walked_again_bytes") is None


def test_111_a_megabyte_is_looked_at_in_time_that_grows_with_it_alone(
        weir, backend, client):
    """Patterns, texts and JSON over which others stumble."""
    sink = backend()
    w = weir(to_backend(STRUCTURED + """
    blocked_values: ['(a+)+b', '(a|a)*c', '(.*)*PLANTED', '[0-9]+-[0-9]+-x', '(?i)(k|s)+!']
""", "[redaction]"), BACKEND=sink.port)
    size = 1_000_000
    texts = ["a" * size, "1-" * (size // 2), "k" * size, "eyJ" * (size // 3),
             "password=" * (size // 9), "a@" * (size // 2), "4111 " * (size // 5),
             '{"' * 150 + "a" * size, "[" * size, '["' + "\\\\" * (size // 2) + '"]',
             "[" + '{"a":"{}"},' * (size // 11) + "1]", "a" * size + " PLANTED"]
    records = [whole("traces", "attribute", key_value(b"k", string(t.encode())))
               for t in texts]
    c = client(w.otlp)
    for record in records:
        c.export("traces", record)
    arrived = outcome(sink, "traces", len(records))
    assert not any(b"PLANTED" in part for part in arrived)
    # broken, and too deep: removed
    assert w.metric("weir_redaction_removed") == 2


HTTP = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${env:HTTP}
"""


@pytest.mark.parametrize("size", [1, 7, 61, 1021])
def test_112_pieces_of_a_secret_are_found_together(weir, backend, size):
    """A request that arrives in odd pieces, each a packet of its own."""
    sink = backend()
    text = in_order(STRUCTURED)
    w = weir(HTTP + text[text.index("processors:"):], BACKEND=sink.port)
    secrets = list(Secrets(SEED + size).one_of_each())
    records = b"".join(whole("traces", "attribute", leaf_of("k", value, s[1]))
                       for s in secrets
                       for value in (VALUES["string"], JSON["JSON in JSON"]))
    post = (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: "
            b"application/x-protobuf\r\n")
    with H1(w.env["HTTP"]) as door:
        door.send(post + b"Content-Length: %d\r\n\r\n" % len(records))
        for i in range(0, len(records), size):
            door.send(records[i:i + size])
        assert door.response().status == 200
        door.send(post + b"Transfer-Encoding: chunked\r\n\r\n")
        for i in range(0, len(records), size):
            piece = records[i:i + size]
            door.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        door.send(b"0\r\n\r\n")
        assert door.response().status == 200
    arrived = outcome(sink, "traces", 4 * len(secrets))
    everything = b"".join(arrived)
    assert not [s for s in secrets if any(x in everything for x in shown(s[2]))]
