# SPDX-License-Identifier: Apache-2.0
"""Section B of the catalogue of attacks: what a protobuf parser may be fed.

Every row goes to every door.  Numbers are rows of the catalogue."""
import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import \
    ExportTraceServiceRequest

from by_hand import field, nested, number_field, varint
from conftest import SERVICES, eventually, spans
from doors import MALFORMED, OK, TOO_BIG, knock_at, house, site  # noqa: F401 (fixtures)
from secrets_everywhere import logs, metrics, traces

SPAN = (1, 2, 2)                   # field numbers from the request to a span
ATTRIBUTE = (*SPAN, 9)


def typical(signal):
    """A request with every kind of field, as an SDK would send it."""
    return {"traces": traces, "metrics": metrics, "logs": logs}[signal](lambda name: "x")


@pytest.mark.parametrize("signal", SERVICES)
def test_row_13_every_prefix_is_refused_and_nothing_is_ingested(
        site, knock_at, signal):
    s = site()
    door = knock_at(s.w)
    whole = typical(signal).SerializeToString()
    cuts = [n for n in range(1, len(whole)) if door.knock(signal, whole[:n]) != MALFORMED]
    assert not cuts
    assert s.refusals("malformed") == len(whole) - 1
    assert s.is_empty()
    assert door.knock(signal, whole) == OK
    s.serves(door)


MALFORMED_BYTES = {
    "row 14: a varint of 11 bytes": nested(SPAN, varint(6 << 3) + varint(2, 10)),
    "row 14: a 10th byte above 1": nested(SPAN, varint(6 << 3) + b"\xff" * 9 + b"\x02"),
    "row 14: a tag of 6 bytes": nested(SPAN, varint(6 << 3, 5) + b"\1"),
    "row 14: a length of 11 bytes": b"\x0a" + varint(0, 10),
    "row 15: one byte past the end": b"\x0a\x01",
    "row 15: past the end of its parent":
        nested((1, 2), b"\x12\x02" + b"\x2a\x01") + field(1, b"x" * 10),
    "row 15: 2^31": nested(SPAN, b"\x2a" + varint(1 << 31)),
    "row 15: 2^32": nested(SPAN, b"\x2a" + varint(1 << 32)),
    "row 15: 2^63": nested(SPAN, b"\x2a" + varint(1 << 63)),
    "row 15: 2^64-1": nested(SPAN, b"\x2a" + varint((1 << 64) - 1)),
    "row 15: 2^64-1, outermost": b"\x0a" + varint((1 << 64) - 1),
    "row 16: field number 0": nested(SPAN, b"\x00\x01"),
    "row 16: field number 0 with a length": nested(SPAN, b"\x02\x00"),
    "row 16: wire type 6": nested(SPAN, varint(5 << 3 | 6)),
    "row 16: wire type 7": nested(SPAN, varint(900 << 3 | 7)),
    "row 16: a name that is a number": nested(SPAN, number_field(5, 1)),
    "row 16: a kind that is a text": nested(SPAN, field(6, b"2")),
    "row 16: a time of 4 bytes": nested(SPAN, varint(7 << 3 | 5) + bytes(4)),
    "row 16: spans that are a number": nested((1, 2), number_field(2, 7)),
    "row 18: a group that does not end": nested(SPAN, varint(900 << 3 | 3)),
    "row 18: an end without a start": nested(SPAN, varint(900 << 3 | 4)),
    "row 18: an end of another group":
        nested(SPAN, varint(900 << 3 | 3) + varint(901 << 3 | 4)),
    "row 18: groups too deep":
        nested(SPAN, varint(900 << 3 | 3) * 200 + varint(900 << 3 | 4) * 200),
    "row 18: a million groups": nested(SPAN, varint(15 << 3 | 3) * 1_000_000),
    "row 24: a trace id of 15 bytes": nested(SPAN, field(1, bytes(15))),
    "row 24: a trace id of 17 bytes": nested(SPAN, field(1, bytes(17))),
    "row 24: a span id of 7 bytes": nested(SPAN, field(2, bytes(7))),
    "row 24: a parent id of 9 bytes": nested(SPAN, field(4, bytes(9))),
    "row 24: a link's trace id of 1 byte": nested((*SPAN, 13), field(1, b"x")),
}


@pytest.mark.parametrize("what", MALFORMED_BYTES)
def test_row_14_15_16_18_24_malformed_bytes_are_refused(site, knock_at, what):
    s = site()
    door = knock_at(s.w)
    assert door.knock("traces", MALFORMED_BYTES[what]) == MALFORMED
    assert s.is_empty() and s.refusals("malformed") == 1
    s.serves(door)


def deep_value(depth):
    """An attribute whose value is `depth` lists, one in the other."""
    value = field(1, b"x")
    for _ in range(depth):
        value = field(5, field(1, value))
    return nested(ATTRIBUTE, field(1, b"k") + field(2, value))


def test_row_17_nested_values_are_taken_to_a_depth_and_no_further(site, knock_at):
    s = site(cap_mib=16)
    door = knock_at(s.w)
    assert door.knock("traces", deep_value(40)) == OK
    for depth in (51, 4_400, 43_600):
        assert door.knock("traces", deep_value(depth)) == MALFORMED, depth
    s.serves(door)


def test_row_19_thirty_three_million_empty_messages_are_too_big(site, knock_at):
    s = site(cap_mib=64)
    door = knock_at(s.w)
    before = s.w.metric("otelcol_process_memory_rss")
    assert door.knock("traces", b"\x0a\0" * (32 << 20)) == TOO_BIG
    assert s.w.metric("otelcol_process_memory_rss") - before < 300e6
    assert s.refusals("too_big") == 1
    s.serves(door)


def test_row_20_repeated_and_split_fields_mean_what_proto3_says(site, knock_at):
    """Of a scalar the last counts; pieces of a message are one; packed or not
    is the same."""
    s = site()
    door = knock_at(s.w)
    scalar = nested(SPAN, field(5, b"first") + number_field(6, 1)
                    + field(5, b"last") + number_field(6, 3))
    assert door.knock("traces", scalar) == OK
    s.there.until(lambda: s.there.spans)
    split = field(1, field(1, field(1, field(1, b"a")))
                  + field(1, field(1, field(1, b"b")))
                  + field(2, field(1, field(1, b"scope"))
                          + field(1, field(2, b"v1")) + field(2, field(5, b"split"))))
    assert door.knock("traces", split) == OK
    point = nested((1, 2, 2), field(1, b"m") + field(9, field(
        1, b"".join(b"\x31" + n.to_bytes(8, "little") for n in (1, 2))
        + field(6, (3).to_bytes(8, "little")))))
    assert door.knock("metrics", point) == OK
    there = s.there
    there.until(lambda: len(there.spans) == 2 and there.metrics)
    assert [(x.name, x.kind) for x in there.spans] == [("last", 3), ("split", 0)]
    rs, = there.requests["traces"][1].resource_spans
    assert [a.key for a in rs.resource.attributes] == ["a", "b"]
    scope = rs.scope_spans[0].scope
    assert (scope.name, scope.version) == ("scope", "v1")
    assert list(there.metrics[0].histogram.data_points[0].bucket_counts) == [1, 2, 3]


def test_row_20_many_pieces_take_linear_time(site, knock_at):
    s = site(cap_mib=8)
    door = knock_at(s.w)

    def seconds(n):
        piece = field(1, field(1, field(1, b"k%d" % n)))     # Resource.attributes
        request = field(1, piece * n + field(2, field(2, b"")))
        before = time.monotonic()
        assert door.knock("traces", request) == OK
        return time.monotonic() - before
    seconds(20_000)
    small = min(seconds(20_000) for _ in range(3))
    large = min(seconds(200_000) for _ in range(2))
    assert large < 60 * small + 0.1


def test_row_21_unknown_fields_are_kept_byte_for_byte(site, knock_at):
    s = site()
    door = knock_at(s.w)
    unknown = field(1002, b"of next year") + number_field(1003, 1 << 63) \
        + varint(1004 << 3 | 5) + b"4444" + varint(1005 << 3 | 1) + b"88888888"
    body = field(1, unknown + field(2, unknown + field(2, unknown + field(5, b"n"))))
    assert door.knock("traces", body) == OK
    s.there.until(lambda: s.there.spans)
    assert s.there.requests["traces"][0].SerializeToString().count(unknown) == 3


def test_row_18_groups_are_skipped_and_left_out(site, knock_at):
    """Nobody writes groups any more; what a filter cannot see must not pass."""
    s = site()
    door = knock_at(s.w)
    group = varint(900 << 3 | 3) + field(1, b"secret") + varint(900 << 3 | 4)
    for _ in range(10):
        group = varint(901 << 3 | 3) + group + varint(901 << 3 | 4)
    assert door.knock("traces", nested(SPAN, group + field(5, b"n") + group)) == OK
    s.there.until(lambda: s.there.spans)
    assert s.there.requests["traces"][0].SerializeToString() == nested(SPAN, field(5, b"n"))


def test_row_22_invalid_utf8_is_mended_and_counted(site, knock_at):
    s = site()
    door = knock_at(s.w)
    bad = nested(SPAN, field(5, b"B\xff\xfe!") + field(9, field(1, b"\xc0\xaf")
                 + field(2, field(1, b"\xed\xa0\x80"))))
    assert door.knock("traces", bad) == OK
    s.there.until(lambda: s.there.spans)
    got = s.there.spans[0]
    assert got.name == "B\ufffd\ufffd!"
    assert set(got.attributes[0].key) == {"\ufffd"}
    assert set(got.attributes[0].value.string_value) == {"\ufffd"}
    assert s.w.metric("weir_mended_requests") == 1


def test_row_23_large_values_many_attributes_and_control_bytes(
        site, knock_at, tmp_path):
    s = site(cap_mib=32, processors="  attributes: {actions: [{key: gone, action: delete}]}\n",
             chain="[attributes]", to="[otlp_grpc, file, debug]", exporters=f"""
    max_request_bytes: 64MB
    sending_queue: {{sizer: bytes, queue_size: 100000000}}
  file: {{path: {tmp_path}/out.jsonl}}
  debug: {{verbosity: detailed}}
""")
    door = knock_at(s.w)
    control = b"a\0b\x1b[2Jc\"\\\n"
    odd = nested(SPAN, field(5, control) + field(9, field(1, b"k\0k")
                 + field(2, field(1, control))))
    assert door.knock("traces", odd) == OK
    s.there.until(lambda: s.there.spans)
    text = control.decode()
    assert s.there.spans[0].name == text
    assert s.there.spans[0].attributes[0].value.string_value == text
    assert s.there.spans[0].attributes[0].key == "k\0k"
    eventually((tmp_path / "out.jsonl").exists, "the file")
    line = eventually(lambda: (tmp_path / "out.jsonl").read_text(), "a line")
    assert "\\u0000b\\u001b[2J" in line and "\0" not in line and "\x1b" not in line
    s.w.saw("Name           : a")
    assert "\x1b" not in s.w.output and "\0" not in s.w.output


def test_row_23_ten_megabytes_and_a_hundred_thousand_attributes(site, knock_at):
    s = site(cap_mib=32, exporters="    max_request_bytes: 64MB\n",
             processors="  attributes: {actions: [{key: gone, action: delete},"
                        " {key: k5, value: new, action: update}]}\n",
             chain="[attributes]")
    door = knock_at(s.w)
    large = nested(ATTRIBUTE, field(1, b"k") + field(2, field(1, b"v" * 10_000_000)))
    assert door.knock("traces", large) == OK
    s.there.until(lambda: s.there.spans)
    assert len(s.there.spans[0].attributes[0].value.string_value) == 10_000_000
    many = nested(SPAN, b"".join(
        field(9, field(1, b"k%d" % (i % 50_000)) + field(2, field(1, b"v")))
        for i in range(100_000)))
    before = time.monotonic()
    assert door.knock("traces", many) == OK
    s.there.until(lambda: len(s.there.spans) == 2)
    assert time.monotonic() - before < 20, "not the square of their number"
    got = [(a.key, a.value.string_value) for a in s.there.spans[1].attributes]
    assert len(got) == 100_000 and got[5] == ("k5", "new")


def test_row_24_empty_and_zero_ids_pass_on(site, knock_at):
    s = site()
    door = knock_at(s.w)
    request = spans(2)
    empty, zero = request.resource_spans[0].scope_spans[0].spans
    empty.trace_id = empty.span_id = b""
    zero.trace_id, zero.span_id = bytes(16), bytes(8)
    assert door.knock("traces", request.SerializeToString()) == OK
    s.there.until(lambda: len(s.there.spans) == 2)
    assert [x.trace_id for x in s.there.spans] == [b"", bytes(16)]


def test_row_25_times_of_every_kind_pass_on(site, knock_at):
    s = site(to="[otlp_grpc, debug]", exporters="  debug: {verbosity: detailed}\n")
    door = knock_at(s.w)
    most = (1 << 64) - 1
    times = [(0, 0), (most, most), (5, 1), (0, most), (most, 0)]
    request = spans(len(times))
    for x, (start, end) in zip(request.resource_spans[0].scope_spans[0].spans, times):
        x.start_time_unix_nano, x.end_time_unix_nano = start, end
    assert door.knock("traces", request.SerializeToString()) == OK
    s.there.until(lambda: len(s.there.spans) == len(times))
    assert [(x.start_time_unix_nano, x.end_time_unix_nano)
            for x in s.there.spans] == times
    s.serves(door)


def test_row_26_numbers_that_are_none_and_histograms_that_do_not_add_up(
        site, knock_at, tmp_path):
    s = site(to="[otlp_grpc, debug, file]", exporters=f"""
  debug: {{verbosity: detailed}}
  file: {{path: {tmp_path}/out.jsonl}}
""")
    door = knock_at(s.w)
    request = SERVICES["metrics"][1]()
    added = request.resource_metrics.add().scope_metrics.add().metrics
    gauge = added.add(name="g").gauge
    for value in (float("nan"), float("inf"), float("-inf")):
        gauge.data_points.add(as_double=value)
    added.add(name="h").histogram.data_points.add(
        explicit_bounds=[5, 1, float("nan")], bucket_counts=[1] * 9, count=3)
    for edge in (-1 << 31, (1 << 31) - 1):
        point = added.add(name="e").exponential_histogram.data_points.add(
            scale=edge, count=1)
        point.positive.offset = edge
        point.positive.bucket_counts.extend([1, 2])
        point.negative.offset = edge
    before = s.w.metric("otelcol_process_memory_rss")
    data = request.SerializeToString()
    assert door.knock("metrics", data) == OK
    s.there.until(lambda: len(s.there.metrics) == 4)
    assert s.there.requests["metrics"][0].SerializeToString() == data
    assert s.w.metric("otelcol_process_memory_rss") - before < 30e6
    s.serves(door)


@pytest.mark.parametrize("body", [b"", b"\x0a\0", b"\x0a\x02\x12\0"],
                         ids=["nothing", "a resource", "a scope"])
def test_row_27_empty_requests_are_taken_and_nothing_is_passed_on(
        site, knock_at, body):
    s = site()
    door = knock_at(s.w)
    for signal in SERVICES:
        assert door.knock(signal, body) == OK
        assert not door.response.HasField("partial_success")
    assert s.is_empty()
    s.serves(door)
    assert len(s.there.requests["traces"]) == 1


def test_row_28_a_million_spans_in_one_request_are_split(site, knock_at):
    s = site(processors="  batch: {send_batch_size: 100000,"
                        " send_batch_max_size: 100000, timeout: 10ms}\n",
             chain="[batch]")
    door = knock_at(s.w)
    body = field(1, field(2, b"\x12\0" * 1_000_000))
    assert door.knock("traces", body) == OK
    eventually(lambda: s.w.metric("otelcol_exporter_sent_spans") == 1e6, "sent")
    sizes = [sum(len(ss.spans) for rs in r.resource_spans for ss in rs.scope_spans)
             for r in s.there.requests["traces"]]
    assert sizes == [100_000] * 10
    assert s.w.metric("otelcol_receiver_accepted_spans") == 1e6


def test_row_29_enums_and_negative_numbers_out_of_range_are_kept(site, knock_at):
    s = site()
    door = knock_at(s.w)
    body = nested(SPAN, field(5, b"n") + number_field(6, 77)
                  + field(15, number_field(3, -5)))
    assert door.knock("traces", body) == OK
    s.there.until(lambda: s.there.spans)
    got = s.there.spans[0]
    assert got.kind == 77 and got.status.code == -5
    assert ExportTraceServiceRequest.FromString(body) == s.there.requests["traces"][0]
