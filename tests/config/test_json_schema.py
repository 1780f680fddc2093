"""Tests of lbd.config.json_schema: it takes what the reader takes, and knows the usual mistakes."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lbd.balance import ALGORITHMS
from lbd.config.json_schema import json_schema
from lbd.health import CHECKS
from tests.config import conftest
from tests.config.conftest import WHOLE, cases

CONF = Path(__file__).parents[2] / "conf"
REAL = json_schema(ALGORITHMS, CHECKS)
SMALL = Draft202012Validator(json_schema(conftest.ALGORITHMS, conftest.CHECKS))


def mistakes(text: str) -> list[Any]:
    return list(SMALL.iter_errors(tomllib.loads(text)))


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(REAL)


@pytest.mark.parametrize("name", ["lbd.toml", "minimal.toml", "demo.toml"])
def test_it_takes_conf(name: str) -> None:
    Draft202012Validator(REAL).validate(tomllib.loads((CONF / name).read_text()))


@pytest.mark.parametrize("keys", [
    "algorithm = 'least-connections'", "algorithm = { name = 'consistent-hash', key = 'url' }", "algorithm = 'a.b:C'",
    "health = 'web'", "health = { path = '/' }", "health = { type = 'tcp' }", "timeouts.connect = '1s'",
    "retry_on = 502", "retry_on = ['timeout', '504']", "request_headers.set = { X-A = 'b' }", "max_idle = 0",
])
def test_it_takes(keys: str) -> None:
    assert mistakes(f"[backends.app]\n{keys}\n{WHOLE}") == []


@pytest.mark.parametrize("keys", [
    "algorithm = 'maglev'", "algorithm = { name = 'round-robin', key = 'url' }",
    "algorithm = { name = 'consistent-hash' }", "health = { type = 'tcp', path = '/' }", "health = 5",
    "timeouts.connect = 1", "zzz = 1", "max_in_flight = 0", "retry_on = 500", "resolve = '5x'",
    "max_idle = -1", "sticky = { cokie = 'x' }", "when_all_down = 'x'", "servers.a = {}",
])
def test_it_refuses(keys: str) -> None:
    assert mistakes(f"[backends.app]\n{keys}\n{WHOLE.partition('[backends')[0]}") != []


# What no schema can say: names that exist, and what a text stands for.
BEYOND = ("trusted_proxies", "'0s'", "'1ms'", "Connection", "'webb'", "health = 'x'")


@pytest.mark.parametrize("lines", [lines for lines, _ in cases("wrong_tables.txt")
                                   if not any(word in lines for word in BEYOND)])
def test_it_refuses_what_the_reader_refuses(lines: str) -> None:
    assert mistakes(f"{lines}\n{WHOLE}") != []


def test_every_key_is_described() -> None:
    def check(table: dict[str, Any]) -> None:
        for name, about in table.get("properties", {}).items():
            assert "description" in about or "const" in about, name

    check(REAL)
    for table in REAL["$defs"].values():
        for form in table.get("anyOf", [table]):
            check(form)
