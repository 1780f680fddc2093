"""lbd.cli.commands.version: one line, however it is asked for."""

import pytest

from lbd import __version__
from lbd.cli.command_line import main


@pytest.mark.parametrize("words", ["version", "--version", "-V", "-V -c none.toml", "-c none.toml -V"])
def test_it_is_one_line(capsys: pytest.CaptureFixture[str], words: str) -> None:
    assert main(words.split()) == 0
    assert capsys.readouterr() == (f"lbd {__version__}\n", "")


def test_it_takes_no_more_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "more"]) == 2
    assert "one word too many" in capsys.readouterr().err
