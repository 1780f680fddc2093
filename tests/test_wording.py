"""Values and words as messages show them."""

import datetime
from typing import Any

import pytest

from lbd.wording import listed, nearest, shown, type_of


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
