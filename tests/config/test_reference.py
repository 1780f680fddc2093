"""Tests of lbd.config.reference: conf/lbd.toml is the reference, holds every key with its default, and can be read."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lbd.balance import ALGORITHMS
from lbd.config.reader import read_file
from lbd.config.reference import COMMENTS, toml_reference, written
from lbd.health import CHECKS
from lbd.schema import REQUIRED, AlgorithmConfig, Config, HealthPolicy, Key, ServerConfig, Timeouts, keys
from tests.config import conftest

CONF = Path(__file__).parents[2] / "conf"
TEXT = (CONF / "lbd.toml").read_text()


def uncommented(text: str) -> str:
    """The text with every key and table that stands in a comment."""
    return re.sub(r"^# (?=\[|(?!algorithm = \{)[a-z0-9_]+ = )", "", text, flags=re.MULTILINE)


def every_key(section: type, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Key]]:
    """All keys of the schema, with `*` for names; timeouts and policies in place only where they are first told of."""
    for name, (_, about) in keys(section).items():
        here = (*path, name)
        yield here, about
        if about.section is not None and not (about.section is Timeouts and path):
            yield from every_key(about.section, (*here, "*") if about.named else here)


def given_keys(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """All key paths of TOML data, each as it is and with `*` for each part."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield (*path, name)
            yield from given_keys(item, (*path, name))
            yield from given_keys(item, (*path, "*"))
    elif isinstance(value, list):
        for item in value:
            yield from given_keys(item, path)


def test_conf_is_the_reference() -> None:
    assert toml_reference(ALGORITHMS, CHECKS) == TEXT, "conf/lbd.toml is old: lbd schema > conf/lbd.toml"


@pytest.mark.parametrize("name", ["lbd.toml", "minimal.toml"])
def test_conf_can_be_read(name: str) -> None:
    loaded = read_file(str(CONF / name), ALGORITHMS, CHECKS)
    assert {problem.message for problem in loaded.warnings} <= {"has no effect yet"}


def test_every_key_is_there() -> None:
    data = tomllib.loads(uncommented(TEXT))
    there = set(given_keys(data))
    assert [".".join(path) for path, _ in every_key(Config) if path not in there] == []


def test_every_key_has_its_default() -> None:
    data = tomllib.loads(TEXT)
    for path, about in every_key(Config):
        if about.kind is None or about.default in (None, REQUIRED) or about.refused or path[-1] == "errors":
            continue
        found: object = data
        for part in path:
            inner = found[0] if isinstance(found, list) else found
            assert isinstance(inner, dict)
            if part == "*":
                found = next((item for item in inner.values() if isinstance(item, dict)), None)
            else:
                found = inner.get(part, about)
            if found is about or found is None:
                break
        else:
            assert found == about.default, path
            continue
        assert f"# {path[-1]} = {written(about.default)}" in TEXT, path


def test_reading_it_gives_the_defaults() -> None:
    config = read_file(str(CONF / "lbd.toml"), ALGORITHMS, CHECKS).config
    default = Config()
    for name in ("include", "global_", "log", "admin", "metrics", "timeouts", "errors"):
        assert getattr(config, name) == getattr(default, name), name
    app = config.backends["app"]
    assert app.algorithm == AlgorithmConfig()
    assert app.servers["b"] == ServerConfig(app.servers["b"].address)
    assert config.health["http"] == HealthPolicy(options=CHECKS["http"].Options())


def test_every_key_has_one_comment() -> None:
    for line in TEXT.splitlines():
        if re.match(r"(# )?[a-z_]+ = ", line) and not line.startswith("# algorithm = "):
            assert re.search(r" # \S", line[2:]), line
            assert line.index(" # ", 2) >= COMMENTS - 2, line


def test_options_of_algorithms_are_shown() -> None:
    text = toml_reference(conftest.ALGORITHMS, conftest.CHECKS)
    assert '# algorithm = { name = "consistent-hash", key = "url", factor = 1.25 }\n#   key: what is hashed\n' in text


@pytest.mark.parametrize(("value", "text"), [
    (True, "true"), (5, "5"), (1.5, "1.5"), ('a"\n', '"a\\"\\n"'), ([], "[]"), (["a", 1], '["a", 1]'), ({}, "{}"),
    ({"a b": {"c": 1}}, '{ "a b" = { c = 1 } }'),
])
def test_written(value: object, text: str) -> None:
    assert written(value) == text
    assert tomllib.loads(f"x = {text}")["x"] == value
