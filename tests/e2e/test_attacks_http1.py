# SPDX-License-Identifier: Apache-2.0
"""Section D of the catalogue of attacks: HTTP/1.1 as it should not be.  Numbers
are rows of the catalogue.

The waits of rows 39 to 41 are configured short here; that they exist without a
word in the configuration is proved with a clock of its own in
tests/unit/kit/test_http_server.c."""
import socket
import threading

import pytest

from by_hand import H1, post
from conftest import eventually, spans
from doors import OK, Http1, house, site  # noqa: F401 (a fixture)

HELLO = spans(1).SerializeToString()
HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
GOOD = post("/v1/traces", HELLO)


@pytest.fixture
def door(site):
    s = site()
    d = Http1(s.w)
    d.site = s
    yield d
    d.close()
    s.serves(d)


def refused(door, said, *statuses):
    """The answer to what was said, after which the server has closed."""
    door.h1.send(said)
    r = door.h1.response()
    assert r.status in statuses, (r.status, r.body)
    assert r.header("connection") == "close" and door.h1.is_closed()
    return r


# --- 1, 2: sizes ------------------------------------------------------------

def test_row_01_a_length_over_the_cap_is_413_before_the_body(door):
    before = door.site.w.metric("otelcol_process_memory_rss")
    door.h1.send(post("/v1/traces", length=(4 << 20) + 1))
    r = door.h1.response()
    assert r.status == 413 and r.header("connection") == "close"
    assert r.header("content-type") == "application/x-protobuf" and r.body[:2] == b"\x08\x08"
    assert door.site.refusals("too_big") == 1
    assert door.site.w.metric("otelcol_process_memory_rss") - before < 2e6


def test_row_02_chunks_are_counted_and_cut_at_the_cap(door):
    door.h1.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    piece = b"%x\r\n" % (1 << 20) + bytes(1 << 20) + b"\r\n"
    for _ in range(4):
        door.h1.send(piece)
    door.h1.send(b"1\r\n\0\r\n")        # the byte that is too much
    r = door.h1.response()
    assert r.status == 413 and r.header("connection") == "close"
    assert door.site.is_empty()


# --- 39 - 41: time ----------------------------------------------------------

def test_row_39_a_head_that_does_not_end_is_408(site):
    s = site(http="read_header_timeout: 200ms")
    with H1(s.w.env["HTTP"]) as h1:
        h1.send(HEAD)
        r = h1.response()
        assert r.status == 408 and h1.is_closed()
    s.serves(Http1(s.w))


@pytest.mark.parametrize("said", [b"", b"P", b"POST /v1/tra"])
def test_row_39_a_peer_that_says_nothing_is_closed(site, said):
    s = site(http="read_header_timeout: 200ms")
    with H1(s.w.env["HTTP"]) as h1:
        h1.send(said)
        assert h1.response() is None or h1.is_closed()


def test_row_40_a_body_that_does_not_come_is_408(site):
    s = site(http="read_timeout: 300ms")
    with H1(s.w.env["HTTP"]) as h1:
        h1.send(GOOD[:-1])
        r = h1.response()
        assert r.status == 408 and h1.is_closed()
    assert s.is_empty() and s.refusals("deadline") == 1


def test_row_41_a_peer_that_does_not_read_is_left(site):
    s = site(http="write_timeout: 300ms")
    before = s.w.metric("otelcol_process_memory_rss")
    with socket.socket() as quiet:
        quiet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        quiet.connect(("127.0.0.1", int(s.w.env["HTTP"])))
        quiet.settimeout(30)
        try:
            for _ in range(200_000):
                quiet.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        except OSError:
            pass        # it has closed on us
        else:
            pytest.fail("it reads on and on")
    assert s.w.metric("otelcol_process_memory_rss") - before < 8e6
    s.serves(Http1(s.w))


def test_an_idle_connection_is_closed_after_idle_timeout(site):
    s = site(http="idle_timeout: 200ms")
    door = Http1(s.w)
    assert door.knock("traces", HELLO) == OK
    assert door.h1.is_closed()


# --- 42 - 45: what cannot be read --------------------------------------------

def with_headers(lines):
    return HEAD + lines + b"Content-Length: %d\r\n\r\n" % len(HELLO) + HELLO


@pytest.mark.parametrize("lines", [
    b"".join(b"X-%d: y\r\n" % i for i in range(101)),
    b"".join(b"X-%d: %s\r\n" % (i, b"v" * 1000) for i in range(17)),
    b"X: " + b"v" * 9000 + b"\r\n", b"X: " + b"v" * 1_000_000],
    ids=["101 headers", "17 KiB", "a line of 9 KB", "a line that does not end"])
def test_row_42_too_many_headers_are_431(door, lines):
    refused(door, with_headers(lines), 431)
    assert door.site.is_empty()


LENGTH = b"Content-Length: %d\r\n" % len(HELLO)
FRAMING = {
    "a length with chunks": LENGTH + b"Transfer-Encoding: chunked\r\n",
    "chunks with a length": b"Transfer-Encoding: chunked\r\n" + LENGTH,
    "two equal lengths": LENGTH * 2,
    "two lengths": LENGTH + b"Content-Length: 5\r\n",
    "a list of lengths": b"Content-Length: 5,5\r\n",
    "a sign": b"Content-Length: +5\r\n",
    "a negative length": b"Content-Length: -1\r\n",
    "2^64": b"Content-Length: 18446744073709551616\r\n",
    "a hexadecimal length": b"Content-Length: 0x5\r\n",
    "an empty length": b"Content-Length:\r\n",
    "a length with a blank": b"Content-Length: 5 5\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n",
    "chunked, identity": b"Transfer-Encoding: chunked, identity\r\n",
    "gzip, chunked": b"Transfer-Encoding: gzip, chunked\r\n",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    "chunked behind a tab": b"Transfer-Encoding:\x0bchunked\r\n",
    "obs-fold": b"X: a\r\n b\r\n" + LENGTH,
    "a blank before the colon": b"Content-Length : 5\r\n",
    "no colon": b"Content-Length\r\n",
    "a blank before the name": b" X: y\r\n" + LENGTH,
    "a bare line feed": b"X: y\n" + LENGTH,
    "a bare carriage return": b"X: y\rContent-Length: 5\r\n",
    "NUL": b"X: \0\r\n" + LENGTH,
    "two hosts": b"Host: y\r\n" + LENGTH,
}


@pytest.mark.parametrize("what", FRAMING)
def test_row_43_what_could_be_read_in_two_ways_is_400(door, what):
    refused(door, HEAD + FRAMING[what] + b"\r\n" + HELLO + GOOD, 400, 501)
    assert door.site.is_empty()


CHUNKS = {
    "a size that wraps": b"FFFFFFFFFFFFFFED\r\n",
    "17 digits": b"00000000000000001\r\nx\r\n0\r\n\r\n",
    "a sign": b"+1\r\nx\r\n0\r\n\r\n",
    "a negative size": b"-1\r\nx\r\n0\r\n\r\n",
    "0x": b"0x1\r\nx\r\n0\r\n\r\n",
    "a blank": b" 1\r\nx\r\n0\r\n\r\n",
    "no size": b"\r\nx\r\n0\r\n\r\n",
    "a bare line feed": b"1\nx\n0\n\n",
    "a line feed behind data": b"1\r\nx\n0\r\n\r\n",
    "no line end behind data": b"1\r\nxy\r\n0\r\n\r\n",
    "an extension flood": b"1;" + b"a" * 100_000,
    "a trailer flood": b"0\r\n" + b"X: y\r\n" * 10_000,
    "a bad trailer": b"0\r\nX y\r\n\r\n",
}


@pytest.mark.parametrize("what", CHUNKS)
def test_row_44_chunks_that_are_none_are_400(door, what):
    refused(door, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS[what], 400, 413, 431)
    assert door.site.is_empty()


def test_row_44_a_missing_last_chunk_is_no_request(door):
    door.h1.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(HELLO)
                 + HELLO + b"\r\n")
    door.h1.half_close()
    r = door.h1.response()
    assert r is None or r.status == 400
    assert door.site.is_empty()


def chunked(body, size):
    return b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + size]), body[i:i + size])
                    for i in range(0, len(body), size)) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_chunks_of_any_size_are_one_request(door, size):
    door.h1.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(HELLO, size)
                 + HEAD + b"Transfer-Encoding: Chunked\r\n\r\n" + chunked(HELLO, 5))
    assert door.h1.response().status == 200
    assert door.h1.response().status == 200
    door.site.there.until(lambda: len(door.site.there.spans) == 2)


@pytest.mark.parametrize("line,status", [
    (b"POST /v1/tr\0aces HTTP/1.1\r\n", 400), (b"POST /v1/traces\rHTTP/1.1\r\n", 400),
    (b"POST /v1/traces HTTP/1.1 \r\n", 400), (b"POST  /v1/traces HTTP/1.1\r\n", 400),
    (b"P(ST /v1/traces HTTP/1.1\r\n", 400),
    (b"POST v1/traces HTTP/1.1\r\n", 400), (b"POST /%s HTTP/1.1\r\n" % (b"a" * 65536), 414),
    (b"POST /v1/traces HTTP/9.9\r\n", 505), (b"POST /v1/traces HTTP/1.10\r\n", 400),
    (b"POST /v1/traces http/1.1\r\n", 400), (b"POST /v1/traces HTTP/2.0\r\n", 505)],
    ids=lambda x: "" if isinstance(x, int) else repr(x[:30]))
def test_row_45_a_request_line_that_is_none(door, line, status):
    refused(door, line + b"Host: x\r\nContent-Length: 0\r\n\r\n", status)


def test_row_45_an_absolute_form_is_handled(door):
    door.h1.send(GOOD.replace(b"/v1/traces", b"http://x/v1/traces"))
    assert door.h1.response().status == 200


def test_row_45_http_0_9_is_closed(door):
    door.h1.send(b"GET /v1/traces\r\n")
    assert door.h1.response() is None


def test_row_45_no_host_is_400_and_http_1_0_needs_none(door):
    refused(door, GOOD.replace(b"Host: x\r\n", b""), 400)
    old = Http1(door.site.w)
    old.h1.send(GOOD.replace(b"Host: x\r\n", b"").replace(b"HTTP/1.1", b"HTTP/1.0"))
    r = old.h1.response()
    assert r.status == 200 and old.h1.is_closed()
    old.close()


# --- 46 - 51: requests that are understood and refused ------------------------

@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "NONSENSE"])
def test_row_46_another_method_is_405_and_says_which(door, method):
    door.h1.send(GOOD.replace(b"POST", method.encode()))
    r = door.h1.response()
    assert r.status == 405 and r.header("allow") == "POST"
    assert door.site.is_empty()


def test_row_46_head_is_405_without_a_body(door):
    door.h1.send(GOOD.replace(b"POST", b"HEAD"))
    r = door.h1.response(head=True)
    assert r.status == 405 and r.header("allow") == "POST"
    assert door.h1.is_closed() if r.header("connection") == "close" else True


@pytest.mark.parametrize("path", ["/", "//", "/v1/traces/", "//v1/traces/", "/v1/Traces", "/v1",
                                  "/v1/traces/x", "/v1%2Ftraces", "/v1/%2e/traces", "/v1/..",
                                  "/v1/profiles", "/v1/traces%00", "/v1/traces%0d%0a"])
def test_row_46_another_path_is_404(door, path):
    door.h1.send(post(path, HELLO))
    assert door.h1.response().status == 404
    assert door.site.is_empty()


@pytest.mark.parametrize("path", ["/v1/%74races", "/%761/traces", "/v1/traces?x=%zz"])
def test_row_46_an_escaped_letter_is_that_letter(door, path):
    door.h1.send(post(path, HELLO))
    assert door.h1.response().status == 200


@pytest.mark.parametrize("path", ["/v1/traces%", "/v1/traces%2", "/v1/%zz"])
def test_row_46_an_escape_that_is_none_is_400(door, path):
    door.h1.send(post(path, HELLO))
    assert door.h1.response().status == 400
    assert door.site.is_empty()


@pytest.mark.parametrize("path", ["//v1/traces", "/./v1/traces", "/x/../v1//traces?token=x"])
def test_row_46_steps_to_one_of_ours_are_redirected(door, path):
    """As by the Collector; a client that follows sends it again.  Nothing of
    what was asked for is in the answer."""
    door.h1.send(post(path, HELLO))
    r = door.h1.response()
    assert (r.status, r.header("location"), r.body) == (307, "/v1/traces", b"")
    assert door.site.is_empty()


def test_row_46_a_query_is_not_part_of_the_path(door):
    door.h1.send(post("/v1/traces?token=x", HELLO))
    assert door.h1.response().status == 200


@pytest.mark.parametrize("line", [
    b"", b"Content-Type:\r\n", b"Content-Type: text/plain\r\n",
    b"Content-Type: application/x-protobufx\r\n", b"Content-Type: application/grpc\r\n",
    b"Content-Type: application/json\r\nContent-Type: application/x-protobuf\r\n",
    b"Content-Type: application/json, application/x-protobuf\r\n"])
def test_row_47_a_content_type_that_is_none_of_ours_is_415(door, line):
    door.h1.send(GOOD.replace(b"Content-Type: application/x-protobuf\r\n", line))
    r = door.h1.response()
    assert r.status == 415
    assert b"application/json, application/x-protobuf" in r.body
    assert door.site.is_empty() and door.site.refusals("media_type") == 1


@pytest.mark.parametrize("kind", ["application/x-protobuf; charset=utf-8",
                                  "APPLICATION/X-Protobuf", "application/x-protobuf ;a=b"])
def test_row_47_parameters_and_case_do_not_matter(door, kind):
    door.h1.send(post("/v1/traces", HELLO, kind))
    r = door.h1.response()
    assert r.status == 200 and r.header("content-type") == "application/x-protobuf"


def test_row_48_ten_thousand_pipelined_requests_are_answered_in_order(site):
    s = site(to="[nop]", exporters="  nop:\n")
    door = Http1(s.w)
    many, sizes = 10_000, []
    flood = b"".join(post("/v1/traces" if i % 3 else f"/none/{i}", HELLO)
                     for i in range(many))
    writer = threading.Thread(target=door.h1.send, args=(flood,))
    writer.start()
    for i in range(many):
        r = door.h1.response()
        sizes.append(r.status)
    writer.join()
    assert sizes == [200 if i % 3 else 404 for i in range(many)]
    accepted = sum(1 for i in range(many) if i % 3)
    assert s.w.metric("otelcol_receiver_accepted_spans", transport="http") == accepted
    assert s.w.metric("otelcol_process_memory_rss") < 150e6
    door.close()


def test_row_49_no_100_for_what_is_refused(door):
    door.h1.send(post("/v1/traces", b"", extra="Expect: 100-continue\r\n",
                      length=(4 << 20) + 1))
    assert door.h1.response().status == 413
    assert door.h1.is_closed()


def test_row_49_a_body_that_is_wanted_is_asked_for(door):
    door.h1.send(post("/v1/traces", b"", extra="Expect: 100-continue\r\n", length=len(HELLO)))
    assert door.h1.response().status == 100
    door.h1.send(HELLO)
    assert door.h1.response().status == 200


def test_row_49_another_expectation_is_417_or_ignored(door):
    door.h1.send(post("/v1/traces", HELLO, extra="Expect: the-unexpected\r\n"))
    assert door.h1.response().status in (200, 417)


@pytest.mark.parametrize("kind,status", [("application/x-protobuf", 200),
                                         ("application/json", 400)])
def test_row_50_a_body_of_no_bytes(door, kind, status):
    door.h1.send(post("/v1/traces", b"", kind))
    r = door.h1.response()
    assert r.status == status and r.header("content-type") == kind
    if status == 200:
        assert r.body == b""
    assert door.site.is_empty()


def test_row_51_an_upgrade_is_passed_over(door):
    upgrade = ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
               "HTTP2-Settings: AAMAAABkAAQAAP__\r\n")
    door.h1.send(post("/v1/traces", HELLO, extra=upgrade))
    assert door.h1.response().status == 200
    door.h1.send(GOOD)                # still HTTP/1.1
    assert door.h1.response().status == 200


@pytest.mark.parametrize("said", [
    b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", b"TRACE /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n",
    b"CONNECT /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd"])
def test_row_51_connect_and_trace_are_refused(door, said):
    r = refused(door, said, 400, 405, 501)
    assert b"Host" not in r.body


# --- 52: endings -------------------------------------------------------------

@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("cut", [10, 60, -1], ids=["in the line", "in the head", "in the body"])
def test_row_52_a_request_that_is_cut_is_thrown_away(door, how, cut):
    if how == "RST":
        door.h1.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    door.h1.send(GOOD[:cut])
    if how == "FIN":
        door.h1.half_close()
        r = door.h1.response()
        assert r is None or r.status == 400
    door.h1.close()
    eventually(lambda: door.site.w.metric("weir_budget_used_bytes") in (None, 0.0), "nothing held")
    assert door.site.is_empty()


def test_row_52_a_half_closed_peer_gets_its_answers(door):
    door.h1.send(GOOD * 3)
    door.h1.half_close()
    assert [door.h1.response().status for _ in range(3)] == [200] * 3
    assert door.h1.is_closed()
