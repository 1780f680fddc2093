"""lbd.cli.simulation.picture: a PNG file where matplotlib is installed, else what to install."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

from lbd.cli.simulation import picture
from lbd.errors import LbdError
from lbd.simulation.figures import AlgorithmFigures

FOUND = [AlgorithmFigures(name, 10, 0, 0.1, 0.1, 0.1, 0.1, 1.0, {"a": 1.0}, None, line)
         for name, line in (("random", [(0.0, 0.1), (1.0, 0.2)]), ("first", []))]

needs_matplotlib = pytest.mark.skipif(not importlib.util.find_spec("matplotlib"), reason="matplotlib is not installed")


@needs_matplotlib
def test_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "p99.png"
    picture.draw(FOUND, "title", str(file))
    assert file.read_bytes().startswith(b"\x89PNG")


@needs_matplotlib
def test_nothing_to_draw_and_nowhere_to_write(tmp_path: Path) -> None:
    picture.draw(FOUND[1:], "title", str(tmp_path / "empty.png"))
    with pytest.raises(LbdError, match=r"--png: .*/no/p99.png cannot be written: No such file"):
        picture.draw(FOUND, "title", str(tmp_path / "no" / "p99.png"))


def test_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(picture, "importlib", SimpleNamespace(import_module=missing))
    with pytest.raises(LbdError, match=r"^--png needs matplotlib, which is not installed: pip install 'lbd\[plot\]'$"):
        picture.pen()
