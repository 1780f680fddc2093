"""lbd.cli.guide: the guides that come with the package, and README, which leads to them."""

import ast
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from lbd.backend.algorithm import Algorithm
from lbd.cli import command_line, grammar, guide
from lbd.cli.command_line import main
from lbd.cli.reference import keys, metrics
from lbd.exchange.filter import Filter
from lbd.stats.endings import ENDINGS
from tests.authority import Authority
from tests.test_source import RUNGS

ROOT = Path(__file__).parents[2]
TOPICS = guide.topics()
README = ROOT / "README.md"
TEXTS = {"README": README, **TOPICS}
MOST_OF_README = 150      # lines
MOST_OF_SUMMARY = 110     # characters
MOST_OF_PICTURE = 150_000  # bytes

GUIDES = pytest.mark.parametrize("topic", TOPICS)
EVERY = pytest.mark.parametrize("topic", TEXTS)

SERVERS = {"servers": {"a": "127.0.0.1:9001"}}
COMMANDS = {command.name: command for command in grammar.commands()}


def blocks(topic: str, *languages: str) -> list[str]:
    return [block for language, block in re.findall(r"^```(\w*)\n(.*?)^```", TEXTS[topic].read_text(),
                                                    re.DOTALL | re.MULTILINE) if language in languages]


def typed(topic: str) -> Iterator[list[str]]:
    """The words after `lbd` of every command that the reader is told to type."""
    text = TEXTS[topic].read_text()
    lines = [line for block in blocks(topic, "sh") for line in block.replace("\\\n", " ").splitlines()]
    lines += [line[2:] for block in blocks(topic, "console") for line in block.replace("\\\n", " ").splitlines()
              if line.startswith("$ ")]
    lines += re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    for line in lines:
        for command in re.split(r"&&|\||;|\$\(|<\(|\)", line.split("  #")[0]):
            words = shlex.split(command.replace("'", '"'), comments=True) if command.count('"') % 2 == 0 else []
            if words and words[0].rpartition("/")[2] == "lbd" and not words[0].startswith("pip"):
                yield words[1:]


def test_topics_are_the_texts_by_name(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", "c.txt"):
        (tmp_path / name).write_text("# About it\n\nText of it\nin one sentence.\n\nMore.\n")
    assert list(guide.topics(tmp_path)) == ["a", "b"]
    assert guide.summary(tmp_path / "a.md") == "text of it in one sentence"


def test_guides_with_an_example_of_a_command(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("```sh\nlbd drain app/a\n```\n")
    (tmp_path / "b.md").write_text("```console\n$ lbd drain app/a\n```\n")
    (tmp_path / "c.md").write_text("`lbd drain` and\n```sh\nlbd drain-all\n```\n")
    assert guide.running("drain", tmp_path) == ["a", "b"]
    assert guide.running("reload") == ["reloading"]


def test_a_table_of_the_code_stands_where_a_guide_asks_for_it(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("before\n<!-- table: endings -->\nafter\n")
    text = guide.text(tmp_path / "a.md")
    assert text == f"before\n{guide.TABLES['endings']()}after\n"


def test_the_guide_to_endings_lists_them_as_they_are() -> None:
    text = guide.text(TOPICS["endings"])
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| ([0-9]+|-) \| (.*) \|$", text, re.MULTILINE)
    assert rows == [(ending.name, ending.blame, str(ending.status or "-"), ending.text) for ending in ENDINGS]


def test_every_table_that_a_guide_asks_for_is_known() -> None:
    asked = {place[1] for path in TOPICS.values() for place in guide.PLACE.finditer(path.read_text())}
    assert asked == set(guide.TABLES)


def test_pyproject_installs_them() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert {"guide/*.md", "guide/*.png"} <= set(setuptools["package-data"]["*"])
    for picture in guide.DIRECTORY.glob("*.png"):
        assert picture.stat().st_size < MOST_OF_PICTURE


def test_the_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= MOST_OF_README


@GUIDES
def test_the_readme_links_each(topic: str) -> None:
    assert f"](lbd/guide/{topic}.md)" in README.read_text()


@GUIDES
def test_each_opens_with_one_sentence(topic: str) -> None:
    title, sentence, _ = TOPICS[topic].read_text().split("\n\n", 2)
    assert title.startswith("# ")
    assert sentence.endswith(".")
    assert ". " not in sentence.replace("\n", " ")
    assert len(sentence) <= MOST_OF_SUMMARY


@EVERY
def test_links_lead_somewhere(topic: str) -> None:
    path = TEXTS[topic]
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if target.startswith(("http:", "https:")):
            continue
        name, _, heading = target.partition("#")
        aim = (path.parent / name).resolve() if name else path
        assert aim.is_file(), target
        assert aim.is_relative_to(ROOT), target
        headings = [re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                    for line in aim.read_text().splitlines() if line.startswith("#")] if heading else [""]
        assert heading in headings, target


@EVERY
def test_commands_to_type_exist(topic: str) -> None:
    found = 0
    for words in typed(topic):
        command, rest = command_line.split(words)     # raises where there is no such command
        flags = {flag for option in COMMANDS[command].options for flag in option.flags}
        rest = rest[:rest.index("--")] if "--" in rest else rest
        unknown = [word for word in rest if re.match(r"--?[a-zA-Z]", word) and word.partition("=")[0] not in flags]
        assert unknown == [], words
        found += 1
    assert found or topic in ("tcp", "tls", "access-log", "comparing", "contributing"), "nothing to type"


@EVERY
def test_configurations_are_accepted(topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    for block in blocks(topic, "python"):
        (tmp_path / block.partition("\n")[0].removeprefix("# ")).write_text(block)
    for block in blocks(topic, "toml"):
        path = tmp_path / "lbd.toml"
        path.write_text(tomli_w.dumps(completed(tomllib.loads(block), tmp_path)))
        assert main(["check", "-c", str(path)]) == 0, capsys.readouterr().err + block


def completed(data: dict[str, Any], directory: Path) -> dict[str, Any]:
    """The tables of a block with those that they need and leave out, and files of its own in the place of theirs."""
    backends = data.setdefault("backends", {})
    listeners = data.setdefault("listeners", {})
    for listener in listeners.values():
        listener.setdefault("bind", "127.0.0.1:8080")
        routes = [route for route in listener.get("routes", []) if "backend" in route]
        if "https_redirect" not in listener and not routes:
            listener.setdefault("backend", "app")
        for name in (listener.get("backend"), *(route["backend"] for route in routes)):
            if name is not None:
                backends.setdefault(name, {})
    used = {name for listener in listeners.values()
            for name in (listener.get("backend"), *(route.get("backend") for route in listener.get("routes", [])))}
    unused = sorted(set(backends) - used)
    for place, name in enumerate(unused or ([] if listeners else ["app"])):
        listeners[f"web{place}"] = {"bind": f"127.0.0.1:{8081 + place}", "backend": name}
        backends.setdefault(name, {})
    for backend in backends.values():
        if not backend.get("servers"):
            backend.update(SERVERS)
        if isinstance(backend.get("health"), str):
            data.setdefault("health", {}).setdefault(backend["health"], {"type": "tcp"})
    replaced: dict[str, Any] = tomllib.loads(with_files(tomli_w.dumps(data), directory))
    return replaced


def with_files(text: str, directory: Path) -> str:
    """The text with certificates and tokens in files that are there."""
    authority = Authority(directory)
    pem = authority.issue("server.pem", "example.com")
    (directory / "tokens").write_text("0123456789abcdef\n")
    text = re.sub(r'"/etc/[^"]*\.key"|"/etc/letsencrypt/[^"]*"', f'"{pem}"', text)
    text = re.sub(r'"/etc/lbd/tokens"', f'"{directory}/tokens"', text)
    return re.sub(r'"/etc/[^"]*\.(?:pem|crt)"', f'"{pem}"', text)


@EVERY
def test_a_key_or_metric_that_a_text_names_exists(topic: str) -> None:
    text = TEXTS[topic].read_text()
    quoted = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    named = {word for part in quoted for word in re.findall(r"(?<![\w/.:])[a-z]+(?:_[a-z0-9]+)+(?![\w/(])", part)}
    known = {name + suffix for name in metrics.names() for suffix in ("", "_total")} | set(keys.names()) | OTHERS
    assert sorted(named - known) == []


# Words with an underscore that are none of lbd's keys.
OTHERS = {"first_byte", "bytes_in", "bytes_out", "user_agent", "tls_version", "tls_cipher", "client_port",  # log fields
          "access_log", *vars(Algorithm), *vars(Filter)}


def test_security_tells_of_every_peer_and_of_the_unit() -> None:
    text = TOPICS["security"].read_text()
    for word in ("Clients", "trusted_proxies", "Servers", "Registered servers", "admin interface", "token_file",
                 "configuration", "environment", "Workers and the supervisor", "Report a vulnerability", "(hidden)"):
        assert word in text, word
    unit = (ROOT / "systemd/lbd.service").read_text()
    for setting in re.findall(r"`([A-Z]\w+)(?:=[^`]*)?`", text.partition("## The systemd unit")[2]
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


def names_in(path: Path) -> set[str]:
    """`function`, `Class` and `Class.method` of a file; of a kernel those that its text defines."""
    text = path.read_text()
    if path.suffix != ".py":
        return set(re.findall(r"^(?:\s*)(?:cdef class|class|cp?def|def)\s[^(=:]*?(\w+)\s*[(:]", text, re.MULTILINE))
    tree = ast.parse(text)
    tables = {target.id for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign)
              for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
              if isinstance(target, ast.Name)}
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    inner = {f"{node.name}.{item.name}" for node in tree.body if isinstance(node, ast.ClassDef)
             for item in node.body if isinstance(item, kinds)}
    return tables | inner | {node.name for node in tree.body if isinstance(node, kinds)}


def test_contributing_draws_the_rooms_as_they_are() -> None:
    drawing = TOPICS["contributing"].read_text().partition("## Rooms")[2].split("```")[1]
    drawn = [set(line.split()) for line in drawing.strip().splitlines()]
    assert drawn == [set(rooms) for rooms in RUNGS if set(rooms) - {"__main__", ""}]


def test_contributing_tells_of_every_room() -> None:
    told = re.findall(r"^\| `(\w+)` \|", TOPICS["contributing"].read_text(), re.MULTILINE)
    assert sorted(told) == sorted(path.name for path in (ROOT / "lbd").iterdir() if (path / "__init__.py").is_file())


def test_what_contributing_names_exists() -> None:
    text = TOPICS["contributing"].read_text()
    named = re.findall(r"`((?:lbd|tests|conf)/[\w/.]+\.(?:py|pyx|pxd|md|toml))(?::([\w.]+))?`", text)
    assert len(named) > 30
    missing = [f"{file}:{name}" for file, name in named if not re.search("NAME|FILE|ROOM|/a/", file)
               and not ((ROOT / file).is_file() and (not name or name in names_in(ROOT / file)))]
    assert missing == []


def test_contributing_names_every_marker() -> None:
    markers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["markers"]
    for marker in markers:
        assert f"pytest -m {marker.partition(':')[0]} " in TOPICS["contributing"].read_text()
