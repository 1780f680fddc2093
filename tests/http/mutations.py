"""Small changes to messages, of the kinds that readers of HTTP have disagreed about."""

import random
from collections.abc import Callable

PIECES = (b"\r", b"\n", b"\r\n", b" ", b"\t", b"\x00", b"\x0b", b":", b",", b";", b"0", b"-", b"_", b"\x80", b"%", b"/",
          b"chunked", b"\r\n ", b"HTTP/1.1", b"close", b"a")

LINES = (b"Host: b\r\n", b"host:b\r\n", b"Content-Length: 1\r\n", b"Content-Length: 0\r\n", b"Content_Length: 3\r\n",
         b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"transfer-encoding:\tchunked\t\r\n",
         b"Connection: close\r\n", b"Connection: x-a, transfer-encoding\r\n", b"Connection: upgrade\r\n", b"X-A: 1\r\n",
         b"Upgrade: websocket\r\n", b"TE: trailers\r\n", b"Expect: 100-continue\r\n", b"X-Forwarded-For: 1.1.1.1\r\n",
         b"Trailer: Content-Length\r\n", b"Cookie: a=b; c\r\n", b"Max-Forwards: 0\r\n", b"A:\x80\xff\r\n", b"B:\r\n")


def insert_piece(chosen: random.Random, data: bytes) -> bytes:
    at = chosen.randrange(len(data) + 1)
    return data[:at] + chosen.choice(PIECES) + data[at:]


def change_byte(chosen: random.Random, data: bytes) -> bytes:
    at = chosen.randrange(len(data) + 1)
    return data[:at] + bytes([chosen.randrange(256)]) + data[at + 1:]


def cut(chosen: random.Random, data: bytes) -> bytes:
    at = chosen.randrange(len(data) + 1)
    return data[:at] + data[at + chosen.randint(1, 20):]


def change_case(chosen: random.Random, data: bytes) -> bytes:
    at, size = chosen.randrange(len(data) + 1), chosen.randint(1, 20)
    return data[:at] + data[at:at + size].swapcase() + data[at + size:]


def insert_line(chosen: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.insert(chosen.randint(1, max(1, len(lines) - 1)), chosen.choice(LINES))
    return b"".join(lines)


def repeat_line(chosen: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    lines.insert(chosen.randint(0, len(lines)), chosen.choice(lines))
    return b"".join(lines)


def drop_line(chosen: random.Random, data: bytes) -> bytes:
    lines = data.splitlines(keepends=True)
    del lines[chosen.randrange(len(lines))]
    return b"".join(lines)


CHANGES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    insert_line, insert_line, insert_line, insert_line, repeat_line, drop_line, change_case, insert_piece, change_byte,
    cut)


def mutated(chosen: random.Random, data: bytes) -> bytes:
    """The data with one to three changes."""
    for _ in range(chosen.randint(1, 3)):
        data = chosen.choice(CHANGES)(chosen, data) if data else data
    return data
