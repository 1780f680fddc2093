"""lbd.cli.commands.help: commands, options and topics."""

import pytest

from lbd.cli import guide
from lbd.cli.command_line import COMMANDS, main


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_alone_it_is_that_of_lbd(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "help") == shown(capsys, "--help")


@pytest.mark.parametrize("command", [name for name, _, _ in COMMANDS])
def test_that_of_a_command_is_its_own(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert shown(capsys, "help", command) == shown(capsys, command, "--help")


@pytest.mark.parametrize("topic", guide.topics())
def test_a_topic_is_printed_as_it_is(capsys: pytest.CaptureFixture[str], topic: str) -> None:
    assert shown(capsys, "help", topic) == guide.topics()[topic].read_text()
    assert topic in shown(capsys, "help")


@pytest.mark.parametrize(("word", "hint"), [
    ("drian", '; did you mean "drain"?'), ("securty", '; did you mean "security"?'), ("qqq", "")])
def test_what_is_neither(capsys: pytest.CaptureFixture[str], word: str, hint: str) -> None:
    assert main(["help", word]) == 2
    assert capsys.readouterr().err == f'lbd: "{word}" is no command and no topic{hint} (lbd help lists them all)\n'
