"""lbd.cli.commands.help: commands, options and topics."""

from types import ModuleType

import pytest

from lbd.cli import guide
from lbd.cli.command_line import COMMANDS, MODULES, REFERENCES, main
from lbd.cli.commands.help import ENTRIES, WHOLE
from lbd.cli.reference import keys

TAKEN = {*MODULES, *guide.topics(), *WHOLE}      # subjects of their own, whatever key has the same name


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def test_alone_it_is_that_of_lbd(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "help") == shown(capsys, "--help")


@pytest.mark.parametrize("command", [name for name, _, _, _ in COMMANDS])
def test_that_of_a_command_is_its_own(capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert shown(capsys, "help", command) == shown(capsys, command, "--help")


def test_that_of_a_command_names_the_guides_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "help", "reload").endswith("\nexamples:\n  lbd help reloading\n")
    assert "examples:" not in shown(capsys, "help", "version")


@pytest.mark.parametrize("topic", guide.topics())
def test_a_topic_is_printed_as_it_is(capsys: pytest.CaptureFixture[str], topic: str) -> None:
    assert shown(capsys, "help", topic) == guide.text(guide.topics()[topic])


def test_guides_and_references_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    listed = " ".join(shown(capsys, "help").split())
    for topic, path in guide.topics().items():
        assert f" {topic} {guide.summary(path)} " in listed
    for name, _, text in REFERENCES:
        assert f" {name} {text} " in listed


@pytest.mark.parametrize("name", WHOLE)
def test_a_reference_is_printed_as_a_whole(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert shown(capsys, "help", name) == WHOLE[name].table()


@pytest.mark.parametrize("reference", ENTRIES, ids=lambda reference: reference.__name__.split(".")[-1])
def test_each_of_its_entries_is_found(capsys: pytest.CaptureFixture[str], reference: ModuleType) -> None:
    for name in reference.names():
        if name not in TAKEN:
            assert reference.entry(name) in shown(capsys, "help", name)


def test_every_key_is_found_by_its_path(capsys: pytest.CaptureFixture[str]) -> None:
    for entry in keys.entries():
        path = ".".join(entry.path)
        if path not in TAKEN:
            assert path in shown(capsys, "help", path)


@pytest.mark.parametrize(("word", "hint"), [
    ("drian", "drain"), ("securty", "security"), ("max_cons", "max_conns"), ("lbd_retris_total", "lbd_retries_total"),
    ("queue-fll", "queue-full"), ("qqq", "")])
def test_what_is_none_of_them(capsys: pytest.CaptureFixture[str], word: str, hint: str) -> None:
    assert main(["help", word]) == 2
    meant = f'; did you mean "{hint}"?' if hint else ""
    assert capsys.readouterr().err == (f'lbd: "{word}" is no command, guide, key, metric or ending{meant} '
                                       "(lbd help lists commands and guides)\n")
