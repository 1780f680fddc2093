"""Tests of lbd.schema.keys: lines of the table make classes that know them."""

from dataclasses import dataclass

import pytest

from lbd.schema import units as u
from lbd.schema.keys import REQUIRED, key, keys, named, optional, table


@dataclass(frozen=True, slots=True)
class Inner:
    size: int = key("1KiB", u.SIZE, "a size")


@dataclass(frozen=True, slots=True)
class Outer:
    wanted: str = key(REQUIRED, u.LINE, "must be given", example="x")
    wait: float = key("2s", u.DURATION, "a time", "rebind")
    inner: Inner = table(Inner, "always there")
    perhaps: Inner | None = optional(Inner, "may be left out", switch=True)
    several: dict[str, Inner] = named(Inner, "by name")
    class_: str | None = key(None, u.LINE, "has another name in files", name="class")


def test_defaults_are_written_as_in_a_file_and_read() -> None:
    made = Outer(wanted="y")
    assert (made.wait, made.inner.size, made.perhaps, made.several, made.class_) == (2.0, 1024, None, {}, None)


def test_what_is_required_has_no_default() -> None:
    with pytest.raises(TypeError):
        Outer()


def test_keys_are_found_as_they_are_written() -> None:
    found = keys(Outer)
    assert list(found) == ["wanted", "wait", "inner", "perhaps", "several", "class"]
    assert found["class"][0] == "class_"
    assert found["wait"][1].reload == "rebind"
    assert found["perhaps"][1].switch
    assert found["several"][1].named
