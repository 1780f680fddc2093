"""The watch: every way in which an editor, a deployment or Kubernetes changes a file."""

import asyncio
import os

import pytest

from lbd.generation import file_watch
from lbd.generation.file_watch import FileWatch, fingerprint, places, touched


class Seen:
    """A directory under watch, and how often it was called."""

    def __init__(self, directory, *names):
        self.directory = directory
        self.files = tuple(str(directory / name) for name in names)
        self.event = asyncio.Event()

    def write(self, name, text):
        (self.directory / name).write_text(text)

    async def change(self):
        """Wait for the next call."""
        async with asyncio.timeout(20):
            await self.event.wait()
        self.event.clear()


@pytest.fixture
async def seen(tmp_path, request):
    found = Seen(tmp_path, "lbd.toml", "lbd.d/*.toml")
    found.write("lbd.toml", "1")
    watch_ = FileWatch(lambda: found.files, found.event.set)
    task = asyncio.ensure_future(watch_.run())
    yield found
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_write_a_rename_and_a_removal(seen):
    seen.write("lbd.toml", "two")
    await seen.change()
    seen.write("new", "three")
    os.replace(seen.directory / "new", seen.directory / "lbd.toml")
    await seen.change()
    os.unlink(seen.directory / "lbd.toml")
    await seen.change()
    seen.write("lbd.toml", "four")
    await seen.change()


async def test_a_pattern_matches_new_files_in_a_directory_that_comes_later(seen):
    (seen.directory / "lbd.d").mkdir()
    seen.write("lbd.d/a.toml", "1")
    await seen.change()
    seen.write("lbd.d/b.toml", "1")
    await seen.change()


async def test_other_files_do_not_count(seen):
    seen.write("log", "x")
    seen.write("lbd.toml.swp", "x")
    seen.write("lbd.toml", "two")
    await seen.change()
    assert not seen.event.is_set()


async def test_a_symlink_swap_as_kubernetes_does_it(tmp_path):
    for version in ("..1", "..2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "lbd.toml").write_text(version)
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "lbd.toml").symlink_to("..data/lbd.toml")
    called = asyncio.Event()
    task = asyncio.ensure_future(FileWatch(lambda: [str(tmp_path / "lbd.toml")], called.set).run())
    (tmp_path / "..tmp").symlink_to("..2")
    os.replace(tmp_path / "..tmp", tmp_path / "..data")
    async with asyncio.timeout(20):
        await called.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_file_that_is_away_for_a_moment_is_no_change_of_its_own(tmp_path, monkeypatch):
    file = tmp_path / "lbd.toml"
    file.write_text("1")
    calls = []
    under = FileWatch(lambda: [str(file)], lambda: calls.append(file.exists()))

    async def back(seconds):
        assert seconds == file_watch.MISSING
        file.write_text("2")

    file.unlink()
    monkeypatch.setattr(file_watch.asyncio, "sleep", back)
    await under._look()
    assert calls == [True]


async def test_without_events_files_are_looked_at(tmp_path, monkeypatch):
    def none(*_, **__):
        raise RuntimeError("Too many open files")

    said = []
    monkeypatch.setattr("watchfiles.awatch", none)
    monkeypatch.setattr(file_watch, "ALSO", 0.01)
    monkeypatch.setattr(file_watch.logger, "warning", lambda text, **facts: said.append(facts))
    file = tmp_path / "lbd.toml"
    file.write_text("1")
    called = asyncio.Event()
    under = FileWatch(lambda: [str(file)], called.set)
    task = asyncio.ensure_future(under.run())
    for text in ("two", "three"):
        file.write_text(text)
        async with asyncio.timeout(20):
            await called.wait()
        called.clear()
    assert "Too many open files" in under.polls
    assert len(said) == 1
    assert "max_user_instances" in said[0]["hint"]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_half_a_file_waits_for_the_rest(seen):
    with open(seen.directory / "lbd.toml", "w") as file:
        file.write("half")
        file.flush()
        about = os.stat(file.name)
        assert file_watch.writers([(about.st_dev, about.st_ino)])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2 * file_watch.LONGEST):
                await seen.event.wait()
    await seen.change()


async def test_who_never_closes_a_file_is_not_waited_for_without_end(seen, monkeypatch):
    monkeypatch.setattr(file_watch, "WRITING", 0.2)
    with open(seen.directory / "lbd.toml", "w") as file:
        file.write("half")
        file.flush()
        await seen.change()


def test_who_reads_a_file_is_no_writer(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text("1")
    about = os.stat(file)
    with open(file):
        assert not file_watch.writers([(about.st_dev, about.st_ino)])


def test_places(tmp_path):
    real = tmp_path.resolve()
    (real / "releases" / "1").mkdir(parents=True)
    (real / "releases" / "1" / "lbd.toml").write_text("")
    (real / "current").symlink_to("releases/1")
    assert places([str(real / "current" / "lbd.toml")]) == {str(real), str(real / "releases" / "1")}
    assert places([str(real / "no" / "such" / "file")]) == {str(real)}
    assert places([str(real / "x" / "*.toml")]) == {str(real)}
    assert places([str(real / "releases" / "*" / "*.toml")]) == {str(real / "releases"), str(real / "releases" / "1")}


def test_a_loop_of_links_ends(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert places([str(tmp_path / "a")])
    assert fingerprint([str(tmp_path / "a")]) == ()


def test_files_that_changed_since_a_moment(tmp_path):
    file, link = tmp_path / "lbd.toml", tmp_path / "link.toml"
    file.write_text("1")
    changed = file.stat().st_ctime_ns
    assert touched([str(file)], changed)
    assert touched([str(tmp_path / "*.toml")], changed)
    assert not touched([str(file), str(tmp_path / "none")], changed + 1)
    link.symlink_to(file)
    linked = os.lstat(link).st_ctime_ns
    assert touched([str(link)], linked)      # another link, though to a file of before


async def test_a_change_before_the_watch_counts_if_it_came_after_the_reading(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text("1")
    called = asyncio.Event()
    task = asyncio.ensure_future(FileWatch(lambda: [str(file)], called.set, file.stat().st_ctime_ns).run())
    async with asyncio.timeout(20):
        await called.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
