# SPDX-License-Identifier: Apache-2.0
"""Section A of the catalogue of attacks: sizes and compression.  Numbers are
rows of the catalogue."""
import gzip
import struct

import pytest

from by_hand import field, nested
from codings import (LZ4_MAGIC, SNAPPY_MAGIC, ZSTD_MAGIC, lz4, snappy_block,
                     snappy_framed, zstd, zstd_of_zeros)
from conftest import BUILD, eventually, spans
from doors import (BROKEN, NO_CODING, OK, TOO_BIG, Grpc, Http1,  # noqa: F401
                   house, knock_at, site)

HELLO = spans(1).SerializeToString()


def test_row_02_one_byte_over_the_cap_is_too_big_and_the_cap_is_not(site, knock_at):
    s = site(cap_mib=1, exporters="    max_request_bytes: 8MB\n")
    door = knock_at(s.w)

    def request(size):
        body = nested((1, 2, 2), field(5, b"n" * (size - 20)))
        return nested((1, 2, 2), field(5, b"n" * (size - 20 + size - len(body))))
    assert len(request(1 << 20)) == 1 << 20
    assert door.knock("traces", request(1 << 20)) == OK
    assert door.knock("traces", request((1 << 20) + 1)) == TOO_BIG
    assert s.refusals("too_big") == 1
    assert s.w.metric("otelcol_receiver_accepted_spans") == 1
    s.serves(door)


def test_row_03_a_prefix_that_promises_4_gib_is_refused_at_its_fifth_byte(site):
    s = site()
    door = Grpc(s.w)
    before = s.w.metric("otelcol_process_memory_rss")
    number = next(door.h2.ids)
    door.h2.headers(number, door.headers("traces"), 4)
    door.h2.data(number, b"\0\xff\xff\xff", end=False)
    assert door.h2.alive() and not door.h2.stream(number).over
    door.h2.data(number, b"\xff", end=False)
    door.h2.until(lambda: door.h2.stream(number).over)
    assert door.meaning("traces", door.h2.stream(number)) == TOO_BIG
    assert s.refusals("too_big") == 1
    assert s.w.metric("otelcol_process_memory_rss") - before < 8e6
    s.serves(door)
    door.close()


BOMBS = {
    "row 4: gzip": ("gzip", lambda: gzip.compress(bytes(64 << 20), 9)),
    "row 4: gzip in two members": ("gzip", lambda: 2 * gzip.compress(bytes(3 << 20), 9)),
    "row 5: zstd": ("zstd", lambda: zstd_of_zeros(1 << 30)),
    "row 5: zstd that declares its size": ("zstd", lambda: zstd_of_zeros(
        1 << 30, 0xc0, bytes([13 << 3]) + struct.pack("<Q", 1 << 30))),
}


@pytest.mark.parametrize("what", BOMBS)
def test_row_04_05_a_bomb_stops_at_the_cap(site, knock_at, what):
    s = site()
    door = knock_at(s.w)
    coding, bomb = BOMBS[what]
    before = s.w.metric("otelcol_process_memory_rss")
    assert door.knock("traces", bomb(), coding) == TOO_BIG
    assert s.refusals("too_big") == 1
    assert s.w.metric("otelcol_process_memory_rss") - before < 64e6
    s.serves(door)


HUGE = {
    "a snappy block": ("snappy", snappy_block(HELLO, declared=(1 << 32) - 1)),
    "a snappy block, just over the cap": ("snappy", snappy_block(HELLO, (4 << 20) + 1)),
    "a snappy block of 2^40": ("snappy", snappy_block(HELLO, 1 << 40)),
    "an lz4 frame": ("lz4", lz4(HELLO, declared=1 << 40)),
    "an lz4 block": ("lz4", LZ4_MAGIC + b"\x60\x40\x82\xff\xff\xff\x7f" + HELLO),
    "a snappy chunk": ("x-snappy-framed", SNAPPY_MAGIC + b"\0\xff\xff\xff" + HELLO),
}


@pytest.mark.parametrize("what", HUGE)
def test_row_07_a_huge_length_is_compared_before_anything_is_allocated(site, what):
    s = site()
    door = Http1(s.w)
    coding, body = HUGE[what]
    before = s.w.metric("otelcol_process_memory_rss")
    assert door.knock("traces", body, coding) in (TOO_BIG, BROKEN)
    assert s.is_empty()
    assert s.w.metric("otelcol_process_memory_rss") - before < 8e6
    s.serves(door)
    door.close()


def test_row_07_a_snappy_block_over_the_cap_is_too_big(site):
    s = site()
    door = Http1(s.w)
    assert door.knock("traces", snappy_block(HELLO, (4 << 20) + 1), "snappy") == TOO_BIG
    assert door.knock("traces", SNAPPY_MAGIC + 80 * snappy_framed(bytes(65536))[10:], "x-snappy-framed") == TOO_BIG
    assert door.knock("traces", lz4(bytes(5 << 20)), "lz4") == TOO_BIG
    door.close()


def test_row_07_framed_snappy_stops_at_the_cap_over_grpc_too(site):
    s = site()
    door = Grpc(s.w)
    bomb = SNAPPY_MAGIC + 80 * snappy_framed(bytes(65536))[10:]
    assert door.knock("traces", bomb, "snappy") == TOO_BIG
    huge = SNAPPY_MAGIC + b"\0\xff\xff\xff" + HELLO
    assert door.knock("traces", huge, "snappy") == BROKEN
    assert door.knock("traces", snappy_framed(HELLO), "snappy") == OK
    s.serves(door)
    door.close()


BROKEN_BYTES = {
    # the window of a frame that needs none of it
    "row 6: a zstd window of 128 MiB": ("zstd", zstd(HELLO, 0, bytes([17 << 3]))),
    "row 6: a zstd window of 2 GiB": ("zstd", zstd(HELLO, 0, bytes([21 << 3]))),
    "row 8: gzip, cut": ("gzip", gzip.compress(HELLO)[:-9]),
    "row 8: gzip, without its length": ("gzip", gzip.compress(HELLO)[:-1]),
    "row 8: gzip, a wrong CRC":
        ("gzip", gzip.compress(HELLO)[:-8] + b"\1\2\3\4" + gzip.compress(HELLO)[-4:]),
    "row 8: gzip, bytes behind it": ("gzip", gzip.compress(HELLO) + b"more"),
    "row 8: gzip of nothing at all": ("gzip", b"\x1f\x8b"),
    "row 8: not gzip": ("gzip", HELLO),
    "row 8: zstd, cut": ("zstd", zstd(HELLO)[:-1]),
    "row 8: zstd, bytes behind it": ("zstd", zstd(HELLO) + b"more"),
    "row 8: zstd, a bad block": ("zstd", ZSTD_MAGIC + b"\0\x68\7\0\0"),
    "row 8: zstd with a dictionary": ("zstd", zstd(HELLO, 1, bytes([13 << 3, 7]))),
    "row 8: zstd, a flood of skippable frames":
        ("zstd", (b"\x50\x2a\x4d\x18" + bytes(4)) * 100_000),
}


@pytest.mark.parametrize("what", BROKEN_BYTES)
def test_row_06_08_broken_compression_is_refused(site, knock_at, what):
    s = site()
    door = knock_at(s.w)
    coding, body = BROKEN_BYTES[what]
    assert door.knock("traces", body, coding) == BROKEN
    assert s.is_empty() and s.refusals("compression") == 1
    s.serves(door)


def test_row_06_a_window_does_not_grow_with_the_cap(site, knock_at):
    s = site(cap_mib=64)
    door = knock_at(s.w)
    assert door.knock("traces", zstd(HELLO, 0, bytes([14 << 3])), "zstd") == BROKEN
    assert s.is_empty() and s.refusals("compression") == 1
    assert door.knock("traces", zstd(HELLO), "zstd") == OK
    s.serves(door)


@pytest.mark.parametrize("coding,body", [
    ("gzip", gzip.compress(HELLO[:40]) + gzip.compress(HELLO[40:])),
    ("zstd", zstd(HELLO[:40]) + zstd(HELLO[40:])),
], ids=["gzip", "zstd"])
def test_row_08_members_are_one_request(site, knock_at, coding, body):
    s = site()
    assert knock_at(s.w).knock("traces", body, coding) == OK
    s.there.until(lambda: len(s.there.spans) == 1)


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip,gzip", "br", "GZIP", "compress"])
def test_row_09_10_codings_that_are_unknown_or_stacked_are_refused(
        site, knock_at, coding):
    s = site()
    door = knock_at(s.w)
    twice = gzip.compress(gzip.compress(HELLO))
    assert door.knock("traces", twice, coding) == NO_CODING
    assert {"gzip", "zstd"} <= set(door.known.replace(" ", "").split(","))
    assert s.is_empty()
    s.serves(door)


@pytest.mark.parametrize("flag,coding", [(1, None), (2, "gzip"), (255, None)])
def test_row_11_a_message_flag_that_cannot_be(site, flag, coding):
    s = site()
    door = Grpc(s.w)
    stream = door.call("traces", struct.pack(">BI", flag, len(HELLO)) + HELLO,
                       *([("grpc-encoding", coding)] if coding else []))
    assert door.meaning("traces", stream) == BROKEN
    assert s.refusals("compression") == 1
    s.serves(door)
    door.close()


@pytest.mark.skipif(BUILD.name == "thread", reason="ThreadSanitizer's shadow "
                    "memory alone is above the limit that memory_limiter keeps")
def test_row_12_many_requests_just_under_the_cap_stay_inside_the_budget(
        site, knock_at):
    """Each connection sends all but its last byte.  What does not fit is told
    to come again; what is taken back makes room."""
    s = site(cap_mib=4, processors="  memory_limiter: {check_interval: 50ms,"
             " limit_mib: 96, spike_limit_mib: 16}\n", chain="[memory_limiter]",
             service="  workers: 1")
    first = knock_at(s.w)
    size = 1_500_000
    body = nested((1, 2, 2), field(5, b"n" * size))
    doors = [type(first)(s.w) for _ in range(100)]
    for door in doors:
        door.begin("traces", body[:-1], len(body))
    # some were refused while they came, and the process did not grow
    eventually(lambda: s.refusals("memory"), "refusals")
    assert s.w.metric("weir_budget_used_bytes") < 96 << 20
    assert s.w.metric("otelcol_process_memory_rss") < 200e6
    for door in doors:
        door.close()
    eventually(lambda: s.w.metric("weir_budget_used_bytes") in (None, 0.0),
               "everything given back")
    last = type(first)(s.w)     # until the limiter has looked again
    eventually(lambda: last.knock("traces", HELLO) == OK, "a request taken")
    last.close()
    s.serves(first)
