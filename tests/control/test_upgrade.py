"""The proof that an upgrade needs, and an exec that fails."""

import asyncio
import json
import os
import signal

import pytest

from lbd import __version__
from lbd.control import upgrade
from lbd.errors import LbdError
from lbd.net.tasks import Tasks
from lbd.reload.confirmation import Confirmation
from lbd.reload.trial import Sample, Trial


def test_this_version_takes_a_good_configuration(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text('[listeners.web]\nbind = "127.0.0.1:8080"\nbackend = "a"\n'
                    '[backends.a.servers]\na = "10.0.0.1:80"\n')
    assert upgrade.prove(["-c", str(file)]) == __version__
    file.write_text("nonsense")
    with pytest.raises(LbdError, match=f"does not take the running configuration: {file}:1:9: not valid TOML"):
        upgrade.prove(["-c", str(file)])


def test_a_python_that_is_gone(monkeypatch, tmp_path):
    monkeypatch.setattr(upgrade.sys, "executable", str(tmp_path / "none"))
    with pytest.raises(LbdError, match="cannot be run"):
        upgrade.prove([])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    memory, other = os.memfd_create("x"), os.memfd_create("y")
    with pytest.raises(FileNotFoundError):
        upgrade.become([], memory, [other])
    assert not os.get_inheritable(other)
    os.close(memory)
    os.close(other)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_what_is_missing_is_not_for_want_of_rights(tmp_path):
    upgrade.readable([str(tmp_path / "none.key")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path):
    key = tmp_path / "a.key"
    key.touch(0o000)
    with pytest.raises(LbdError, match=f"{key} cannot be read any more since root was given up"):
        upgrade.readable([str(key)])


class Rig:
    """A reload that says what the files would change, and everything that is called."""

    def __init__(self, monkeypatch):
        self.confirmation = Confirmation(None)
        self.source = self
        self.once = ""
        self.changes = []
        self.needed = []
        self.calls = []
        monkeypatch.setattr(upgrade, "prove", lambda arguments: "2.0")
        monkeypatch.setattr(upgrade, "become", self.become)
        monkeypatch.setattr(upgrade, "ANSWERED", 0.0)
        self.tasks = Tasks(lambda name, error: self.calls.append(error))
        self.upgrade = upgrade.Upgrade(self.tasks, self, 4, self)

    def stay(self):
        self.calls.append("stays")

    def needed_files(self):
        return self.needed

    def require_files(self):
        if self.once:
            raise LbdError(self.once)

    async def plan(self, file):
        return {"changes": self.changes, "summary": "1 server added"}

    def leave(self):
        self.calls.append("leaves")
        return {"sockets": [], "doors": {}, "board": 0, "pipes": [(0, b"begun")], "logs": []}

    def become(self, arguments, memory, fds):
        self.calls.append(json.loads(os.pread(memory, 10_000, 0))["upgrades"])
        raise OSError("no such luck")


async def test_an_upgrade_that_cannot_be_leaves_all_as_it_is(monkeypatch):
    rig = Rig(monkeypatch)
    assert await rig.upgrade.upgrade() == {"from": __version__, "to": "2.0", "upgrades": 4}
    with pytest.raises(LbdError, match="under way already"):
        await rig.upgrade.upgrade()
    while len(rig.tasks):
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
    assert rig.calls == ["leaves", 4, "stays"]
    assert (await rig.upgrade.upgrade())["to"] == "2.0"


async def test_a_check_that_breaks_bars_no_later_one(monkeypatch):
    rig = Rig(monkeypatch)

    def breaks(arguments):
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    with monkeypatch.context() as patch:
        patch.setattr(upgrade, "prove", breaks)
        with pytest.raises(UnicodeDecodeError):
            await rig.upgrade.upgrade()
    assert (await rig.upgrade.upgrade())["to"] == "2.0"


async def test_what_would_change_with_the_version_is_refused_first(monkeypatch):
    rig = Rig(monkeypatch)
    rig.changes = ["one"]
    with pytest.raises(LbdError, match=r"than what is in force \(1 server added\): lbd reload first"):
        await rig.upgrade.upgrade()
    assert (await rig.upgrade.upgrade(quietly=True))["to"] == "2.0"
    rig = Rig(monkeypatch)
    rig.confirmation.trial = Trial(7, 0.0, Sample(), 0.0)
    with pytest.raises(LbdError, match="generation 7 waits to be confirmed"):
        await rig.upgrade.upgrade(quietly=True)


async def test_what_cannot_be_read_again_is_not_handed_on(monkeypatch):
    rig = Rig(monkeypatch)
    rig.once = "it came once"
    with pytest.raises(LbdError, match="it came once"):
        await rig.upgrade.upgrade()
    rig.once = ""
    assert (await rig.upgrade.upgrade())["to"] == "2.0"
    while len(rig.tasks):
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})
