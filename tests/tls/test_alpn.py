"""Tests of lbd.tls.alpn: the first of our protocols that a client offers, whatever the bytes of its list are."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lbd.tls import alpn

NAMES = st.lists(st.binary(min_size=1, max_size=255), max_size=5)


def wire(*names: bytes) -> bytes:
    """As in the extension (RFC 7301 3.1)."""
    return b"".join(bytes((len(name),)) + name for name in names)


@pytest.mark.parametrize(("ours", "theirs", "chosen"), [
    ((b"http/1.1",), wire(b"h2", b"http/1.1"), b"http/1.1"),
    ((b"b", b"a"), wire(b"a", b"b"), b"b"),
    ((b"http/1.1",), wire(b"h2"), None),
    ((b"http/1.1",), wire(b"http/1.0"), None),
    ((b"http/1.1",), wire(b"http/1.1")[:-1], None),
    ((b"http/1.1",), b"", None),
    ((b"a",), b"\0\1a", b"a"),
    ((), wire(b"a"), None),
])
def test_the_choice(ours: tuple[bytes, ...], theirs: bytes, chosen: bytes | None) -> None:
    assert alpn.chosen(ours, theirs) == chosen


@given(NAMES.map(tuple), NAMES, st.binary(max_size=20))
@example((b"a" * 255,), [b"a" * 255], b"\xff")
def test_the_first_that_both_have(ours: tuple[bytes, ...], theirs: list[bytes], rest: bytes) -> None:
    common = [name for name in ours if name in theirs]
    found = alpn.chosen(ours, wire(*theirs))
    assert found == (common[0] if common else None)
    assert alpn.chosen(ours, wire(*theirs) + rest) in (*ours, None)     # a list that is no good is only read in bounds


def test_names_have_bounds() -> None:
    for name in (b"", b"x" * 256):
        with pytest.raises(ValueError, match="1 to 255 bytes"):
            alpn.offer((name,))
    assert alpn.offer((b"a", b"b")) == alpn.offer((b"a", b"b")) != alpn.offer((b"a",))
    assert alpn.SELECT
