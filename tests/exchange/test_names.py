"""The names for which requests are, as TLS may ask for them."""

import pytest

from lbd.exchange.names import name_in


@pytest.mark.parametrize(("host", "name"), [
    (b"a.example", "a.example"), (b"A.Example:8080", "a.example"), (b"a.example.", "a.example"),
    (b"a_b.test", "a_b.test"),
    (b"", ""), (b"192.0.2.1", ""), (b"192.0.2.1:80", ""), (b"[2001:db8::1]:443", ""), (b"[::1]", ""), (b"-a.test", ""),
    (b"a..b", ""), (b"x" * 64 + b".test", ""), (b"\xc3\xbc.test", ""), (b"1.2.3", ""), (b"a b", "")])
def test_the_name_in_a_host(host: bytes, name: str) -> None:
    assert name_in(host) == name
