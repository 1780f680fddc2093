"""Directories: made private, the user's own where the default cannot be had."""

import os
import stat

import pytest

from lbd.errors import LbdError
from lbd.process.directories import let_through, private, state


def test_a_missing_one_is_made_private(tmp_path):
    path = tmp_path / "a" / "b"
    assert private(str(path), "k", "/nope", "X", {}) == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_only_the_default_is_replaced(tmp_path):
    (tmp_path / "file").write_text("")
    blocked = str(tmp_path / "file" / "lbd")
    assert private(blocked, "k", blocked, "X", {"X": str(tmp_path)}) == str(tmp_path / "lbd")
    with pytest.raises(LbdError, match=r"^k: directory .*/file/lbd cannot be used: "):
        private(blocked, "k", "/other", "X", {"X": str(tmp_path)})
    with pytest.raises(LbdError, match="set k, or X in the environment"):
        private(blocked, "k", blocked, "X", {})


@pytest.mark.parametrize(("mode", "wanted"), [(0o600, 0o700), (0o660, 0o710), (0o640, 0o710), (0o666, 0o711)])
def test_only_whoever_may_use_the_file_passes(tmp_path, mode, wanted):
    path = tmp_path / "a"
    path.mkdir(0o700)
    let_through(str(path), mode)
    assert stat.S_IMODE(path.stat().st_mode) == wanted
    let_through(str(tmp_path / "nope"), mode)


def test_the_directory_of_state_may_be_none(tmp_path):
    assert state("off", (1, 1)) == ""
    assert state(str(tmp_path / "s"), None) == str(tmp_path / "s")
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_given_away(tmp_path, monkeypatch):
    def denied(path, uid, gid):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "chown", denied)
    with pytest.raises(LbdError, match=r"^global.state_dir: .*/s cannot be given to the user of \[global\]: Operation"):
        state(str(tmp_path / "s"), (1, 1))
