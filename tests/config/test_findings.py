"""Tests of lbd.config.findings: problems get their places, and come in the order of the files."""

import pytest

from lbd.config.findings import Findings, dotted
from lbd.errors import ConfigError


def findings() -> Findings:
    found = Findings("a.toml")
    found.files.append("b.toml")
    found.places = {("x",): ("b.toml", 3, 1), ("x", "y"): ("b.toml", 4, 5), ("z",): ("a.toml", 9, 1)}
    return found


def test_dotted() -> None:
    assert dotted(("listeners", "web", "routes", 0, "path")) == "listeners.web.routes[0].path"
    assert dotted(("a b", 'c"', "é\n", "d.e")) == '"a b"."c"."\\xe9\\n"."d.e"'.replace('"c"', '"c""')
    assert dotted(()) == ""


def test_a_key_that_is_not_there_stands_where_its_table_stands() -> None:
    found = findings()
    assert found.where(("x", "y")) == ("b.toml", 4, 5)
    assert found.where(("x", "y", "deeper", 0)) == ("b.toml", 4, 5)
    assert found.where(("nowhere",)) == ("a.toml", 0, 0)
    assert found.given(("x", "y"))
    assert not found.given(("x", "w"))


def test_order_of_files_and_lines() -> None:
    found = findings()
    found.error(("x", "y"), "third")
    found.warn(("z",), "a warning")
    found.error(("z",), "second")
    found.error((), "first")
    with pytest.raises(ConfigError) as error:
        found.settle(("/a.toml",))
    assert str(error.value).split("\n") == ["a.toml: first", "a.toml:9:1: z: second", "b.toml:4:5: x.y: third"]
    assert [str(problem) for problem in error.value.warnings] == ["a.toml:9:1: z: a warning"]
    assert error.value.files == ("/a.toml",)


def test_warnings_alone_do_not_hinder() -> None:
    found = findings()
    found.warn(("z",), "a warning")
    assert [problem.message for problem in found.settle(())] == ["a warning"]


def test_what_an_unread_file_may_hold_is_not_missing() -> None:
    found = findings()
    found.missing(("z",), "is no backend")
    assert len(found.problems) == 1
    found.complete = False
    found.missing(("x",), "is no backend")
    assert len(found.problems) == 1
    assert not found.sound(("x",))


def test_paths_begin_in_the_directory_of_the_file() -> None:
    found = Findings("/etc/lbd/lbd.toml")
    found.places = {("x",): ("/etc/lbd/lbd.d/x.toml", 1, 1)}
    assert found.directory(("x", "y")) == "/etc/lbd/lbd.d"
    assert found.directory(("z",)) == "/etc/lbd"
