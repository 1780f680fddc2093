"""`lbd -c FILE`: a configuration that cannot be used ends it before it serves."""

import argparse

import pytest

from lbd.cli.commands import daemon
from lbd.errors import ConfigError

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


def test_a_bad_file(file):
    with open(file, "a") as more:
        more.write("nonsense = 1\n")
    with pytest.raises(ConfigError):
        daemon.run(args("-c", file))
