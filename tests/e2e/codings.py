# SPDX-License-Identifier: Apache-2.0
"""Compressed forms, written by hand where Python has no library for them.
Nothing here makes bytes fewer, but for the bombs: the form is what counts."""
import gzip
import struct
import zlib

from by_hand import varint

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
SNAPPY_MAGIC = b"\xff\x06\0\0sNaPpY"
LZ4_MAGIC = b"\x04\x22\x4d\x18"
MASK = 0xffffffff


def zstd(body, descriptor=0, rest=bytes([13 << 3])):
    """One frame of raw blocks; window 8 MiB, no content size."""
    blocks = [body[i:i + 0x10000] for i in range(0, len(body), 0x10000)] or [b""]
    return ZSTD_MAGIC + bytes([descriptor]) + rest + b"".join(
        ((len(b) << 3) | (i == len(blocks) - 1)).to_bytes(3, "little") + b
        for i, b in enumerate(blocks))


def zstd_of_zeros(n, descriptor=0, rest=bytes([13 << 3])):
    """n zeros, 128 KiB in each block of 4 bytes: 32,768 to 1."""
    n >>= 17
    return ZSTD_MAGIC + bytes([descriptor]) + rest + b"".join(
        (1 << 17 << 3 | 1 << 1 | (i == n - 1)).to_bytes(3, "little") + b"\0"
        for i in range(n))


def snappy_block(body, declared=None):
    """Literals of up to 256 bytes."""
    out = varint(len(body) if declared is None else declared)
    for i in range(0, len(body), 256):
        piece = body[i:i + 256]
        out += b"\xf0" + bytes([len(piece) - 1]) + piece
    return out


def crc32c(data):
    crc = MASK
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ MASK


def snappy_framed(body):
    out = SNAPPY_MAGIC
    for i in range(0, len(body), 65536):
        piece = body[i:i + 65536]
        crc = crc32c(piece)
        masked = ((crc >> 15 | crc << 17) + 0xa282ead8) & MASK
        chunk = struct.pack("<I", masked) + piece
        out += b"\x01" + len(chunk).to_bytes(3, "little") + chunk
    return out


def xxh32(data):
    """Of less than 16 bytes, seed 0."""
    h = 374761393 + len(data)
    while len(data) >= 4:
        h = h + int.from_bytes(data[:4], "little") * 3266489917 & MASK
        h = (h << 17 | h >> 15) * 668265263 & MASK
        data = data[4:]
    for byte in data:
        h = h + byte * 374761393 & MASK
        h = (h << 11 | h >> 21) * 2654435761 & MASK
    h = (h ^ h >> 15) * 2246822519 & MASK
    h = (h ^ h >> 13) * 3266489917 & MASK
    return h ^ h >> 16


def lz4(body, declared=None):
    """A frame of blocks that are not compressed."""
    descriptor = (b"\x60\x40" if declared is None
                  else b"\x68\x40" + struct.pack("<Q", declared))
    out = LZ4_MAGIC + descriptor + bytes([xxh32(descriptor) >> 8 & 0xff])
    for i in range(0, len(body), 65536):
        piece = body[i:i + 65536]
        out += struct.pack("<I", len(piece) | 1 << 31) + piece
    return out + bytes(4)


CODINGS = {"gzip": gzip.compress, "zstd": zstd, "zlib": zlib.compress,
           "deflate": zlib.compress, "snappy": snappy_block,
           "x-snappy-framed": snappy_framed, "lz4": lz4}
