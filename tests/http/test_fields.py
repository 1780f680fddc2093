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
    (b"/a//b/../c", b"/a/c"),
    (b"//a///b//", b"/a/b/"),
    (b"/%2F/a", b"/a"),
    (b"/a?b=//c", b"/a"),
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


@pytest.mark.parametrize(("path", "rest"), [
    (b"/v1/x%2Fy", b"/x%2Fy"), (b"/v1%2Fx%2Fy", b"/%2Fx%2Fy"), (b"/%76%31/x%2fy", b"/x%2fy"), (b"//v1//x", b"//x"),
    (b"/./v1/x", b"/x"), (b"/a/../v1/x%20y", b"/x%20y"), (b"/v1", b"/"), (b"/v1/", b"/"), (b"/v1/a/..", b"/"),
    (b"/v1/a/%2e%2E/b", b"/b"), (b"/a//../v1/b", b"/b"), (b"/v1/.", b"/"), (b"/../v1/x", b"/x"),
    (b"/a/..//v1/x", b"/x"), (b"/v2/x", b"/v2/x"),
])
def test_what_remains_of_a_path_is_as_it_was_spelled(path: bytes, rest: bytes) -> None:
    assert fields.remainder(path, b"/v1") == rest


@given(st.lists(st.sampled_from([b"/", b".", b"..", b"%2e", b"%2F", b"a", b"%61", b"%"])).map(b"".join))
def test_what_remains_is_where_routes_see_it(rest: bytes) -> None:
    path = b"/" + rest
    routed = fields.routed_path(path)
    assert fields.routed_path(fields.remainder(path, b"")) == routed
    if routed.startswith(b"/a/"):
        assert fields.routed_path(fields.remainder(path, b"/a")) == routed[2:]


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
    ([b"fe80::1%eth0, 10.0.0.1"], b"fe80::1%eth0"),
    ([b"[fe80::1%2]:80, 10.0.0.1"], b"fe80::1%2"),
    ([b'fe80::1%eth0 admin "GET /evil", 10.0.0.1'], b"10.0.0.1"),
    ([b"fe80::1%\x9b31m, 10.0.0.1"], b"10.0.0.1"),
    ([b"fe80::1%, 10.0.0.1"], b"10.0.0.1"),
    ([b"192.0.2.1%eth0, 10.0.0.1"], b"10.0.0.1"),
    ([b"192.0.2.1%a:b, 10.0.0.1"], b"10.0.0.1"),
    ([b"10.0.0.1"], b"10.0.0.1"),
    ([b"garbage"], b""),
    ([b"1.1.1.1, fe80::9%eth0.1, 10.0.0.1"], b"fe80::9%eth0.1"),
    ([b'::1%" 200 1, 10.0.0.1'], b"10.0.0.1"),
    ([b"::1%a\xffb, 10.0.0.1"], b"10.0.0.1"),
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
