"""Paths, hosts, client addresses, and values in queries and cookies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lbd.http import fields


class Networks:
    """The addresses that begin with one of some texts."""

    def __init__(self, *starts: bytes) -> None:
        self.starts = starts

    def has(self, address: bytes, /) -> bool:
        return address.startswith(self.starts)


@pytest.mark.parametrize(("target", "path"), [
    (b"/", b"/"),
    (b"/a/b?c=/../d", b"/a/b"),
    (b"/a%20b%2Fc", b"/a b/c"),
    (b"/%2541", b"/%41"),
    (b"/100%", b"/100%"),
    (b"/%zz%4", b"/%zz%4"),
    (b"/a/./b/.", b"/a/b/"),
    (b"/a/../b", b"/b"),
    (b"/a/b/..", b"/a/"),
    (b"/../../a", b"/a"),
    (b"/a/%2e%2E/b", b"/b"),
    (b"/a/..%2fb", b"/b"),
    (b"/a//b/../c", b"/a//c"),
    (b"/...", b"/..."),
    (b"/.a/..b", b"/.a/..b"),
    (b"/a%00b", b"/a\x00b"),
    (b"/..", b"/"),
    (b"*", b"*"),
])
def test_routed_path(target: bytes, path: bytes) -> None:
    assert fields.routed_path(target) == path


@given(st.lists(st.sampled_from([b"/", b".", b"..", b"%2e", b"%2f", b"a", b"%", b"?"])).map(b"".join))
def test_no_dot_segment_is_left(rest: bytes) -> None:
    path = fields.routed_path(b"/" + rest)
    assert path.startswith(b"/")
    assert not {b".", b".."} & set(path.split(b"/"))


@given(st.binary(min_size=1))
def test_encoded_path_says_the_same(path: bytes) -> None:
    encoded = fields.encoded_path(path)
    assert all(0x21 <= byte <= 0x7E for byte in encoded)
    assert not {b"?"[0], b"#"[0]} & set(encoded)
    assert fields.unquote_to_bytes(encoded) == path


@pytest.mark.parametrize(("host", "name"), [
    (b"Example.COM", "example.com"),
    (b"example.com:8080", "example.com"),
    (b"example.com.", "example.com"),
    (b"example.com.:80", "example.com"),
    (b"[2001:DB8::1]:80", "[2001:db8::1]"),
    (b"[::1]", "[::1]"),
    (b"", ""),
])
def test_host_name(host: bytes, name: str) -> None:
    assert fields.host_name(host) == name


@pytest.mark.parametrize(("lines", "address"), [
    ([b"203.0.113.9, 10.0.0.1"], b"203.0.113.9"),
    ([b"1.1.1.1, 203.0.113.9", b"10.0.0.2, 10.0.0.1"], b"203.0.113.9"),
    ([b"10.0.0.3, 10.0.0.1"], b"10.0.0.3"),
    ([b"203.0.113.9:5000,10.0.0.1"], b"203.0.113.9"),
    ([b"[2001:db8::9]:5000, 10.0.0.1"], b"2001:db8::9"),
    ([b"2001:db8::9, 10.0.0.1"], b"2001:db8::9"),
    ([b"1.1.1.1, unknown, 10.0.0.1"], b"10.0.0.1"),
    ([b"1.1.1.1, _hidden, 10.0.0.2, 10.0.0.1"], b"10.0.0.2"),
    ([b"1.1.1.1, , 10.0.0.1"], b"10.0.0.1"),
    ([b"10.0.0.1"], b"10.0.0.1"),
    ([b"garbage"], b""),
    ([], b""),
])
def test_client_address(lines: list[bytes], address: bytes) -> None:
    assert fields.client_address(lines, Networks(b"10.")) == address


@pytest.mark.parametrize(("target", "value"), [
    (b"/?id=1", b"1"),
    (b"/?a=2&id=1&id=3", b"1"),
    (b"/?id", b""),
    (b"/?id=a%20b+c", b"a b c"),
    (b"/?%69d=1", b"1"),
    (b"/?id=a=b", b"a=b"),
    (b"/?aid=1", None),
    (b"/", None),
])
def test_query_value(target: bytes, value: bytes | None) -> None:
    assert fields.query_value(target, b"id") == value


@pytest.mark.parametrize(("lines", "value"), [
    ([b"id=1"], b"1"),
    ([b"a=2; id=1; id=3"], b"1"),
    ([b"a=2", b"b=3;id=1"], b"1"),
    ([b'id="a b"'], b"a b"),
    ([b"id=a=b"], b"a=b"),
    ([b"ID=1; xid=2; id"], None),
    ([], None),
])
def test_cookie_value(lines: list[bytes], value: bytes | None) -> None:
    assert fields.cookie_value(lines, b"id") == value
