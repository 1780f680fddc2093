"""lbd.cli.guide: the texts that come with the package."""

import re
import tomllib
from pathlib import Path

import pytest

from lbd.cli import guide
from lbd.cli.command_line import main

ROOT = Path(__file__).parents[2]
TOPICS = guide.topics()


def test_topics_are_the_texts_by_name(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", "c.txt"):
        (tmp_path / name).write_text("# About it\n\nText.\n")
    assert list(guide.topics(tmp_path)) == ["a", "b"]
    assert "security" in TOPICS


def test_pyproject_installs_them() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "guide/*.md" in setuptools["package-data"]["*"]


@pytest.mark.parametrize("topic", TOPICS)
def test_the_readme_links_each(topic: str) -> None:
    assert f"](lbd/guide/{topic}.md)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("topic", TOPICS)
def test_a_key_or_command_that_a_text_names_exists(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = TOPICS[topic].read_text()
    main(["schema"])
    main(["help"])
    known = capsys.readouterr().out + (ROOT / "systemd/lbd.service").read_text() + (ROOT / "README.md").read_text()
    named = {word for quoted in re.findall(r"`([^`]+)`", text) for word in re.findall(r"[a-z]+(?:_[a-z]+)+", quoted)}
    assert len(named) > 10
    assert sorted(word for word in named if word not in known) == []
    commands = {quoted.split()[1] for quoted in re.findall(r"`(lbd [a-z]+[^`]*)`", text)}
    assert sorted(word for word in commands if f"\n  {word} " not in known) == []


def test_security_tells_of_every_peer_and_of_the_unit() -> None:
    text = TOPICS["security"].read_text()
    for word in ("Clients", "trusted_proxies", "Servers", "Registered servers", "admin interface", "token_file",
                 "configuration", "environment", "Workers and the supervisor", "report a vulnerability", "(hidden)"):
        assert word in text, word
    unit = (ROOT / "systemd/lbd.service").read_text()
    for setting in re.findall(r"`([A-Z]\w+)(?:=[^`]*)?`", text.partition("## What the systemd unit gives")[2]
                              .partition("It does not restrict")[0]):
        assert f"{setting}=" in unit, setting
    assert "MemoryDenyWriteExecute=" not in unit
    assert "IPAddressAllow=" not in unit


def test_security_says_the_bounds_that_are_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    main(["schema"])
    schema = capsys.readouterr().out
    text = TOPICS["security"].read_text()
    bounds = re.findall(r"`(\w+)` \((\d[\d ]*\w*)\)", text)
    assert len(bounds) > 4
    for key, value in bounds:
        assert re.search(rf'^{key} = "?{value.replace(" ", "")}"?\s', schema, re.MULTILINE) or \
            re.search(rf'^# {key} = "?{value.replace(" ", "")}"?\s', schema, re.MULTILINE), key
