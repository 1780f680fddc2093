"""Own filters: which classes are filters, and which options are theirs."""

from collections.abc import Mapping

import pytest

from lbd.errors import LbdError
from lbd.exchange.filter import Filter
from lbd.filters import plugin
from lbd.schema import FilterConfig

from .asked import CONTEXT
from .own import Named, Upper


class Odd(Filter):
    on_error = "shrug"


class Refusing(Filter):
    def __init__(self, options: object, context: object) -> None:
        raise RuntimeError("not today")


class Undeclared(Filter):
    Options = int


def test_a_class_without_options() -> None:
    assert type(plugin.make(FilterConfig("tests.filters.own:Upper"), CONTEXT)) is Upper


def test_a_class_with_options() -> None:
    made = plugin.make(FilterConfig("tests.filters.own:Named", {"name": "x"}), CONTEXT)
    assert isinstance(made, Named)
    assert made.options == Named.Options("x", False)


@pytest.mark.parametrize(("use", "text"), [
    ("nowhere:X", "cannot load.*No module named.*PYTHONPATH"),
    ("tests.filters.own:Nothing", "cannot load.*no attribute"),
    ("tests.filters.own:own", "is no filter"), ("builtins:int", "is no filter"),
    ("tests.filters.test_plugin:Odd", "on_error is 'shrug'"), ("tests.filters.test_plugin:Refusing", "not today"),
    ("tests.filters.test_plugin:Undeclared", "Options is no dataclass")])
def test_what_is_no_filter(use: str, text: str) -> None:
    with pytest.raises(LbdError, match=text):
        plugin.make(FilterConfig(use), CONTEXT)


@pytest.mark.parametrize(("use", "options", "text"), [
    ("Upper", {"x": 1}, 'has no options, and "x" is given'), ("Named", {"nam": "x"}, 'unknown option "nam".*"name"'),
    ("Named", {}, 'the option "name" is missing'), ("Named", {"name": 1}, 'the option "name" is an integer; str'),
    ("Named", {"name": "x", "own": 1}, 'the option "own" is an integer; bool'),
    ("Asking", {"backend": "x", "seconds": True}, 'the option "seconds" is a boolean; float')])
def test_options_that_are_wrong(use: str, options: Mapping[str, object], text: str) -> None:
    with pytest.raises(LbdError, match=text):
        plugin.make(FilterConfig(f"tests.filters.own:{use}", options), CONTEXT)


def test_a_whole_number_is_a_float() -> None:
    plugin.make(FilterConfig("tests.filters.own:Asking", {"backend": "x", "seconds": 1}), CONTEXT)
