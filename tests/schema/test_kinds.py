"""Tests of lbd.schema.kinds: kinds made of others."""

import pytest

from lbd.schema.kinds import ItemError, many, mapping
from lbd.schema.units import FILE, NAME, choice


def test_many_says_which_element_is_wrong() -> None:
    kind = many(choice("a", "b"), "letters")
    assert kind.parse("a") == ("a",)
    assert kind.parse([]) == ()
    with pytest.raises(ItemError) as error:
        kind.parse(["a", "c"])
    assert error.value.wrong == [(1, 'holds "c", which is not known')]
    with pytest.raises(ItemError, match="which is there already"):
        kind.parse(["a", "a"])
    with pytest.raises(ItemError) as error:
        kind.parse(["c", "a", "a", 5, "b"])
    assert [at for at, _ in error.value.wrong] == [0, 2, 3]
    with pytest.raises(ItemError) as error:
        kind.parse(["c"] * 10_000)
    assert len(error.value.wrong) == 20


def test_mapping_says_which_key_is_wrong() -> None:
    kind = mapping(NAME, choice("a"), "letters by name")
    assert kind.parse({"x": "a"}) == {"x": "a"}
    for table in ({"x y": "a"}, {"x y": "b"}):
        with pytest.raises(ItemError) as error:
            kind.parse(table)
        assert error.value.wrong[0][0] == "x y"


def test_kinds_made_of_paths_are_settled_too() -> None:
    assert many(NAME, "names").settle is None
    settle = mapping(NAME, FILE, "files").settle
    assert settle is not None
    assert settle({"a": "b"}, "/c") == {"a": "/c/b"}
