# SPDX-License-Identifier: Apache-2.0
"""Bytes that no library would write: protobuf, HTTP/2 frames and HTTP/1.1 as
an attacker sends them.

Reading is strict and bounded by PATIENCE: an answer that does not come, or is
not well formed, fails the test.
"""
import itertools
import socket
import struct
import time

import hpack

from conftest import PATIENCE

# --- Protobuf --------------------------------------------------------------


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


def number_field(number, value):
    return varint(number << 3) + varint(value & (1 << 64) - 1)


def nested(path, body):
    """body as the message at these field numbers, outermost first."""
    for number in reversed(path):
        body = field(number, body)
    return body


# --- HTTP/2 ----------------------------------------------------------------

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = 0, 1, 2, 3, 4
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 5, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 1, 1, 4, 8, 32
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, _, STREAM_CLOSED,
 FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, _,
 ENHANCE_YOUR_CALM) = range(12)


def frame(kind, flags=0, stream=0, body=b"", length=None):
    """length: what the header says, when that is not the truth."""
    return (struct.pack(">I", len(body) if length is None else length)[1:]
            + bytes([kind, flags]) + struct.pack(">I", stream) + body)


def literal(name, value):
    """A header field that enters no table (RFC 7541 6.2.2)."""
    def text(t):
        t = t.encode() if isinstance(t, str) else t
        return (bytes([len(t)]) if len(t) < 127
                else b"\x7f" + varint(len(t) - 127)) + t
    return b"\0" + text(name) + text(value)


class Stream:
    """What came back on one stream."""

    def __init__(self):
        self.blocks = []       # lists of (name, value)
        self.data = b""
        self.ended = False
        self.reset = None      # an error code

    def header(self, name):
        return next((v for b in self.blocks for k, v in b if k == name), None)

    @property
    def over(self):
        return self.ended or self.reset is not None


class H2:
    """A client connection of which every byte is ours."""

    def __init__(self, port, settings=b"", hello=True, ack_settings=True):
        self.socket = socket.create_connection(("127.0.0.1", int(port)), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.inbox = b""
        self.streams = {}
        self.goaways = []      # (last stream, code, debug)
        self.pongs = 0
        self.settings = {}
        self.closed = False
        self.decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self.encoder = hpack.Encoder()
        self.windows = {0: 65535}
        self.ack_settings = ack_settings
        self.ids = itertools.count(1, 2)
        self.generous = True   # give the window of answers back
        if hello:
            self.send(PREFACE + frame(SETTINGS, body=settings))
            self.until(lambda: self.settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        """Into a connection that may be closed already: then it is over."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = self.closed or not self.inbox and not self._drain()

    def _drain(self):
        while self._read():
            pass
        return False

    def headers(self, stream, fields, flags=END_HEADERS | END_STREAM):
        block = self.encoder.encode(fields)
        self.send(frame(HEADERS, flags, stream, block))

    def data(self, stream, body, end=True):
        """DATA as flow control allows."""
        most = self.settings.get(5, 16384)
        at = 0
        while True:
            room = min(most, self.window(stream), self.window(0), len(body) - at)
            last = at + room == len(body)
            if room > 0 or not body:
                self.send(frame(DATA, END_STREAM if end and last else 0, stream,
                                body[at:at + room]))
                self.windows[0] -= room
                self.windows[stream] = self.window(stream) - room
                at += room
            if last or self.closed or self.stream(stream).over:
                return
            if not room:
                before = self.window(0), self.window(stream)
                self.until(lambda: before != (self.window(0), self.window(stream))
                           or self.stream(stream).over or self.goaways)
                if self.goaways:
                    return

    def window(self, stream):
        return self.windows.get(stream, self.settings.get(4, 65535) if stream else 0)

    def stream(self, number):
        return self.streams.setdefault(number, Stream())

    def _read(self):
        """One piece of what came; False at the end."""
        try:
            more = self.socket.recv(1 << 18)
        except ConnectionResetError:
            more = b""
        self.inbox += more
        while len(self.inbox) >= 9:
            length = int.from_bytes(self.inbox[:3], "big")
            if len(self.inbox) < 9 + length:
                break
            kind, flags = self.inbox[3:5]
            number = int.from_bytes(self.inbox[5:9], "big") & 0x7fffffff
            body, self.inbox = self.inbox[9:9 + length], self.inbox[9 + length:]
            self._take(kind, flags, number, body)
        self.closed = not more
        return bool(more)

    def _take(self, kind, flags, number, body):
        if kind == HEADERS:
            assert flags & END_HEADERS and not flags & (PADDED | PRIORITIZED)
            self.stream(number).blocks.append(
                [(k if isinstance(k, str) else k.decode(),
                  v if isinstance(v, str) else v.decode())
                 for k, v in self.decoder.decode(body)])
            self.stream(number).ended |= bool(flags & END_STREAM)
        elif kind == DATA:
            self.stream(number).data += body
            self.stream(number).ended |= bool(flags & END_STREAM)
            if body and self.generous:
                grant = struct.pack(">I", len(body))
                self.send(frame(WINDOW_UPDATE, 0, 0, grant)
                          + frame(WINDOW_UPDATE, 0, number, grant))
        elif kind == RST_STREAM:
            self.stream(number).reset = int.from_bytes(body, "big")
        elif kind == GOAWAY:
            last, code = struct.unpack(">II", body[:8])
            self.goaways.append((last & 0x7fffffff, code, body[8:]))
        elif kind == SETTINGS and not flags & ACK:
            for i in range(0, len(body), 6):
                key, value = struct.unpack(">HI", body[i:i + 6])
                self.settings[key] = value
            if self.ack_settings:
                self.send(frame(SETTINGS, ACK))
        elif kind == PING:
            if flags & ACK:
                self.pongs += 1
            else:
                self.send(frame(PING, ACK, 0, body))
        elif kind == WINDOW_UPDATE:
            self.windows[number] = self.window(number) + int.from_bytes(body, "big")

    def until(self, condition):
        """Reads until condition(), or the connection's end."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, \
                f"nothing came: {self.streams}, {self.goaways}"
            self.socket.settimeout(max(0.01, end - time.monotonic()))
            if not self._read():
                return self
        return self

    def end(self):
        """Reads until the server closes; the codes of its GOAWAYs."""
        self.until(lambda: False)
        return [code for _, code, _ in self.goaways]

    def alive(self):
        """A PING is answered: the connection has survived."""
        before = self.pongs
        self.send(frame(PING, 0, 0, b"are you?"))
        self.until(lambda: self.pongs > before)
        return not self.closed and self.pongs > before

    def ask(self, fields, body=None):
        """One request; its stream when it is over."""
        number = next(self.ids)
        self.headers(number, fields,
                     END_HEADERS | (END_STREAM if body is None else 0))
        if body is not None:
            self.data(number, body)
        self.until(lambda: self.stream(number).over or self.goaways)
        return self.stream(number)


# --- HTTP/1.1 --------------------------------------------------------------


class Response:
    def __init__(self, status, reason, headers, body):
        self.status, self.reason, self.headers, self.body = \
            status, reason, headers, body

    def header(self, name):
        return next((v for k, v in self.headers if k == name), None)


class H1:
    """A client connection of which every byte is ours."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", int(port)), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.inbox = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass               # what it said before is still to be read

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self):
        try:
            more = self.socket.recv(1 << 16)
        except ConnectionResetError:
            more = b""
        self.inbox += more
        return bool(more)

    def response(self, head=False):
        """The next response, 1xx included; None at the end.  head: of a HEAD
        request, without a body."""
        while b"\r\n\r\n" not in self.inbox:
            if not self._more():
                assert not self.inbox, self.inbox
                return None
        top, _, self.inbox = self.inbox.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        version, status, reason = first.split(" ", 2)
        assert version == "HTTP/1.1" and len(status) == 3, first
        headers = []
        for line in lines:
            name, colon, value = line.partition(":")
            assert colon and name and name == name.strip(), line
            headers.append((name.lower(), value.strip()))
        response = Response(int(status), reason, headers, b"")
        if response.status < 200 or response.status == 204 or head:
            return response
        length = response.header("content-length")
        assert length is not None, f"no length: {top!r}"
        while len(self.inbox) < int(length):
            assert self._more(), "cut in its body"
        response.body = self.inbox[:int(length)]
        self.inbox = self.inbox[int(length):]
        return response

    def is_closed(self):
        """Nothing more comes, and the server has closed."""
        while self._more():
            pass
        return not self.inbox


def post(path, body=b"", content_type="application/x-protobuf", extra="",
         length=None):
    """A request as a friendly client writes it."""
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\n"
            + (f"Content-Type: {content_type}\r\n" if content_type else "")
            + f"Content-Length: {len(body) if length is None else length}\r\n"
            + extra + "\r\n").encode() + body
