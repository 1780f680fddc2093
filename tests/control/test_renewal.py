"""Tests of lbd.control.renewal: it watches what is in force, and asks for a renewal when a file changes."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from lbd.config import schema
from lbd.config.tls import ListenerTls, Pair
from lbd.control.certificates import Certificates
from lbd.control.renewal import Renewal
from lbd.net.tasks import Tasks
from tests.authority import Authority


class Machine:
    """Counts renewals."""

    def __init__(self, config: schema.Config) -> None:
        self.certificates = Certificates()
        self.generation = SimpleNamespace(config=config, credentials=self.certificates.read(config))
        self.renewals = 0
        self.renewed = asyncio.Event()

    async def renew(self) -> None:
        self.renewals += 1
        self.renewed.set()

    async def another(self) -> None:
        async with asyncio.timeout(20):
            await self.renewed.wait()
        self.renewed.clear()


def config(*paths: Path) -> schema.Config:
    tls = ListenerTls(certificates=tuple(Pair(str(path)) for path in paths))
    return schema.Config(listeners={"web": schema.Listener(bind=(), tls=tls if paths else None)})


async def test_changed_files_are_taken_over(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    live, archive = tmp_path / "live.pem", authority.issue("one.pem", "a.example.com")
    live.symlink_to(archive)
    machine: Any = Machine(config(live))
    tasks = Tasks(lambda name, error: None)
    renewal = Renewal(machine, tasks)
    renewal.follow()
    await machine.another()      # at first, for what happened before
    other = tmp_path / "new"
    other.symlink_to(authority.issue("two.pem", "a.example.com"))
    other.rename(live)           # as certbot does
    await machine.another()
    renewal.follow()
    renewal.tick()
    machine.generation.config = config()
    renewal.follow()
    await tasks.cancel()
    assert machine.renewals == 2
