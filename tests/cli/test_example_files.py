"""lbd.cli.example_files: the example files are found from the source tree and from an installation."""

import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from lbd.cli.example_files import SHARE, example_file
from lbd.errors import LbdError

ROOT = Path(__file__).parents[2]


def installed(monkeypatch: pytest.MonkeyPatch, prefix: Path) -> None:
    """An installation whose record names files as a wheel's does: relative to site-packages."""
    dist_info = prefix / "lib" / "python" / "site-packages" / "lbd-0.dist-info"
    dist_info.mkdir(parents=True)
    (dist_info / "METADATA").write_text("Name: lbd\nVersion: 0\n")
    (dist_info / "RECORD").write_text(f"lbd/__init__.py,,\n../../../{SHARE}/demo.toml,,\n")
    share = prefix / SHARE
    share.mkdir(parents=True)
    (share / "demo.toml").write_text("# installed\n")
    found = metadata.Distribution.at(dist_info)
    monkeypatch.setattr(metadata, "files", lambda name: found.files)


def test_source_tree() -> None:
    assert example_file("demo.toml") == ROOT / "conf" / "demo.toml"


def test_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, tmp_path)
    assert example_file("demo.toml", tmp_path / "elsewhere").read_text() == "# installed\n"


def test_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, tmp_path)
    with pytest.raises(LbdError, match=r"lacks its share/lbd/other\.toml"):
        example_file("other.toml", tmp_path / "elsewhere")


def test_pyproject_installs_them() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert setuptools["data-files"][SHARE] == ["conf/*"]
