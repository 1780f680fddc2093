"""Tests of lbd.reload.renewal: it watches what is in force, and asks for a renewal when a file changes."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lbd import schema
from lbd.errors import LbdError
from lbd.generation.certificates import Certificates
from lbd.generation.file_watch import FileWatch
from lbd.net.tasks import Tasks
from lbd.reload import renewal
from lbd.reload.renewal import Renewal
from lbd.schema.tls import ListenerTls, Pair
from tests.authority import Authority


class Plane:
    """Counts renewals."""

    def __init__(self, config: schema.Config) -> None:
        self.certificates = Certificates()
        self.generation = SimpleNamespace(config=config, credentials=self.certificates.read_all(config))
        self.in_force = self.materials = self.coordinator = self
        self.renewals = 0
        self.renewed = asyncio.Event()

    async def apply_credentials(self) -> None:
        self.renewals += 1
        self.renewed.set()

    async def another(self) -> None:
        async with asyncio.timeout(20):
            await self.renewed.wait()
        self.renewed.clear()


def config(*paths: Path) -> schema.Config:
    tls = ListenerTls(certificates=tuple(Pair(str(path)) for path in paths))
    return schema.Config(listeners={"web": schema.ListenerConfig(bind=(), tls=tls if paths else None)})


async def test_changed_files_are_taken_over(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    live, archive = tmp_path / "live.pem", authority.issue("one.pem", "a.example.com")
    live.symlink_to(archive)
    plane: Any = Plane(config(live))
    tasks = Tasks(lambda name, error: None)
    made = Renewal(plane, tasks)
    made.follow()
    await plane.another()      # at first, for what happened before
    other = tmp_path / "new"
    other.symlink_to(authority.issue("two.pem", "a.example.com"))
    other.rename(live)           # as certbot does
    await plane.another()
    made.follow()
    made.tick()
    plane.generation.config = config()
    made.follow()
    await tasks.cancel()
    assert plane.renewals == 2


async def test_a_disk_that_does_not_answer_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plane: Any = Plane(config(Authority(tmp_path).issue("one.pem", "a.example.com")))
    answers = [LbdError("a disk does not answer")]

    def watch(*args: Any) -> FileWatch:
        if answers:
            raise answers.pop()
        return FileWatch(*args)

    monkeypatch.setattr(renewal, "FileWatch", watch)
    monkeypatch.setattr(renewal, "LOOK", 0.0)
    tasks = Tasks(lambda name, error: None)
    Renewal(plane, tasks).follow()
    await plane.another()
    await tasks.cancel()


async def test_a_renewal_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    plane: Any = Plane(config(Authority(tmp_path).issue("one.pem", "a.example.com")))
    failed = asyncio.Event()

    async def fails() -> None:
        asyncio.get_running_loop().call_soon(failed.set)    # after what is made of it
        raise LbdError("a disk does not answer")

    monkeypatch.setattr(plane, "apply_credentials", fails)
    tasks = Tasks(lambda name, error: None)
    Renewal(plane, tasks).follow()
    async with asyncio.timeout(20):
        await failed.wait()
    await tasks.cancel()
    assert "a disk does not answer" in capsys.readouterr().out
