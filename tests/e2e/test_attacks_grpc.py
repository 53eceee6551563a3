# SPDX-License-Identifier: Apache-2.0
"""Section F of the catalogue of attacks: what gRPC adds to HTTP/2.  Numbers
are rows of the catalogue."""
import struct

import pytest

from by_hand import (CANCEL, END_HEADERS, ENHANCE_YOUR_CALM, PING, RST_STREAM,
                     frame, literal)
from conftest import spans
from doors import MALFORMED, NOT_HERE, OK, TOO_BIG, Grpc, house, site  # noqa: F401

HELLO = spans(1).SerializeToString()
MESSAGE = struct.pack(">BI", 0, len(HELLO)) + HELLO


@pytest.fixture
def door(site):
    s = site()
    d = Grpc(s.w)
    d.site = s
    yield d
    d.close()
    s.serves(d)


def with_header(door, name, value):
    return [(k, value if k == name else v) for k, v in door.headers("traces")]


@pytest.mark.parametrize("kind", ["application/json", "application/grpcx", "", "text/plain",
                                  "application/grpc-web", "application/x-protobuf"])
def test_row_68_another_content_type_is_415(door, kind):
    stream = door.h2.ask(with_header(door, "content-type", kind), MESSAGE)
    assert stream.header(":status") == "415"
    assert door.site.is_empty() and door.site.refusals("media_type") == 1


@pytest.mark.parametrize("kind", ["application/grpc+proto", "application/grpc;x=y"])
def test_row_68_a_subtype_or_a_parameter_is_grpc_too(door, kind):
    stream = door.h2.ask(with_header(door, "content-type", kind), MESSAGE)
    assert stream.header("grpc-status") == "0"


@pytest.mark.parametrize("path", [
    "/no.such.Service/Export", "/", "/x",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Import",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export/",
    "/opentelemetry.proto.collector.trace.v1.TraceService"])
def test_row_69_an_unknown_method_is_unimplemented(door, path):
    stream = door.h2.ask(with_header(door, ":path", path), MESSAGE)
    assert door.meaning("traces", stream) == NOT_HERE
    assert door.site.is_empty()


@pytest.mark.parametrize("timeout", ["", "10", "x", "-1S", "1s", "123456789S", "1 S", "1.5S"])
def test_row_70_a_malformed_timeout_is_refused(door, timeout):
    stream = door.call("traces", MESSAGE, ("grpc-timeout", timeout))
    assert stream.header(":status") == "400"
    assert stream.header("grpc-status") == "13"
    assert door.site.is_empty()


@pytest.mark.parametrize("timeout", ["0n", "0H"])
def test_row_70_no_time_at_all_is_deadline_exceeded(door, timeout):
    stream = door.call("traces", MESSAGE, ("grpc-timeout", timeout))
    assert stream.header("grpc-status") == "4"


def test_row_70_a_very_long_timeout_is_capped_not_overflowed(door):
    stream = door.call("traces", MESSAGE, ("grpc-timeout", "99999999H"))
    assert stream.header("grpc-status") == "0"


def test_row_71_bad_base64_in_binary_metadata_fails_its_call_only(site):
    s = site(metadata=True)
    door = Grpc(s.w)
    for bad in ("!!!", "a", "aGk=aGk", "aGk\u00ff"):
        stream = door.call("traces", MESSAGE, ("x-bin", bad))
        assert door.meaning("traces", stream) == MALFORMED, bad
    assert s.is_empty()
    for good in ("aGk", "aGk=", "aGk,aGk=", ""):
        assert door.meaning("traces", door.call("traces", MESSAGE, ("x-bin", good))) == OK
    s.serves(door)
    door.close()


def test_row_71_too_much_metadata_fails_its_call_only(door):
    stream = door.call("traces", MESSAGE, *[(f"x-{i}", "v") for i in range(600)])
    assert door.meaning("traces", stream) == TOO_BIG
    assert door.site.is_empty()
    assert door.knock("traces", HELLO) == OK


def test_row_71_a_megabyte_of_metadata_is_not_kept(door):
    before = door.site.w.metric("otelcol_process_memory_rss")
    number = next(door.h2.ids)
    block = b"".join(literal(k, v) for k, v in [
        *door.headers("traces"), *[(f"x-{i}", "v" * 10_000) for i in range(100)]])
    most = door.h2.settings[5]
    pieces = [block[i:i + most] for i in range(0, len(block), most)]
    door.h2.send(frame(1, 0, number, pieces[0]) + b"".join(
        frame(9, END_HEADERS if p is pieces[-1] else 0, number, p) for p in pieces[1:]))
    door.h2.until(lambda: door.h2.stream(number).over or door.h2.goaways)
    assert door.site.w.metric("otelcol_process_memory_rss") - before < 8e6
    assert door.site.is_empty()


def test_row_72_pings_too_often_are_too_many_pings(door):
    for _ in range(10):
        door.h2.send(frame(PING, 0, 0, bytes(8)))
    door.h2.end()
    last, code, debug = door.h2.goaways[-1]
    assert (code, debug) == (ENHANCE_YOUR_CALM, b"too_many_pings")


def test_row_72_pings_that_are_permitted_are_answered(site):
    s = site(keepalive="{enforcement_policy: {min_time: 1ns, permit_without_stream: true}}")
    door = Grpc(s.w)
    for _ in range(20):
        assert door.h2.alive()
    door.close()


def test_row_73_a_client_that_cancels_after_the_last_byte_is_stored_or_not(site):
    """Nobody is told; what is there is whole."""
    s = site()
    door = Grpc(s.w)
    body = spans(50).SerializeToString()
    for i in range(60):
        number = next(door.h2.ids)
        door.h2.headers(number, door.headers("traces"), END_HEADERS)
        door.h2.send(frame(0, 1, number, struct.pack(">BI", 0, len(body)) + body)
                     + frame(RST_STREAM, 0, number, struct.pack(">I", CANCEL)))
    assert door.h2.alive()
    assert not any(x.blocks for n, x in door.h2.streams.items() if n)
    s.serves(door)
    accepted = s.w.metric("otelcol_receiver_accepted_spans")
    assert accepted % 50 == 1       # and the one of serves()
    s.there.until(lambda: len(s.there.spans) == accepted)
    door.close()
