"""Tests of lbd.cli.commands.schema: the reference on standard output."""

import json
from pathlib import Path

import pytest

from lbd.cli.command_line import main

REFERENCE = Path(__file__).parents[3] / "conf" / "lbd.toml"


def test_toml(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == REFERENCE.read_text()


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--json"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "listeners" in schema["properties"]
