"""lbd.cli.emphasis: bold headings and coloured words, on a terminal only."""

import os
import sys

import pytest

from lbd.cli import emphasis

TEXT = "usage: lbd check [options]\n\ngroup of things:\n  -c FILE, --config FILE  read it\n  a\n      deeper: yes\n"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.usefixtures("terminal")
def test_headings_and_first_columns() -> None:
    assert emphasis.emphasised(TEXT) == (
        "\x1b[1musage:\x1b[0m lbd check [options]\n\n\x1b[1mgroup of things:\x1b[0m\n"
        "  \x1b[36m-c FILE, --config FILE\x1b[0m  read it\n  \x1b[36ma\x1b[0m\n      deeper: yes\n")


@pytest.mark.usefixtures("terminal")
def test_names_and_comments_of_a_reference() -> None:
    text = ('[health.http]   # a policy\ntype = "http"\n# port = 1\n'
            "lbd_x_total{a,b}\n    counter: Of it.\nending ok\na.NAME.b (c)\n")
    assert emphasis.of_reference(text) == (
        '\x1b[1m[health.http]\x1b[0m   \x1b[2m# a policy\x1b[0m\ntype = "http"\n\x1b[2m# port = 1\x1b[0m\n'
        "\x1b[1mlbd_x_total{a,b}\x1b[0m\n    counter: Of it.\n\x1b[1mending ok\x1b[0m\n\x1b[1ma.NAME.b (c)\x1b[0m\n")


def test_nothing_where_it_is_no_terminal() -> None:
    assert emphasis.of_reference("[a]\n") == "[a]\n"
    assert emphasis.emphasised(TEXT) == TEXT
    assert emphasis.width(110) == 110


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_nothing_where_it_is_not_wanted(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert emphasis.emphasised(TEXT) == TEXT


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("columns", "width"), [(200, 110), (80, 80), (10, 40)])
def test_as_wide_as_the_terminal(columns: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda fallback: os.terminal_size((columns, 24)))
    assert emphasis.width(110) == width
