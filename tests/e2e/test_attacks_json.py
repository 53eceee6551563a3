# SPDX-License-Identifier: Apache-2.0
"""Section C of the catalogue of attacks: what a JSON parser may be fed, over
HTTP/1.1.  Numbers are rows of the catalogue."""
import json
import time

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import \
    ExportTraceServiceRequest

from conftest import spans
from doors import MALFORMED, OK, Http1Json, house, site  # noqa: F401 (a fixture)


@pytest.fixture
def door(site):
    s = site(cap_mib=16, exporters="    max_request_bytes: 64MB\n")
    d = Http1Json(s.w)
    d.site = s
    yield d
    d.close()
    fresh = Http1Json(s.w)
    assert fresh.knock("traces", span(b'"name": "alive"')) == OK
    fresh.close()
    s.there.until(lambda: any(x.name == "alive" for x in s.there.spans))


def span(inside):
    inside = inside.encode() if isinstance(inside, str) else inside
    return b'{"resourceSpans":[{"scopeSpans":[{"spans":[{' + inside + b"}]}]}]}"


def attribute(value):
    return span('"attributes":[{"key":"k","value":' + value + "}]")


def point(number):
    return ('{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":'
            '{"dataPoints":[{' + number + "}]}}]}]}]}").encode()


def sent(door, body, signal="traces"):
    """What arrives of an accepted body: the first span or point."""
    assert door.knock(signal, body) == OK
    there = door.site.there
    if signal == "metrics":
        there.until(lambda: there.metrics)
        return there.metrics[-1].gauge.data_points[0]
    there.until(lambda: there.spans)
    return there.spans[-1]


DEEP = {
    "lists": b"[" * 5_000_000,
    "objects": b'{"a":' * 1_000_000,
    "an unknown key": b'{"x":' + b"[" * 201 + b"]" * 201 + b"}",
    "an unknown key of a span": span(b'"x":' + b'{"y":' * 300 + b"1" + b"}" * 300),
    "values": attribute('{"arrayValue":{"values":[' * 100 + "]}}" * 100),
}


@pytest.mark.parametrize("what", DEEP)
def test_row_30_json_too_deep_is_refused(door, what):
    before = time.monotonic()
    assert door.knock("traces", DEEP[what]) == MALFORMED
    assert time.monotonic() - before < 10
    assert door.site.is_empty() and door.site.refusals("malformed") == 1


def test_row_30_unknown_keys_may_be_deep_to_a_point(door):
    assert sent(door, span(b'"x":' + b"[" * 100 + b"]" * 100 + b',"name":"n"')).name == "n"


@pytest.mark.parametrize("number", [
    "01", "+1", "-", "1.", ".5", "1e", "0x10", "1_000", "NaN", "Infinity", "--1",
    '"1.5"', '"0x10"', '""', '" 1"', "1.5", "9223372036854775808", "1e400",
    "-9223372036854775809", '"9223372036854775808"', "1" * 40, "9" * 1_000_000, "true", "{}"])
def test_row_31_what_is_no_64_bit_number_is_refused(door, number):
    before = time.monotonic()
    assert door.knock("metrics", point(f'"asInt":{number}')) == MALFORMED, number
    assert time.monotonic() - before < 10
    assert door.site.is_empty()


@pytest.mark.parametrize("number,value", [
    ("9223372036854775807", 9223372036854775807), ('"9223372036854775807"',
                                                   9223372036854775807),
    ("-9223372036854775808", -9223372036854775808), ("9007199254740993", 9007199254740993),
    ('"-1"', -1), ("0", 0), ("-0", 0)])
def test_row_31_32_64_bit_numbers_are_exact_as_a_number_or_a_text(door, number, value):
    assert sent(door, point(f'"asInt":{number}'), "metrics").as_int == value


@pytest.mark.parametrize("number,value", [
    ("1e3", 1000.0), ('"Infinity"', float("inf")), ('"-Infinity"', float("-inf")),
    ("5e-324", 5e-324), ("1.7976931348623157e308", 1.7976931348623157e308),
    ("0." + "3" * 400_000, 1 / 3)])
def test_row_31_doubles_are_the_nearest(door, number, value):
    assert sent(door, point(f'"asDouble":{number}'), "metrics").as_double == value


@pytest.mark.parametrize("kind,value", [
    ("2", 2), ('"SPAN_KIND_SERVER"', 2), ("77", 77)])
def test_row_32_an_enum_is_a_number_or_a_name(door, kind, value):
    assert sent(door, span(f'"kind":{kind}')).kind == value


@pytest.mark.parametrize("kind", ['"SPAN_KIND_NONSENSE"', '"server"', '"2"', "1.5", "[]"])
def test_row_32_an_unknown_name_is_refused(door, kind):
    assert door.knock("traces", span(f'"kind":{kind}')) == MALFORMED


@pytest.mark.parametrize("key,text", [
    ("traceId", "5b8efff798038103d269b633813fc60"),
    ("traceId", "5b8efff798038103d269b633813fc60c0"),
    ("traceId", "5b8efff798038103d269b633813fc60g"), ("traceId", "5b8e"),
    ("traceId", "W47/95gDgQPSabYzgT/GDA=="), ("spanId", "eee19b7ec3c1b1"),
    ("spanId", "eee19b7ec3c1b174ee"), ("parentSpanId", "zzz19b7ec3c1b174")])
def test_row_33_ids_that_are_not_hex_of_their_length_are_refused(door, key, text):
    assert door.knock("traces", span(f'"{key}":"{text}"')) == MALFORMED


def test_row_33_upper_case_and_empty_ids_are_taken(door):
    got = sent(door, span('"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":""'))
    assert got.trace_id.hex() == "5b8efff798038103d269b633813fc60c" and got.span_id == b""


@pytest.mark.parametrize("text", ["a", "!!!!", "aGk=aGk=", "aG k", "=", "aGk=="])
def test_row_34_bad_base64_is_refused(door, text):
    assert door.knock("traces", attribute('{"bytesValue":"%s"}' % text)) == MALFORMED


def test_row_34_base64_is_bytes(door):
    got = sent(door, attribute('{"bytesValue":"AP9oaQ=="}'))
    assert got.attributes[0].value.bytes_value == b"\0\xffhi"


def test_row_35_keys_twice_in_snake_case_null_and_unknown(door):
    got = sent(door, span('"name":"first","trace_state":"s","name":null,"nobody":[1,{}],'
                          '"name":"last","status":null,"start_time_unix_nano":"5"'))
    assert (got.name, got.trace_state, got.start_time_unix_nano) == ("last", "s", 5)


BAD_TEXT = {
    "row 36: a raw control byte": span(b'"name":"a\x01b"'),
    "row 36: a raw line feed": span(b'"name":"a\nb"'),
    "row 36: an unknown escape": span(rb'"name":"a\qb"'),
    "row 36: a short escape": span(rb'"name":"\u12"'),
    "row 36: UTF-16": '{"resourceSpans":[]}'.encode("utf-16"),
    "row 37: bytes behind it": b'{"resourceSpans":[]} x',
    "row 37: two roots": b"{}{}",
    "row 37: NDJSON": b'{"resourceSpans":[]}\n{"resourceSpans":[]}',
    "row 37: nothing": b"",
    "row 37: a blank": b" ",
    "row 37: a list": b"[]",
    "row 37: a text": b'"x"',
    "row 37: a number": b"1",
    "row 37: cut in a text": b'{"resourceSp',
    "row 37: cut in a list": b'{"resourceSpans":[',
    "row 37: a comma too many": b'{"resourceSpans":[],}',
    "row 37: a comma too few": b'{"a":1 "b":2}',
    "row 37: single quotes": b"{'resourceSpans':[]}",
    "row 37: a comment": b"{}//",
    "row 37: a list that is an object": b'{"resourceSpans":{}}',
}


@pytest.mark.parametrize("what", BAD_TEXT)
def test_row_36_37_what_is_not_one_json_object_is_refused(door, what):
    assert door.knock("traces", BAD_TEXT[what]) == MALFORMED
    assert door.site.is_empty()


@pytest.mark.parametrize("text,value", [
    (rb"a\u0000b", "a\0b"), (rb"\ud83d\ude00", "\U0001f600"), (rb"\u00e9\/\b", "\u00e9/\b"),
    ("\u00e9\u20ac\U0001f600".encode(), "\u00e9\u20ac\U0001f600")])
def test_row_36_escapes_are_data(door, text, value):
    assert sent(door, span(b'"name":"' + text + b'"')).name == value


@pytest.mark.parametrize("text", [rb"\ud800", rb"\udc00x", rb"\ud800\ud800", b"\xff", b"\xc0\xaf"])
def test_row_36_broken_characters_are_replaced_or_refused(door, text):
    meaning = door.knock("traces", span(b'"name":"' + text + b'"'))
    assert meaning in (OK, MALFORMED)
    if meaning == OK:
        door.site.there.until(lambda: door.site.there.spans)
        assert "\ufffd" in door.site.there.spans[0].name


def test_row_36_a_byte_order_mark_is_refused_or_passed_over(door):
    assert door.knock("traces", b"\xef\xbb\xbf" + span('"name":"n"')) in (OK, MALFORMED)


def test_row_37_every_prefix_is_refused(door):
    request = spans(1, attributes=[("k", 'v"\\\u00e9')])
    text = json.dumps(json_format.MessageToDict(request)).encode()
    # ids are base64 there; without them it is OTLP/JSON
    text = json.dumps({**json.loads(text)}, ensure_ascii=False).encode()
    for key in (b'"traceId": ', b'"spanId": '):
        at = text.index(key)
        text = text[:at] + text[text.index(b",", at) + 2:]
    assert door.knock("traces", text) == OK
    for n in range(len(text)):
        assert door.knock("traces", text[:n]) == MALFORMED, text[:n]


def test_row_38_keys_chosen_to_collide_cost_no_more(door):
    """There is no table of keys to fill: many of them take linear time."""
    def seconds(keys):
        body = span(",".join(f'"{k}":1' for k in keys))
        began = time.monotonic()
        assert door.knock("traces", body) == OK
        return time.monotonic() - began
    # words whose sums, and whose hashes with a multiplier of 33, are equal
    pairs = ("Ez", "FY")
    alike = ["".join(pairs[i >> b & 1] for b in range(17)) for i in range(100_000)]
    random = [f"{i * 2654435761 % (1 << 32):034d}" for i in range(100_000)]
    seconds(random)
    assert min(seconds(alike) for _ in range(3)) \
        < 2 * min(seconds(random) for _ in range(3)) + 0.2


def test_a_request_in_json_is_the_same_request(door):
    """Against the official schema: every field, by its JSON name."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(schema_url="u")
    group.resource.attributes.add(key="b").value.bool_value = True
    group.resource.dropped_attributes_count = 3
    scope = group.scope_spans.add(schema_url="v")
    scope.scope.name = "n"
    one = scope.spans.add(name="s", flags=257, kind=3, start_time_unix_nano=1 << 63)
    one.attributes.add(key="d").value.double_value = -0.25
    one.events.add(name="e", time_unix_nano=7, dropped_attributes_count=1)
    one.links.add(trace_state="t", flags=1)
    one.status.code, one.status.message = 2, "m"
    text = json.dumps(json_format.MessageToDict(request, use_integers_for_enums=True))
    assert door.knock("traces", text.encode()) == OK
    door.site.there.until(lambda: door.site.there.spans)
    assert door.site.there.requests["traces"][0] == request
