"""Tests of lbd.schema.filters: own filters as they are written."""

from typing import Any

import pytest

from lbd.schema.filters import FILTERS, MOST, FilterConfig


def test_names_and_tables() -> None:
    written = ["a.b:C", {"use": "a:D", "x": 1}]
    parsed = FILTERS.parse(written)
    assert parsed == (FilterConfig("a.b:C"), FilterConfig("a:D", {"x": 1}))
    assert FILTERS.write is not None
    assert FILTERS.write(parsed) == written


@pytest.mark.parametrize(("written", "text"), [
    ("a:B", "is a string"), (["a"], "is not the name of a class"), (["a:b:c"], "is not the name"), (["a.b:"], "is not"),
    ([{"x": 1}], 'no key "use"'), ([3], "is an integer"), (["a:B"] * (MOST + 1), "more than 32")])
def test_what_names_no_filter(written: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        FILTERS.parse(written)
