"""Tests of lbd.reload.config_watch: the watch begins and ends as the configuration says."""

import asyncio
from pathlib import Path

import pytest

from lbd.net.tasks import Tasks
from lbd.reload import config_watch
from lbd.reload.config_watch import ConfigWatch


async def test_files_are_followed_while_that_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "lbd.toml"
    file.write_text("a")
    changed = asyncio.Event()
    tasks = Tasks(lambda name, error: None)
    made = ConfigWatch(tasks, lambda: [str(file)], changed.set)
    assert made.mode("") == "off"
    made.follow(True)
    assert made.mode("") == "events"
    file.write_text("other")
    async with asyncio.timeout(20):
        await changed.wait()
    assert made.mode("no inotify") == "polling: no inotify"
    made.follow(False)
    assert made.mode("") == "off"
    await tasks.cancel(1.0)


async def test_what_is_not_followed_is_not_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = Tasks(lambda name, error: None)
    polls = asyncio.Event()

    class Polling:
        """A watch that gets no events."""

        polls = ""

        def __init__(self, *_: object) -> None:
            return

        async def run(self) -> None:
            self.polls = "no inotify"
            polls.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(config_watch, "FileWatch", Polling)
    made = ConfigWatch(tasks, lambda: [str(tmp_path)], lambda: None)
    made.follow(True)
    await polls.wait()
    assert made.mode("") == "polling: no inotify"
    made.follow(False)
    assert made.mode("") == "off"
    await tasks.cancel(1.0)


async def test_nothing_is_followed_without_files() -> None:
    made = ConfigWatch(Tasks(lambda name, error: None), lambda: [], lambda: None)
    made.follow(True)
    assert made.mode("") == "off"
