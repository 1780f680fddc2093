"""The names for which requests are, as TLS may ask for them."""

import pytest

from lbd.exchange.names import known_name, name_in


@pytest.mark.parametrize(("host", "name"), [
    (b"a.example", "a.example"), (b"A.Example:8080", "a.example"), (b"a.example.", "a.example"),
    (b"a_b.test", "a_b.test"),
    (b"", ""), (b"192.0.2.1", ""), (b"192.0.2.1:80", ""), (b"[2001:db8::1]:443", ""), (b"[::1]", ""), (b"-a.test", ""),
    (b"a..b", ""), (b"x" * 64 + b".test", ""), (b"\xc3\xbc.test", ""), (b"1.2.3", ""), (b"a b", "")])
def test_the_name_in_a_host(host: bytes, name: str) -> None:
    assert name_in(host) == name


def test_what_is_too_long_for_a_name_is_not_remembered() -> None:
    longest = b".".join([b"a" * 63] * 3 + [b"b" * 61])
    assert name_in(longest + b".:65535") == longest.decode()
    before = known_name.cache_info().currsize
    assert name_in(b"a" * 30_000) == ""
    assert known_name.cache_info().currsize == before
