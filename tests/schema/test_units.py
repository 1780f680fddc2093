"""Tests of lbd.schema.units: what each kind reads, and what it says of wrong values."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.schema import units as u
from lbd.schema.units import ValueKind


@pytest.mark.parametrize(("kind", "written", "value"), [
    (u.DURATION, "250ms", 0.25), (u.DURATION, "0s", 0.0), (u.DURATION, "1.5h", 5400.0), (u.DURATION, "7d", 604800.0),
    (u.SIZE, "16KiB", 16384), (u.SIZE, "10MB", 10_000_000), (u.SIZE, "1.5kB", 1500), (u.SIZE, "0B", 0),
    (u.integer(1, 5), 5, 5), (u.number(0, 2), 1, 1.0), (u.BOOL, True, True),
    (u.WORKERS, "auto", 0), (u.WORKERS, 64, 64),
    (u.TEXT, "", ""), (u.TEXTS, ["a", "b"], ("a", "b")), (u.TEXTS, "a", ("a",)),
    (u.FILE, "a/b", "a/b"), (u.FILES, ["a"], ("a",)), (u.NAME, "api-v1.eu:2", "api-v1.eu:2"),
    (u.choice("a", "b"), "b", "b"), (u.choice_of(1, 2), 2, 2),
    (u.PERCENT, "50%", 0.5), (u.PERCENT, "12.5%", 0.125), (u.RETRY_ON, ["timeout", 502], ("timeout", "502")),
    (u.ERROR_FILES, {"503": "x.html"}, {"503": "x.html"}),
    (u.ALGORITHM, "first", "first"), (u.HEALTH, {"type": "tcp"}, {"type": "tcp"}), (u.CHECK, "tcp", "tcp"),
])
def test_reads(kind: ValueKind, written: Any, value: Any) -> None:
    result = kind.parse(written)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(("kind", "written", "why"), [
    (u.DURATION, 5, "is a number without a unit"), (u.DURATION, "5", "has no unit"),
    (u.DURATION, "5 s", "is not a number with a unit"), (u.DURATION, "-5s", "is not a number with a unit"),
    (u.DURATION, "5sec", "has no known unit (ms, s, m, h or d)"), (u.DURATION, True, "is a boolean"),
    (u.DURATION, "400d", "is too long"), (u.duration(0.1), "99ms", "is too short"),
    (u.DURATION, "9" * 400 + "d", "is too long"), (u.DURATION, ["1s"], "is an array"),
    (u.SIZE, "16k", "has no known unit (B, kB, KB, MB, GB, KiB, MiB or GiB)"), (u.SIZE, "0.5B", "is not a whole"),
    (u.SIZE, "9" * 400 + "GiB", "is too large"), (u.size(64, 128), "63B", "is too small"),
    (u.integer(1, 5), 6, "is out of range"), (u.integer(1, 5), True, "is a boolean"),
    (u.integer(1, 5), 1.0, "is a number"),
    (u.number(0, 1), float("nan"), "is out of range"), (u.number(0, 1), "1", "is a string"),
    (u.BOOL, 1, "is an integer"), (u.BOOL, "true", "is a string"),
    (u.WORKERS, 0, "is out of range"), (u.WORKERS, "many", "is not known"), (u.WORKERS, True, "is a boolean"),
    (u.TEXT, "a\0b", "contains a NUL character"), (u.LINE, "a\nb", "has a control character"), (u.FILE, "", "is empty"),
    (u.NAME, ".", "is a step in a path"), (u.NAME, "..", "is a step in a path"),
    (u.NAME, "a/b", "has a character that a name cannot have"), (u.NAME, "", "is empty"),
    (u.NAME, "a" * 65, "is too long"),
    (u.choice("a"), "b", "is not known"), (u.choice("a"), 1, "is an integer"),
    (u.choice_of(1), True, "is not one of them"),
    (u.choice_of(1), [], "is not one of them"),
    (u.PERCENT, "50", "is not a percentage"), (u.PERCENT, "101%", "is more than 100%"), (u.PERCENT, 0.5, "is a number"),
    (u.RETRY_ON, ["504", "404"], 'holds "404", which is not known'), (u.RETRY_ON, "500", "is not known"),
    (u.ERROR_FILES, {"99": "x"}, 'holds "99", which is not a status'), (u.ERROR_FILES, [], "is an array"),
    (u.TEXTS, ["a", "a"], 'holds "a", which is there already'),
])
def test_refuses(kind: ValueKind, written: Any, why: str) -> None:
    with pytest.raises(ValueError,
    match="^" + "".join("\\" + letter if letter in "().%" else letter for letter in why)):
        kind.parse(written)


KINDS = sorted((name, kind) for name, kind in vars(u).items() if isinstance(kind, ValueKind))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.times() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5)


def trouble(kind: ValueKind, value: Any) -> str:
    """The error of a kind about a value, "" if it takes it."""
    try:
        kind.parse(value)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(("name", "kind"), KINDS, ids=[name for name, _ in KINDS])
def test_anything_else_is_a_value_error(name: str, kind: ValueKind) -> None:
    @settings(max_examples=25)
    @given(VALUES)
    def check(value: Any) -> None:
        said = trouble(kind, value)
        assert "\n" not in said
        assert said == "" or said[0].islower()

    check()


@pytest.mark.parametrize(("seconds", "written"), [
    (0, "0s"), (0.25, "250ms"), (1, "1s"), (90, "90s"), (120, "2m"), (3600, "1h"), (86400, "1d"), (0.0001, "0.1ms")])
def test_durations_are_written_as_they_are_read(seconds: float, written: str) -> None:
    assert u.in_seconds(seconds) == written
    assert u.DURATION.parse(written) == seconds


@pytest.mark.parametrize(("size", "written"), [(0, "0B"), (1000, "1kB"), (1500, "1500B"), (10**7, "10MB"),
                                               (2048, "2KiB"), (2**20, "1MiB"), (2**31, "2GiB")])
def test_sizes_are_written_as_they_are_read(size: int, written: str) -> None:
    assert u.in_bytes(size) == written
    assert u.SIZE.parse(written) == size


@pytest.mark.parametrize(("value", "text"), [
    ([], "has 0 bounds"), ([f"{n}s" for n in range(1, 34)], "has 33 bounds"), (["2s", "1s"], "does not rise"),
    (["1s", 2], "without a unit"), (["1s", "1s"], "there already"), (["0s"], "too short")])
def test_buckets_that_cannot_be(value: object, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        u.BUCKETS.parse(value)


def test_buckets_are_written_as_they_are_read() -> None:
    assert u.BUCKETS.parse(["2.5ms", "1s"]) == (0.0025, 1.0)
    assert u.BUCKETS.write is not None
    assert u.BUCKETS.write((0.0025, 1.0)) == ["2.5ms", "1s"]


def test_limits_are_part_of_what_is_allowed() -> None:
    assert u.duration(0.1, 60).allowed == 'a duration with a unit from 100ms to 1m, like "250ms", "2s", "5m" or "1h"'
    assert u.size(1024, 2**20).allowed == 'a size with a unit from 1KiB to 1MiB, like "16KiB" or "10MB"'


def test_paths_are_settled_in_a_directory() -> None:
    assert u.FILE.settle is not None
    assert u.FILES.settle is not None
    assert u.ACCESS.settle is not None
    assert u.ERROR_FILES.settle is not None
    assert u.FILE.settle("../a", "/etc/lbd") == "/etc/a"
    assert u.FILES.settle(("a", "/b"), "/etc") == ("/etc/a", "/b")
    assert u.ERROR_FILES.settle({"503": "a"}, "/etc") == {"503": "/etc/a"}
    assert [u.ACCESS.settle(name, "/etc") for name in ("off", "stdout", "a.log")] == ["off", "stdout", "/etc/a.log"]
