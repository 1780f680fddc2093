"""Keys as they are written, and what they take from a request."""

import pytest

from lbd.balance.hash_keys import KEY, key_of
from tests.balance.fleet import Request

REQUEST = Request(b"/a/b?x=1&user=anna%20b", b"192.0.2.7", {b"x-tenant": b"t1", b"cookie": b"a=1; Session=\"s9\""})


@pytest.mark.parametrize(("written", "key"), [
    ("url", b"/a/b?x=1&user=anna%20b"), ("path", b"/a/b"), ("source", b"192.0.2.7"), ("header:X-Tenant", b"t1"),
    ("header:x-other", b""), ("cookie:Session", b"s9"), ("cookie:session", b""), ("query:user", b"anna b"),
    ("query:User", b""),
])
def test_keys_of_a_request(written: str, key: bytes) -> None:
    assert KEY.parse(written) == written
    assert key_of(written)(REQUEST) == key


@pytest.mark.parametrize(("wrong", "text"), [
    (5, "is an integer"), ("", "is not known"), ("uri", "is not known"), ("header:", "names no header"),
    ("cookie", "names no cookie"), ("header", "names no header"), ("url:x", "is not known"),
    ("header:a b", "header field"), ("query:\n", "control"),
])
def test_wrong_keys(wrong: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        KEY.parse(wrong)
