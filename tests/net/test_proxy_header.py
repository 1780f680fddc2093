"""Tests of lbd.net.proxy_header: every form, cut and bent in every way, and what is written is read again."""

import ipaddress
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.net import proxy_header as ph
from lbd.net.proxy_header import Header, HeaderError, crc32c, local, parse, write

PORT = st.integers(0, 65535)
SIX = st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None).map(str)
ENDS = st.one_of(
    st.tuples(st.tuples(st.ip_addresses(v=4).map(str), PORT), st.tuples(st.ip_addresses(v=4).map(str), PORT)),
    st.tuples(st.tuples(SIX, PORT), st.tuples(SIX, PORT)))
EXTRAS = st.lists(st.tuples(st.sampled_from([ph.ALPN, ph.AUTHORITY, 0xea]), st.binary(max_size=64)), max_size=4)
ONE, TWO = ("192.0.2.1", 40000), ("198.51.100.2", 443)


def v2(command: int, kind: int, body: bytes, length: int | None = None) -> bytes:
    return ph.SIGNATURE + struct.pack("!BBH", command, kind, len(body) if length is None else length) + body


@pytest.mark.parametrize(("line", "source", "target"), [
    (b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n", ONE, TWO),
    (b"PROXY TCP6 2001:db8::1 ::1 0 65535\r\n", ("2001:db8::1", 0), ("::1", 65535)),
    (b"PROXY TCP6 192.0.2.1 2001:db8::1 40000 443\r\n", ONE, ("2001:db8::1", 443)),
    (b"PROXY TCP6 2001:db8::1 198.51.100.2 40000 443\r\n", ("2001:db8::1", 40000), TWO),
    (b"PROXY UNKNOWN\r\n", None, None),
    (b"PROXY UNKNOWN ffff:f...f:ffff whatever 1 2\r\n", None, None),
])
def test_version_1(line: bytes, source: ph.End | None, target: ph.End | None) -> None:
    assert parse(line + b"GET / HTTP/1.1\r\n") == Header(len(line), source, target)
    for size in range(len(line)):
        assert parse(line[:size]) is None


@pytest.mark.parametrize(("source", "target", "text"), [
    ("::ffff:192.0.2.1", "::ffff:198.51.100.2", b"TCP4 192.0.2.1 198.51.100.2"),
    ("192.0.2.1", "::ffff:198.51.100.2", b"TCP4 192.0.2.1 198.51.100.2"),
    ("::ffff:192.0.2.1", "198.51.100.2", b"TCP4 192.0.2.1 198.51.100.2"),
    ("::ffff:192.0.2.1", "2001:db8::1", b"TCP6 ::ffff:192.0.2.1 2001:db8::1"),
    ("2001:db8::1", "192.0.2.1", b"TCP6 2001:db8::1 ::ffff:192.0.2.1"),
])
def test_mapped_addresses_are_told_as_what_they_are(source: str, target: str, text: bytes) -> None:
    assert write(1, (source, 1), (target, 2)) == b"PROXY " + text + b" 1 2\r\n"
    inet = text.startswith(b"TCP4")
    assert write(2, (source, 1), (target, 2))[13:16] == (b"\x11\0\x0c" if inet else b"\x21\0\x24")


@pytest.mark.parametrize("line", [
    b"GET / HTTP/1.1\r\n", b"PROXY\tTCP4", b"proxy TCP4", b"\x16\x03\x01", b"\r\n\r\n\0\r\nQUIP",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 40000 443 5\r\n", b"PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2  40000 443\r\n", b"PROXY TCP4 192.0.2.1 2001:db8::1 1 2\r\n",
    b"PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n", b"PROXY TCP4 192.0.2.01 198.51.100.2 1 2\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 65536 2\r\n", b"PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n", b"PROXY TCP6 fe80::1%1 ::1 1 2\r\n", b"PROXY UDP4 a b 1 2\r\n",
    b"PROXY UNKNOWN " + b"x" * 94, b"PROXY TCP4 \xff \xff 1 2\r\n", b"PROXY \r\n",
])
def test_what_is_no_header_of_version_1_is_refused(line: bytes) -> None:
    with pytest.raises(HeaderError):
        parse(line)


def test_a_header_of_version_1_may_be_as_long_as_the_text_says_and_no_longer() -> None:
    longest = b"PROXY UNKNOWN " + b"x" * 91 + b"\r\n"
    assert len(longest) == 107
    assert parse(longest) == Header(107)


BODY = bytes([192, 0, 2, 1, 198, 51, 100, 2]) + struct.pack("!HH", 40000, 443)


def test_version_2() -> None:
    assert parse(v2(0x21, 0x11, BODY) + b"rest") == Header(28, ONE, TWO)
    assert parse(v2(0x21, 0x21, bytes(15) + b"\1" + bytes(15) + b"\2" + b"\0\1\0\2")) == \
        Header(52, ("::1", 1), ("::2", 2))


@pytest.mark.parametrize("header", [
    v2(0x20, 0x00, b""), v2(0x20, 0x11, b"anything"), v2(0x21, 0x00, b"not read"), v2(0x21, 0x31, bytes(216)),
    v2(0x21, 0x10, b""),
])
def test_version_2_without_an_address(header: bytes) -> None:
    assert parse(header + b"x") == Header(len(header))
    assert parse(header[:-1]) is None


@pytest.mark.parametrize("header", [
    v2(0x11, 0x11, BODY), v2(0x22, 0x11, BODY), v2(0x21, 0x41, BODY), v2(0x21, 0x13, BODY), v2(0x21, 0x12, BODY),
    v2(0x21, 0x11, BODY[:11]), v2(0x21, 0x21, BODY), v2(0x21, 0x31, bytes(215)), v2(0x21, 0x11, b"", 4081),
    v2(0x21, 0x11, BODY + b"\x02"), v2(0x21, 0x11, BODY + b"\x02\0\x05abcd"),
    v2(0x21, 0x11, BODY + b"\x03\0\x04abcd"), v2(0x21, 0x11, BODY + b"\x03\0\x02ab"),
    v2(0x21, 0x11, BODY + b"\x05\0\x81" + bytes(129)),
])
def test_what_is_no_header_of_version_2_is_refused(header: bytes) -> None:
    with pytest.raises(HeaderError):
        parse(header)


def test_the_checksum_is_that_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xe3069283
    assert crc32c(bytes(32)) == 0x8a9136aa          # RFC 3720, B.4


def test_a_checksum_is_verified() -> None:
    header = write(2, ONE, TWO, [(ph.AUTHORITY, b"example.com")])
    assert parse(header) == Header(len(header), ONE, TWO, ((ph.AUTHORITY, b"example.com"),))
    for place in range(16, len(header)):
        bent = header[:place] + bytes([header[place] ^ 1]) + header[place + 1:]
        try:
            read = parse(bent)
        except HeaderError:
            continue
        # Only what hides the checksum itself among other types goes unnoticed.
        assert read is not None
        assert header[place] in (ph.CRC32C, ph.AUTHORITY) or header[place - 2] in (ph.CRC32C, ph.AUTHORITY)


def test_room_between_parts_is_passed_over() -> None:
    assert parse(v2(0x21, 0x11, BODY + b"\x04\0\x02\0\0" + b"\xea\0\1x")) == Header(37, ONE, TWO, ((0xea, b"x"),))


@settings(deadline=None)
@given(ENDS, EXTRAS)
def test_what_is_written_is_read_again(ends: tuple[ph.End, ph.End], extras: list[ph.Extra]) -> None:
    for version in (1, 2):
        header = write(version, *ends, extras)
        expected = Header(len(header), *ends, tuple(extras) if version == 2 else ())
        assert parse(header + b"more") == expected
        assert all(parse(header[:size]) is None for size in range(len(header)))


def test_two_families_become_one() -> None:
    for version in (1, 2):
        found = parse(write(version, ("192.0.2.1", 1), ("2001:db8::1", 2)))
        assert found is not None
        host, port = found.source or ("", 0)
        assert (ipaddress.ip_address(host), port) == (ipaddress.ip_address("::ffff:192.0.2.1"), 1)


@pytest.mark.parametrize("version", [1, 2])
def test_unknown_and_local(version: int) -> None:
    for header in (write(version, None, None), local(version)):
        assert parse(header) == Header(len(header))
    assert local(1) == b"PROXY UNKNOWN\r\n"
    assert local(2)[12:14] == b"\x20\0"


def test_what_does_not_fit_is_left_out() -> None:
    header = write(2, ONE, TWO, [(ph.AUTHORITY, b"x" * 5000), (ph.ALPN, b"h2")])
    found = parse(header)
    assert found is not None
    assert found.extras == ((ph.ALPN, b"h2"),)


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 3))
def test_anything_is_read_or_refused(data: bytes, begin: int) -> None:
    start = (b"", b"PROXY ", ph.SIGNATURE, ph.SIGNATURE + b"\x21\x11\0\x30")[begin]
    try:
        found = parse(start + data)
    except HeaderError:
        return
    assert found is None or 0 < found.size <= max(ph.LONGEST, ph.LONGEST_V1)
