# SPDX-License-Identifier: Apache-2.0
"""Section E of the catalogue of attacks: frames, on each port that speaks
HTTP/2.  Numbers are rows of the catalogue.

A port that was attacked must still serve a new connection (R1)."""
import socket
import struct

import pytest

from by_hand import (ACK, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA,
                     END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM,
                     FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, H2, HEADERS,
                     NO_ERROR, PADDED, PING, PREFACE, PRIORITY, PROTOCOL_ERROR,
                     PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS,
                     STREAM_CLOSED, WINDOW_UPDATE, frame, literal, varint)
from conftest import PATIENCE, eventually, spans
from doors import DOORS, OK, Grpc, house, site  # noqa: F401 (a fixture)

H2_DOORS = {k: v for k, v in DOORS.items() if k != "http1"}
HELLO = spans(1).SerializeToString()


@pytest.fixture(params=H2_DOORS)
def door(request, site):
    """One connection to an HTTP/2 port, and the site behind it."""
    s = site()
    d = H2_DOORS[request.param](s.w)
    d.site = s
    yield d
    d.close()
    s.serves(d)


def body_of(door, message=HELLO):
    """A request's body as this port frames it."""
    return (struct.pack(">BI", 0, len(message)) + message
            if isinstance(door, Grpc) else message)


def block(door):
    """The headers of a good request, none of them in a table."""
    return b"".join(literal(k, v) for k, v in door.headers("traces"))


def took(door, stream):
    return (stream.header("grpc-status") == "0" if isinstance(door, Grpc)
            else stream.header(":status") == "200")


# --- 53: what is not HTTP/2 ------------------------------------------------

@pytest.mark.parametrize("said", [
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"\0" * 24, PREFACE + frame(PING, 0, 0, bytes(8)),
    PREFACE + frame(DATA, 0, 1, b"x")], ids=["a typo", "TLS", "zeros",
                                           "PING first", "DATA first"])
def test_row_53_a_bad_preface_ends_the_connection(door, said):
    with H2(door.port, hello=False) as h2:
        h2.send(said)
        h2.socket.shutdown(socket.SHUT_WR)   # half a line of HTTP/1 may wait
        try:
            while h2.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass


def test_row_53_http_1_on_the_grpc_port_is_closed(site):
    s = site()
    door = Grpc(s.w)
    with H2(door.port, hello=False) as h2:
        h2.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        while h2.socket.recv(65536):
            pass
    s.serves(door)
    door.close()


# --- 1, 2: sizes -------------------------------------------------------------

@pytest.mark.parametrize("door", ["http2"], indirect=True)
def test_row_01_a_length_over_the_cap_is_413_before_the_body(door):
    number = next(door.h2.ids)
    door.h2.headers(number, [*door.headers("traces"),
                             ("content-length", str((4 << 20) + 1))], END_HEADERS)
    door.h2.until(lambda: door.h2.stream(number).over)
    stream = door.h2.stream(number)
    assert stream.header(":status") == "413" and stream.data[:2] == b"\x08\x08"
    assert door.site.refusals("too_big") == 1


@pytest.mark.parametrize("door", ["http2"], indirect=True)
def test_row_02_a_body_of_unknown_length_is_cut_at_the_cap(door):
    number = next(door.h2.ids)
    door.h2.headers(number, door.headers("traces"), END_HEADERS)
    door.h2.data(number, bytes(4 << 20), end=False)
    assert door.h2.alive() and not door.h2.stream(number).over
    door.h2.data(number, b"\0", end=False)
    door.h2.until(lambda: door.h2.stream(number).over)
    assert door.h2.stream(number).header(":status") == "413"


# --- 54, 55: resets ---------------------------------------------------------

def test_row_54_rapid_reset_ends_the_connection_calmly(door):
    for _ in range(300):
        number = next(door.h2.ids)
        door.h2.send(frame(HEADERS, END_HEADERS, number, block(door))
                     + frame(RST_STREAM, 0, number, struct.pack(">I", CANCEL)))
        if door.h2.closed:
            break
    assert door.h2.end()[-1] == ENHANCE_YOUR_CALM
    assert door.site.is_empty()


def test_row_54_a_few_resets_are_fine(door):
    for _ in range(50):
        number = next(door.h2.ids)
        door.h2.send(frame(HEADERS, END_HEADERS, number, block(door))
                     + frame(RST_STREAM, 0, number, struct.pack(">I", CANCEL)))
    assert door.knock("traces", HELLO) == OK


PROVOKE = {
    # each makes the server reset one stream
    "a window of no bytes": lambda n: frame(WINDOW_UPDATE, 0, n, bytes(4)),
    "a priority of 4 bytes": lambda n: frame(PRIORITY, 0, n, bytes(4)),
    "a window overflow": lambda n: frame(WINDOW_UPDATE, 0, n, b"\x7f\xff\xff\xff"),
}


@pytest.mark.parametrize("how", PROVOKE)
def test_row_55_resets_that_the_server_is_made_to_send_count_too(door, how):
    for _ in range(300):
        number = next(door.h2.ids)
        door.h2.send(frame(HEADERS, END_HEADERS, number, block(door))
                     + PROVOKE[how](number))
        if door.h2.closed:
            break
    codes = door.h2.end()
    assert codes and set(codes) <= {ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, PROTOCOL_ERROR}


# --- 56 - 58: headers --------------------------------------------------------

def test_row_56_a_continuation_flood_is_cut(door):
    door.h2.send(frame(HEADERS, 0, 1, block(door)))
    sent = 0
    while not door.h2.closed and sent < 1000:
        door.h2.send(frame(CONTINUATION, 0, 1, literal("x-a", "b" * 1000)))
        sent += 1
    assert door.h2.end()[-1] in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR)


def test_row_56_empty_continuations_are_cut_as_well(door):
    door.h2.send(frame(HEADERS, 0, 1, block(door))
                 + frame(CONTINUATION, 0, 1, b"") * 5000)
    assert door.h2.end()[-1] in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR)


def test_row_57_an_hpack_bomb_is_measured_unpacked(door):
    entry = b"\x40" + b"\x01a" + b"\x7f" + varint(3900 - 127) + b"v" * 3900
    door.h2.send(frame(HEADERS, END_HEADERS | END_STREAM, 1,
                       block(door) + entry + b"\xbe" * 11_000))
    assert door.h2.end()[-1] in (ENHANCE_YOUR_CALM, COMPRESSION_ERROR, PROTOCOL_ERROR)


@pytest.mark.parametrize("bad", [
    b"\x3f\xe1\xff\x7f", b"\xff" * 12, b"\x00\x7f" + b"\xff" * 12, b"\xbf\xff\xff\x7f",
    b"\x00\x81\xff", b"\x80"],
    ids=["a table of 2 MiB", "an endless integer", "an endless length",
         "an index that is not there", "Huffman padding", "index 0"])
def test_row_57_broken_header_compression_ends_the_connection(door, bad):
    door.h2.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, bad + block(door)))
    assert door.h2.end() == [COMPRESSION_ERROR]


def changed(door, *drop, add=(), first=()):
    return [*first, *((k, v) for k, v in door.headers("traces") if k not in drop), *add]


HEADER_ABUSE = {
    "upper case": lambda d: changed(d, add=[("X-Upper", "a")]),
    "connection": lambda d: changed(d, add=[("connection", "close")]),
    "transfer-encoding": lambda d: changed(d, add=[("transfer-encoding", "chunked")]),
    "te: gzip": lambda d: changed(d, "te", add=[("te", "gzip")]),
    "no method": lambda d: changed(d, ":method"),
    "no path": lambda d: changed(d, ":path"),
    "no scheme": lambda d: changed(d, ":scheme"),
    "an empty path": lambda d: changed(d, ":path", first=[(":path", "")]),
    "a second path": lambda d: changed(d, first=[(":path", "/other")]),
    "an unknown pseudo-header": lambda d: changed(d, first=[(":nonsense", "a")]),
    "a response's pseudo-header": lambda d: changed(d, first=[(":status", "200")]),
    "a pseudo-header last": lambda d: changed(d, ":path", add=[(":path", "/x")]),
    "a line feed in a value": lambda d: changed(d, add=[("x-a", "b\nc: d")]),
    "NUL in a value": lambda d: changed(d, add=[("x-a", "b\0c")]),
    "a blank in a name": lambda d: changed(d, add=[("x a", "b")]),
    "an empty name": lambda d: changed(d, add=[("", "b")]),
}


@pytest.mark.parametrize("how", HEADER_ABUSE)
def test_row_58_malformed_headers_reset_their_stream_only(door, how):
    bad = b"".join(literal(k, v) for k, v in HEADER_ABUSE[how](door))
    number = next(door.h2.ids)
    door.h2.send(frame(HEADERS, END_HEADERS, number, bad))
    door.h2.send(frame(DATA, END_STREAM, number, body_of(door)))
    door.h2.until(lambda: door.h2.stream(number).over or door.h2.goaways)
    stream = door.h2.stream(number)
    assert not took(door, stream)
    assert stream.reset == PROTOCOL_ERROR or stream.header(":status") == "400"
    assert door.site.is_empty()
    assert door.knock("traces", HELLO) == OK, "another stream is not hurt"


def test_row_58_a_path_without_a_slash_is_never_routed(door):
    path = dict(door.headers("traces"))[":path"]
    for other in (path[1:], "//" + path[1:], path + "/", "http://x" + path, "*"):
        fields = changed(door, ":path", first=[(":path", other)])
        number = next(door.h2.ids)
        door.h2.send(frame(HEADERS, END_HEADERS, number,
                           b"".join(literal(k, v) for k, v in fields)))
        door.h2.send(frame(DATA, END_STREAM, number, body_of(door)))
        door.h2.until(lambda n=number: door.h2.stream(n).over)
        assert not took(door, door.h2.stream(number)), other
    assert door.site.is_empty()


def test_row_58_repeated_header_names_do_not_multiply(door):
    fields = changed(door, add=[("x-same", "v")] * 5000)
    number = next(door.h2.ids)
    door.h2.headers(number, fields, END_HEADERS)
    door.h2.until(lambda: door.h2.stream(number).over or door.h2.goaways)
    assert not took(door, door.h2.stream(number))


# --- 59: control frames ------------------------------------------------------

FLOODS = {
    "SETTINGS": lambda n: frame(SETTINGS),
    "SETTINGS with 30 entries": lambda n: frame(SETTINGS, 0, 0, b"\0\x03\0\0\0\x64" * 30),
    "PING": lambda n: frame(PING, 0, 0, bytes(8)),
    "PRIORITY": lambda n: frame(PRIORITY, 0, 1, bytes(5)),
    "unknown frames": lambda n: frame(0x42, 0, 0, b"x"),
    "WINDOW_UPDATE of one byte": lambda n: frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1"),
    "empty DATA": lambda n: (frame(HEADERS, END_HEADERS, 1, n) if n else b"")
    + frame(DATA, 0, 1),
    "acks of nothing": lambda n: frame(SETTINGS, ACK),
}


@pytest.mark.parametrize("what", FLOODS)
def test_row_59_floods_of_frames_that_carry_nothing_end_calmly(door, what):
    make = FLOODS[what]
    door.h2.send(make(block(door)) if what == "empty DATA" else b"")
    for _ in range(60):
        door.h2.send(make(b"") * 100)
        if door.h2.closed:
            break
    codes = door.h2.end()
    assert codes[-1] in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR), codes


def test_row_59_a_client_that_never_reads_acks_makes_no_queue(door):
    """Acks that are not read pile up in the socket, then nowhere."""
    before = door.site.w.metric("otelcol_process_memory_rss")
    with H2(door.port) as h2:
        h2.socket.setblocking(False)
        try:
            for _ in range(2000):
                h2.socket.send(frame(SETTINGS) * 1000)
        except OSError:
            pass           # the server has stopped reading, or has left
    assert door.site.w.metric("otelcol_process_memory_rss") - before < 16e6


# --- 60, 61: flow control ----------------------------------------------------

def test_row_60_answers_wait_for_the_window_and_are_not_lost(door):
    """A client without a window gets its answer when it opens one."""
    slow = H2(door.port, settings=struct.pack(">HI", 4, 0))
    slow.generous = False
    number = next(slow.ids)
    slow.headers(number, door.headers("traces"), END_HEADERS)
    slow.data(number, body_of(door, b"\xff"))   # an error: a body over HTTP
    if not isinstance(door, Grpc):
        assert slow.alive() and not slow.stream(number).ended
        for _ in range(200):                    # byte by byte
            slow.send(frame(WINDOW_UPDATE, 0, number, b"\0\0\0\1"))
    slow.until(lambda: slow.stream(number).over)
    assert not took(door, slow.stream(number))
    slow.close()


@pytest.mark.parametrize("stream", [0, 1])
def test_row_61_a_window_over_2_31_is_a_flow_control_error(door, stream):
    door.h2.send(frame(HEADERS, END_HEADERS, 1, block(door))
                 + frame(WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff") * 2)
    door.h2.until(lambda: door.h2.goaways or door.h2.stream(1).over)
    code = door.h2.goaways[-1][1] if door.h2.goaways else door.h2.stream(1).reset
    assert code == FLOW_CONTROL_ERROR


def test_row_61_settings_that_overflow_a_window(door):
    door.h2.send(frame(HEADERS, END_HEADERS, 1, block(door))
                 + frame(WINDOW_UPDATE, 0, 1, b"\0\xff\xff\xff")
                 + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0x7fffffff)))
    door.h2.until(lambda: door.h2.goaways or door.h2.stream(1).over)
    code = door.h2.goaways[-1][1] if door.h2.goaways else door.h2.stream(1).reset
    assert code == FLOW_CONTROL_ERROR


def test_row_61_data_past_the_window_is_a_flow_control_error(door):
    """The server says how much it takes; a stream sends more."""
    window = door.h2.settings[4]
    door.h2.send(frame(HEADERS, END_HEADERS, 1, block(door)))
    most = door.h2.settings[5]
    # a length in the prefix that lets the gRPC port wait for all of it
    first = struct.pack(">BI", 0, 4 << 20)
    size = max(window, door.h2.window(0)) + most
    sent = 0
    while sent < 2 * size and not door.h2.closed:
        piece = first + bytes(most - 5) if not sent else bytes(most)
        door.h2.send(frame(DATA, 0, 1, piece))
        sent += most
    door.h2.until(lambda: door.h2.goaways or door.h2.stream(1).over)
    assert not took(door, door.h2.stream(1))
    assert door.site.w.metric("otelcol_process_memory_rss") < 200e6


# --- 62: sizes, numbers, states ---------------------------------------------

WRONG = {
    "oversize DATA": (lambda d: frame(DATA, 0, 1, length=(1 << 24) - 1), FRAME_SIZE_ERROR),
    "oversize HEADERS": (lambda d: frame(HEADERS, 4, 1, length=(1 << 24) - 1),
                         FRAME_SIZE_ERROR),
    "PING of 7 bytes": (lambda d: frame(PING, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    "SETTINGS of 5 bytes": (lambda d: frame(SETTINGS, 0, 0, bytes(5)), FRAME_SIZE_ERROR),
    "SETTINGS ack with a body": (lambda d: frame(SETTINGS, ACK, 0, bytes(6)),
                                 FRAME_SIZE_ERROR),
    "RST_STREAM of 3 bytes": (lambda d: frame(RST_STREAM, 0, 1, bytes(3)),
                              FRAME_SIZE_ERROR),
    "WINDOW_UPDATE of 5 bytes": (lambda d: frame(WINDOW_UPDATE, 0, 0, bytes(5)),
                                 FRAME_SIZE_ERROR),
    "SETTINGS on a stream": (lambda d: frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
    "PING on a stream": (lambda d: frame(PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "GOAWAY on a stream": (lambda d: frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "DATA on stream 0": (lambda d: frame(DATA, 0, 0, b"x"), PROTOCOL_ERROR),
    "HEADERS on stream 0": (lambda d: frame(HEADERS, 5, 0, block(d)), PROTOCOL_ERROR),
    "an even stream": (lambda d: frame(HEADERS, 5, 2, block(d)), PROTOCOL_ERROR),
    "falling streams": (lambda d: frame(HEADERS, 4, 9, block(d))
                        + frame(HEADERS, 4, 7, block(d)), None),
    "DATA on an idle stream": (lambda d: frame(DATA, 0, 5, b"x"), PROTOCOL_ERROR),
    "RST_STREAM of an idle stream": (lambda d: frame(RST_STREAM, 0, 5, bytes(4)),
                                     PROTOCOL_ERROR),
    "WINDOW_UPDATE of an idle stream": (lambda d: frame(WINDOW_UPDATE, 0, 5, b"\0\0\0\1"),
                                        PROTOCOL_ERROR),
    "PUSH_PROMISE": (lambda d: frame(PUSH_PROMISE, 4, 1, b"\0\0\0\2" + block(d)),
                     PROTOCOL_ERROR),
    "CONTINUATION of nothing": (lambda d: frame(CONTINUATION, 4, 1, block(d)),
                                PROTOCOL_ERROR),
    "DATA within headers": (lambda d: frame(HEADERS, 0, 1, block(d))
                            + frame(DATA, 1, 1, b"x"), PROTOCOL_ERROR),
    "a stream that depends on itself": (
        lambda d: frame(HEADERS, 4 | 32, 1, b"\0\0\0\1\0" + block(d)), None),
    "a setting out of range": (lambda d: frame(SETTINGS, 0, 0, b"\0\5\0\0\0\1"),
                               PROTOCOL_ERROR),
    "a window of 2^31": (lambda d: frame(SETTINGS, 0, 0, b"\0\4\x80\0\0\0"),
                         FLOW_CONTROL_ERROR),
    "no window at all": (lambda d: frame(WINDOW_UPDATE, 0, 0, bytes(4)), PROTOCOL_ERROR),
    # 65
    "padding past the frame": (lambda d: frame(HEADERS, 4, 1, block(d))
                               + frame(DATA, PADDED, 1, b"\xffx"), PROTOCOL_ERROR),
    "headers that are padding": (lambda d: frame(HEADERS, 4 | PADDED, 1, b"\x05abc"),
                                 PROTOCOL_ERROR),
}


@pytest.mark.parametrize("what", WRONG)
def test_row_62_65_frames_that_cannot_be_end_the_connection(door, what):
    make, code = WRONG[what]
    door.h2.send(make(door))
    if code is None:       # not an error of the connection for everyone
        door.h2.send(frame(PING, 0, 0, bytes(8)))
        door.h2.until(lambda: door.h2.goaways or door.h2.pongs)
        assert door.h2.goaways == [] or door.h2.goaways[-1][1] == PROTOCOL_ERROR
    else:
        assert door.h2.end() == [code]
    assert door.site.is_empty()


def test_row_62_unknown_frames_and_settings_are_passed_over(door):
    door.h2.send(frame(0xf7, 0xff, 0, b"what?")
                 + frame(SETTINGS, 0, 0, b"\xab\xcd\0\0\0\1"))
    assert door.knock("traces", HELLO) == OK


def test_row_62_data_behind_the_end_of_a_stream(door):
    number = next(door.h2.ids)
    door.h2.headers(number, door.headers("traces"), END_HEADERS)
    door.h2.send(frame(DATA, END_STREAM, number, body_of(door))
                 + frame(DATA, END_STREAM, number, body_of(door)))
    door.h2.until(lambda: door.h2.stream(number).over or door.h2.goaways)
    assert door.h2.stream(number).reset in (None, STREAM_CLOSED, NO_ERROR)
    eventually(lambda: door.site.w.metric("otelcol_receiver_accepted_spans") in (None, 0, 1))


# --- 63 - 67: requests --------------------------------------------------------

def test_row_63_the_hundred_and_first_stream_is_refused_and_harmless(door):
    assert door.h2.settings[3] == 100
    numbers = [next(door.h2.ids) for _ in range(101)]
    for number in numbers:
        door.h2.send(frame(HEADERS, END_HEADERS, number, block(door)))
    last = door.h2.stream(numbers[-1])
    door.h2.until(lambda: last.over or door.h2.goaways)
    assert last.reset == REFUSED_STREAM
    for number in numbers[:-1]:
        door.h2.data(number, body_of(door))
    door.h2.until(lambda: all(door.h2.stream(n).over for n in numbers))
    assert all(took(door, door.h2.stream(n)) for n in numbers[:-1])


def test_row_63_ten_thousand_streams_end_the_connection(door):
    for start in range(0, 10_000, 500):
        door.h2.send(b"".join(frame(HEADERS, END_HEADERS, next(door.h2.ids), block(door))
                              for _ in range(500)))
        if door.h2.closed:
            break
    codes = door.h2.end()
    assert codes[-1] in (ENHANCE_YOUR_CALM, PROTOCOL_ERROR)
    refused = [s.reset for s in door.h2.streams.values() if s.over]
    assert set(refused) <= {REFUSED_STREAM}


@pytest.mark.parametrize("length", ["0", "1", "999999", "-1", "x", "18446744073709551617"])
def test_row_64_a_content_length_that_is_not_the_length(door, length):
    number = next(door.h2.ids)
    door.h2.headers(number, [*door.headers("traces"), ("content-length", length)],
                    END_HEADERS)
    door.h2.send(frame(DATA, END_STREAM, number, body_of(door)))
    door.h2.until(lambda: door.h2.stream(number).over or door.h2.goaways)
    stream = door.h2.stream(number)
    assert stream.reset == PROTOCOL_ERROR or stream.header(":status") in ("400", "413")
    assert door.site.is_empty()
    assert door.knock("traces", HELLO) == OK


def test_row_65_padding_is_charged_to_flow_control(door):
    """Half a megabyte of padding carries a request, and its window comes back."""
    number = next(door.h2.ids)
    door.h2.headers(number, door.headers("traces"), END_HEADERS)
    for _ in range(2000):
        door.h2.send(frame(DATA, PADDED, number, b"\xff" + bytes(255)))
        if door.h2.closed:
            break
    if not door.h2.closed:
        door.h2.data(number, body_of(door))
    door.h2.until(lambda: door.h2.stream(number).over or door.h2.goaways)
    assert took(door, door.h2.stream(number)) \
        or door.h2.goaways[-1][1] == ENHANCE_YOUR_CALM


def test_row_66_a_drain_answers_or_names_every_request(door):
    """GOAWAY says which stream was the last; those before are answered."""
    w = door.site.w
    begun = [next(door.h2.ids) for _ in range(5)]
    for number in begun:
        door.h2.headers(number, door.headers("traces"), END_HEADERS)
    assert door.h2.alive()
    w.process.terminate()
    door.h2.until(lambda: door.h2.goaways)
    for number in begun:
        door.h2.data(number, body_of(door))
    late = next(door.h2.ids)
    door.h2.headers(late, door.headers("traces"), END_HEADERS)
    door.h2.data(late, body_of(door))
    door.h2.end()
    last = door.h2.goaways[-1][0]
    answered = [n for n in begun + [late] if door.h2.stream(n).ended]
    assert all(n in answered for n in begun + [late] if n <= last), door.h2.goaways
    assert all(door.h2.stream(n).ended for n in begun)
    assert w.process.wait(PATIENCE) == 0
    taken = sum(took(door, door.h2.stream(n)) for n in answered)
    assert len(door.site.there.spans) == taken
    door.site.serves = lambda _: None       # it has gone


@pytest.mark.parametrize("body", [b"", body_of(Grpc.__new__(Grpc)) * 2],
                         ids=["none", "two"])
def test_row_67_a_unary_call_has_one_message(site, body):
    s = site()
    door = Grpc(s.w)
    stream = door.call("traces", body)
    assert stream.header("grpc-status") == "12"
    assert s.is_empty()
    s.serves(door)
    door.close()


def test_row_67_a_request_that_does_not_end_is_ended_by_its_deadline(site):
    s = site()
    door = Grpc(s.w)
    number = next(door.h2.ids)
    door.h2.headers(number, door.headers("traces", ("grpc-timeout", "50m")), END_HEADERS)
    door.h2.data(number, body_of(door), end=False)
    door.h2.until(lambda: door.h2.stream(number).over)
    assert door.h2.stream(number).header("grpc-status") == "4"
    assert s.is_empty()
    s.serves(door)
    door.close()
