"""`lbd -c FILE` and `lbd --listen … --server …`: what is read, and what wins."""

import argparse

import pytest

from lbd.cli.commands import daemon
from lbd.errors import ConfigError, UsageError

FILE = """
[listeners.web]
bind = "127.0.0.1:8080"
backend = "app"
[backends.app]
servers = { a = "127.0.0.1:9001" }
"""


def args(*words):
    parser = argparse.ArgumentParser()
    daemon.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lbd.toml"
    path.write_text(FILE)
    return str(path)


def test_a_file_with_options_beside_it(file):
    words = ("-c", file, "--workers", "auto", "--algorithm", "least-connections", "--health-interval", "5s")
    config = daemon.loader(args(*words))().config
    assert config.global_.workers == 0
    assert config.backends["app"].algorithm.name == "least-connections"


def test_a_reload_reads_the_file_again(file):
    load = daemon.loader(args("-c", file))
    assert load().config.backends["app"].servers.keys() == {"a"}
    with open(file, "a") as more:
        more.write("max_idle = 5\n")
    assert load().config.backends["app"].max_idle == 5


def test_without_a_file():
    config = daemon.loader(args("--listen", "127.0.0.1:8080", "--server", "127.0.0.1:1", "--server", "127.0.0.1:2",
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
        daemon.loader(args(*words))


def test_a_bad_file(file):
    with open(file, "a") as more:
        more.write("nonsense = 1\n")
    with pytest.raises(ConfigError):
        daemon.run(args("-c", file))
