"""The history: what is kept, and the way back."""

from pathlib import Path

import pytest

from lbd.errors import LbdError
from lbd.reload.history import KEPT, History
from lbd.schema import Config, Global


def numbered(workers):
    return Config(global_=Global(workers=workers))


def test_the_way_back(tmp_path):
    history = History(str(tmp_path))
    history.keep(numbered(1))
    history.keep(numbered(1))
    with pytest.raises(LbdError, match="no earlier generation"):
        history.previous()
    history.keep(numbered(2))
    history.keep(numbered(3))
    assert "workers = 2" in Path(history.previous()).read_text()
    history.step_back()
    assert "workers = 1" in Path(history.previous()).read_text()
    again = History(str(tmp_path))
    again.keep(numbered(2))
    assert "workers = 1" in Path(again.previous()).read_text()


def test_the_last_ten_are_kept_for_the_owner_only(tmp_path):
    history = History(str(tmp_path))
    for count in range(1, 15):
        history.keep(numbered(count))
    files = sorted((tmp_path / "generations").iterdir())
    assert [file.name for file in files] == [f"{number:08}.toml" for number in range(5, 15)]
    assert len(files) == KEPT
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_disk_that_cannot_be_written_to_costs_only_the_way_back(tmp_path):
    History(str(tmp_path / "missing" / "directory")).keep(numbered(1))


def test_nothing_is_kept_without_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    history = History("")
    history.keep(numbered(1))
    history.keep(numbered(2))
    assert list(tmp_path.iterdir()) == []
    for ask in (history.previous, history.possible):
        with pytest.raises(LbdError, match=r'no way back: generations are kept in global\.state_dir, which is "off"'):
            ask()
