"""Tests of lbd.schema.kinds: the words for what was found, and kinds made of others."""

import datetime
from typing import Any

import pytest

from lbd.schema.kinds import ItemError, listed, many, mapping, nearest, shown, type_of
from lbd.schema.units import FILE, NAME, choice


@pytest.mark.parametrize(("value", "text"), [
    ("a", '"a"'), ('a"b', '"a\\"b"'), ("a\nb", '"a\\nb"'), ("x" * 300, '"' + "x" * 200 + '…"'), (True, "true"),
    (5, "5"), (1.5, "1.5"), ([], "an empty array"), ([1], "the array"), ({}, "the table"),
    (datetime.date(2020, 1, 2), "2020-01-02"),
])
def test_shown(value: Any, text: str) -> None:
    assert shown(value) == text


def test_types_have_the_names_of_toml() -> None:
    values = [True, 1, 1.0, "", [], {}, datetime.datetime(2020, 1, 1), datetime.date(2020, 1, 1), datetime.time()]
    assert [type_of(value) for value in values] == [
        "a boolean", "an integer", "a number", "a string", "an array", "a table", "a date and time", "a date", "a time"]


def test_listed() -> None:
    assert [listed("a"), listed("ab"), listed("abc")] == ["a", "a or b", "a, b or c"]
    assert listed("abc", "and") == "a, b and c"


def test_nearest() -> None:
    assert nearest("wieght", ["weight", "mode"]) == '; did you mean "weight"?'
    assert nearest("GLOBAL", ["global"]) == '; did you mean "global"?'
    assert nearest("zzz", ["weight"]) == ""
    assert nearest(5, ["5"]) == ""


def test_many_says_which_element_is_wrong() -> None:
    kind = many(choice("a", "b"), "letters")
    assert kind.read("a") == ("a",)
    assert kind.read([]) == ()
    with pytest.raises(ItemError) as error:
        kind.read(["a", "c"])
    assert error.value.wrong == [(1, 'holds "c", which is not known')]
    with pytest.raises(ItemError, match="which is there already"):
        kind.read(["a", "a"])
    with pytest.raises(ItemError) as error:
        kind.read(["c", "a", "a", 5, "b"])
    assert [at for at, _ in error.value.wrong] == [0, 2, 3]
    with pytest.raises(ItemError) as error:
        kind.read(["c"] * 10_000)
    assert len(error.value.wrong) == 20


def test_mapping_says_which_key_is_wrong() -> None:
    kind = mapping(NAME, choice("a"), "letters by name")
    assert kind.read({"x": "a"}) == {"x": "a"}
    for table in ({"x y": "a"}, {"x y": "b"}):
        with pytest.raises(ItemError) as error:
            kind.read(table)
        assert error.value.wrong[0][0] == "x y"


def test_kinds_made_of_paths_are_settled_too() -> None:
    assert many(NAME, "names").settle is None
    settle = mapping(NAME, FILE, "files").settle
    assert settle is not None
    assert settle({"a": "b"}, "/c") == {"a": "/c/b"}
