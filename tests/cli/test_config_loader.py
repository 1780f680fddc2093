"""`lbd -c FILE` and `lbd --listen … --server …`: what is read, and what wins."""

import argparse
import subprocess
import sys

import pytest

from lbd.cli import argument_types, options
from lbd.cli.config_loader import loader
from lbd.errors import UsageError

FILE = """
[listeners.web]
bind = "127.0.0.1:8080"
backend = "app"
[backends.app]
servers = { a = "127.0.0.1:9001" }
"""


def args(*words):
    parser = argparse.ArgumentParser()
    argument_types.add_group(parser, options.CONFIGURATION, "configuration")
    return parser.parse_args(words)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lbd.toml"
    path.write_text(FILE)
    return str(path)


def test_a_file_with_options_beside_it(file):
    words = ("-c", file, "--workers", "auto", "--algorithm", "least-connections", "--health-interval", "5s")
    config = loader(args(*words))().config
    assert config.global_.workers == 0
    assert config.backends["app"].algorithm.name == "least-connections"


def test_a_reload_reads_the_file_again(file):
    load = loader(args("-c", file))
    assert load().config.backends["app"].servers.keys() == {"a"}
    with open(file, "a") as more:
        more.write("max_idle = 5\n")
    assert load().config.backends["app"].max_idle == 5


def test_without_a_file():
    config = loader(args("--listen", "127.0.0.1:8080", "--server", "127.0.0.1:1", "--server", "127.0.0.1:2",
                                "--health-path", "/h"))().config
    assert len(config.backends["app"].servers) == 2
    assert config.backends["app"].health.type == "http"


@pytest.mark.parametrize(("words", "text"), [
    ((), "give -c FILE, or --listen"),
    (("--listen", "127.0.0.1:1"), "give -c FILE, or --listen"),
    (("-c", "x", "--server", "127.0.0.1:1"), "not both"),
])
def test_bad_usage(words, text):
    with pytest.raises(UsageError, match=text):
        loader(args(*words))


def test_a_check_and_a_plan_do_without_what_serves():
    loaded = ("import sys, lbd.cli.commands.check, lbd.cli.commands.plan; "
              "print(sorted({'aiohttp', 'jinja2', 'lbd.control', 'uvloop'} & {*sys.modules}))")
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "[]\n"
