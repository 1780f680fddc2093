"""The state file: whole, on the disk before it says so, and never in the way of a start."""

import asyncio
import os
import tomllib

import pytest

from lbd.control import state_file
from lbd.control.state_file import StateFile
from lbd.errors import LbdError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runtime.toml"


async def test_what_is_saved_is_loaded(path):
    made = StateFile(str(path), lambda: "a = [1]\n")
    await made.save()
    found = []
    made.load(found.append)
    made.close()
    assert found == [{"a": [1]}]
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert os.listdir(path.parent) == ["runtime.toml"]


async def test_saves_asked_for_during_one_are_one(path, monkeypatch):
    written = []
    real = state_file._write
    monkeypatch.setattr(state_file, "_write", lambda where, text: (written.append(text), real(where, text)))
    state = {"n": 0}
    made = StateFile(str(path), lambda: f"n = {state['n']}\n")

    async def change(number):
        state["n"] = number
        await made.save()
        assert tomllib.loads(path.read_text())["n"] >= number

    await asyncio.gather(*map(change, range(1, 101)))
    made.close()
    assert len(written) <= 3
    assert written[-1] == "n = 100\n"


async def test_a_full_disk_is_said(path):
    made = StateFile(str(path / "not" / "there"), str)
    with pytest.raises(LbdError, match=r"^it cannot be kept over a restart: .*: No such file"):
        await made.save()
    made.close()


async def test_what_was_asked_for_is_reached_once(path):
    made = StateFile(str(path), lambda: "a = 1\n")
    await made.reach(0)
    assert not path.exists()
    await asyncio.gather(made.save(), made.reach(1))
    made.close()
    assert path.exists()


@pytest.mark.parametrize("content", [b"= nonsense", b"\xff\xfe", b"a = 1", b"x" * 100])
async def test_a_file_that_is_unusable_is_set_aside(path, content, monkeypatch):
    monkeypatch.setattr(state_file, "LARGEST", 50)
    path.write_bytes(content)

    def take(data):
        raise LbdError("not like that")

    StateFile(str(path), str).load(take)
    assert not path.exists()
    aside, = path.parent.iterdir()
    assert aside.read_bytes() == content


async def test_no_file_is_no_trouble(path):
    StateFile(str(path), str).load(pytest.fail)
