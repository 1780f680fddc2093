"""`lbd -c FILE`: a configuration that cannot be used ends it before it serves."""

import argparse

import pytest

from lbd.cli.commands import daemon
from lbd.errors import ConfigError


def test_a_bad_file(tmp_path):
    (tmp_path / "lbd.toml").write_text("nonsense = 1\n")
    parser = argparse.ArgumentParser()
    daemon.add_arguments(parser)
    with pytest.raises(ConfigError, match="nonsense"):
        daemon.run(parser.parse_args(["-c", str(tmp_path / "lbd.toml")]))
