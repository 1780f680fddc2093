"""Tests of lbd.control.following: the watch begins and ends as the configuration says."""

import asyncio
from pathlib import Path

from lbd.control.following import Following
from lbd.net.tasks import Tasks


async def test_files_are_followed_while_that_is_wanted(tmp_path: Path) -> None:
    file = tmp_path / "lbd.toml"
    file.write_text("a")
    changed = asyncio.Event()
    tasks = Tasks(lambda name, error: None)
    following = Following(tasks, lambda: [str(file)], changed.set)
    assert following.manner("") == "off"
    following.follow(True)
    assert following.manner("") == "events"
    file.write_text("other")
    async with asyncio.timeout(20):
        await changed.wait()
    assert following.manner("no inotify") == "polling: no inotify"
    following.follow(False)
    assert following.manner("") == "off"
    await tasks.cancel(1.0)


async def test_nothing_is_followed_without_files() -> None:
    following = Following(Tasks(lambda name, error: None), lambda: [], lambda: None)
    following.follow(True)
    assert following.manner("") == "off"
