"""ClientHellos: those that real clients send, in every kind of pieces, and everything that is none."""

import contextlib
import random
import ssl
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.tls.client_hello import LONGEST, RECORD, RECORDS, ClientHello, HelloError, parse


def real(name: str | None = "App.Example.com", protocols: tuple[str, ...] = ("h2", "http/1.1"),
         version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    """The ClientHello of OpenSSL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = version
    if protocols:
        context.set_alpn_protocols(list(protocols))
    out = ssl.MemoryBIO()
    connection = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        connection.do_handshake()
    return out.read()


def vector(width: int, data: bytes) -> bytes:
    return len(data).to_bytes(width) + data


def extension(kind: int, data: bytes) -> bytes:
    return struct.pack("!H", kind) + vector(2, data)


def name_of(name: bytes) -> bytes:
    return extension(0, vector(2, b"\0" + vector(2, name)))


def message(extensions: bytes | None = b"", session: bytes = b"", suites: bytes = b"\x13\x01", rest: bytes = b"",
            version: bytes = b"\3\3") -> bytes:
    body = version + bytes(32) + vector(1, session) + vector(2, suites) + vector(1, b"\0")
    if extensions is not None:
        body += vector(2, extensions)
    return b"\1" + vector(3, body + rest)


def records(data: bytes, size: int = RECORD) -> bytes:
    return b"".join(b"\x16\3\1" + vector(2, data[at:at + size]) for at in range(0, len(data), size))


EXPECTED = ClientHello("app.example.com", (b"h2", b"http/1.1"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_openssl_sends(version: ssl.TLSVersion) -> None:
    hello = real(version=version)
    assert parse(hello) == parse(hello + b"more") == EXPECTED
    assert all(parse(hello[:size]) is None for size in range(len(hello)))


def test_without_name_or_protocols() -> None:
    assert parse(real(None, ())) == ClientHello()
    assert parse(records(message(None))) == ClientHello()


@pytest.mark.parametrize("size", [10, 100, 200])
def test_over_several_records(size: int) -> None:
    hello = records(real()[5:], size)
    assert parse(hello) == EXPECTED
    assert all(parse(hello[:end]) is None for end in range(len(hello)))


def test_a_long_one_with_room_to_spare() -> None:
    hello = records(message(name_of(b"a.b") + extension(21, bytes(20000))))
    assert parse(hello) == ClientHello("a.b")


@pytest.mark.parametrize("sent", [
    b"GET / HTTP/1.1\r\n", b"\x15\3\1\0\2\1\0", b"\x16\2\0", b"\x80\x2e\x01\x03\x01", b"\x16\3\1\0\0",
    b"\x16\3\1\x40\x01",
    b"\x16\3\1\0\x04\x02\0\0\0", b"\x16\3\1\0\1\0", b"\x16\3\1\0\4\1\xff\xff\xff", b"\0",
    records(message(rest=b"x")), records(message(session=bytes(33))), records(message(suites=b"\0\1\2")),
    records(message(suites=b"")), records(message(version=b"\2\3")), records(message(b"\0")),
    records(message(name_of(b"a") + name_of(b"b"))), records(message(name_of(b""))),
    records(message(name_of(b"a..b"))), records(message(name_of(b"a.."))), records(message(name_of(b"."))),
    records(message(name_of(b"a b"))), records(message(name_of(b"\xc3\xa4"))), records(message(name_of(b"x" * 256))),
    records(message(extension(0, vector(2, b"\0" + vector(2, b"a") + b"\0" + vector(2, b"b"))))),
    records(message(extension(0, vector(2, b"\0" + vector(2, b"a")) + b"x"))),
    records(message(extension(0, b""))), records(message(extension(16, b"\0\0"))),
    records(message(extension(16, vector(2, b"\0")))), records(message(extension(16, vector(2, b"\2h2") + b"x"))),
    records(b"\1\0\0\1x"), records(message(extension(21, bytes(1000))), 8), records(b"\1\0\0\0"),
])
def test_what_is_none(sent: bytes) -> None:
    with pytest.raises(HelloError):
        parse(sent)


def test_what_does_not_end() -> None:
    endless = b"\1" + (LONGEST - 100).to_bytes(3) + bytes(LONGEST)
    with pytest.raises(HelloError):
        parse(records(endless, 1000)[:LONGEST + 1])


def test_names_of_other_kinds_are_passed_over() -> None:
    names = b"\7" + vector(2, b"other") + b"\0" + vector(2, b"Example.COM.")
    assert parse(records(message(extension(0, vector(2, names))))) == ClientHello("example.com")


@settings(deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_anything_is_read_or_refused(data: bytes, framed: bool) -> None:
    for sent in (data, records(b"\1" + vector(3, b"\3\3" + bytes(32) + data))) if framed else (data,):
        with contextlib.suppress(HelloError):
            parse(sent)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_a_real_one_with_bytes_changed(seed: int, changes: int) -> None:
    dice = random.Random(seed)
    hello = bytearray(HELLO)
    for _ in range(changes):
        hello[dice.randrange(len(hello))] = dice.randrange(256)
    with contextlib.suppress(HelloError):
        parse(bytes(hello))


HELLO = real()


def test_the_bound_of_records_is_no_bound_for_real_clients() -> None:
    assert parse(records(HELLO[5:], -(-len(HELLO) // RECORDS) + 1)) == EXPECTED
