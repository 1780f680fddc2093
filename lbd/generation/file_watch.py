"""The watch over files: notices that their content may be another, however that came about."""

import asyncio
import contextlib
import glob
import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import PurePath

from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.net.offload import Offload

SETTLED = 0.1      # seconds without an event after which a change counts as complete
LONGEST = 0.5      # seconds after the first event at which it is looked at in any case
ALSO = 0.5         # seconds between two looks without events: file systems that have none, directories that came anew
MISSING = 0.5      # seconds that a file may be away before that counts as a change
WRITING = 3.0      # seconds at most for which a file that is open for writing is waited for
MOST_PLACES = 1000
MOST_LINKS = 40    # of one path, as the kernel has it (path_resolution(7))

Print = tuple[tuple[str, int, int, int, int, int], ...]


def is_pattern(entry: str) -> bool:
    """Whether an entry of `include` is a pattern, not a file."""
    return glob.has_magic(entry) and not os.path.exists(entry)


def fingerprint(files: Iterable[str]) -> Print:
    """The marks that tell these files (and those that a pattern matches) from others in their place; missing ones are
    left out."""
    found = []
    for entry in files:
        for path in sorted(glob.glob(entry, recursive=True)) if is_pattern(entry) else [entry]:
            try:
                about = os.stat(path)
            except OSError:
                continue
            found.append((path, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
    return tuple(found)


def touched(files: Iterable[str], since: int) -> bool:
    """Whether one of these files, or a link in its place, changed at that moment (nanoseconds since 1970) or after it,
    as far as the clock of its file system can tell."""
    for entry in files:
        for path in glob.iglob(entry, recursive=True) if is_pattern(entry) else [entry]:
            with contextlib.suppress(OSError):
                if max(os.stat(path).st_ctime_ns, os.lstat(path).st_ctime_ns) >= since:
                    return True
    return False


def places(files: Iterable[str]) -> frozenset[str]:
    """The directories in which something happens when one of the files is changed, replaced, made or removed: its own,
    and that of every symbolic link on the way to it."""
    found: set[str] = set()
    for entry in files:
        if len(found) > MOST_PLACES:
            break
        if is_pattern(entry):
            directory = os.path.dirname(entry)
            found |= _way(_plain_start(directory))
            found.update(match for match in glob.glob(directory, recursive=True) if os.path.isdir(match))
        else:
            found |= _way(os.path.dirname(entry)) | _way(entry)
    return frozenset(sorted(found)[:MOST_PLACES])


def writers(files: Collection[tuple[int, int]], proc: str = "/proc") -> bool:
    """Whether a process has one of the files (device and inode) open for writing, as far as this user may see it."""
    for place in glob.iglob(f"{proc}/[0-9]*/fd/*"):
        try:
            about = os.stat(place)
            if (about.st_dev, about.st_ino) in files and os.lstat(place).st_mode & 0o200:   # proc(5): as it is open
                return True
        except OSError:
            continue
    return False


def _plain_start(directory: str) -> str:
    """The leading directories of a pattern, before its first wildcard."""
    while glob.has_magic(directory):
        directory = os.path.dirname(directory)
    return directory


def _way(path: str) -> set[str]:
    """The directories of all links on the way to a path, and the last directory that exists."""
    found: set[str] = set()
    left = [part for part in reversed(PurePath(path).parts) if part != "/"]
    here = "/"
    links = 0
    while left:
        there = os.path.normpath(os.path.join(here, left.pop()))
        if os.path.islink(there) and links < MOST_LINKS:
            found.add(here)
            links += 1
            target = os.readlink(there)
            here = "/" if os.path.isabs(target) else here
            left += [part for part in reversed(PurePath(target).parts) if part != "/"]
        elif os.path.isdir(there):
            here = there
        else:
            break
    return found | {here}


class FileWatch:
    """Calls `changed` when the files that `files` names are others than before, once they have settled. `since` is the
    moment (nanoseconds since 1970) before they were read: what changed between that and now counts too."""

    def __init__(self, files: Callable[[], Sequence[str]], changed: Callable[[], None], since: int = 0) -> None:
        self._files = files
        self._changed = changed
        self._seen = () if since and touched(files(), since) else fingerprint(files())
        self._looking = Offload("looking for changes of files", most=1)
        self.polls = ""     # why there are no events, "" when there are

    async def run(self) -> None:
        """Watch until cancelled: by events, and where the kernel has none left for us by looking every `ALSO`."""
        while True:
            try:
                await self._events(await self._looking.run(places, self._files()))
                self.polls = ""
            except LbdError:      # a disk does not answer: nothing on it can be put in force anyway
                await asyncio.sleep(ALSO)
            except (OSError, RuntimeError) as error:    # watchfiles raises the latter for most
                self._poll_for(error)
                await asyncio.sleep(ALSO)
                with contextlib.suppress(LbdError):
                    await self._look()

    async def _events(self, here: frozenset[str]) -> None:
        """Look at every event in these directories, until others are to be watched."""
        from watchfiles import awatch  # late: nobody waits for a watch, but for the first answer they do
        async for _ in awatch(*here, watch_filter=None, debounce=int(LONGEST * 1000), step=int(SETTLED * 1000),
                              rust_timeout=int(ALSO * 1000), yield_on_timeout=True, recursive=False,
                              ignore_permission_denied=True):
            await self._look()
            if await self._looking.run(places, self._files()) != here:
                break

    def _poll_for(self, error: Exception) -> None:
        """Log once why there are no events."""
        if not self.polls:
            self.polls = str(error)
            logger.warning("no events of files: they are looked at twice a second instead", reason=self.polls,
                           hint="raise fs.inotify.max_user_instances and fs.inotify.max_user_watches (sysctl)")

    async def _look(self) -> None:
        now = await self._looking.run(fingerprint, self._files())
        if {entry[0] for entry in self._seen} - {entry[0] for entry in now}:
            # Between the removal of the old file and the renaming of the new one there may be none.
            await asyncio.sleep(MISSING)
            now = await self._looking.run(fingerprint, self._files())
        if now != self._seen:
            await self._written(now)
            self._seen = await self._looking.run(fingerprint, self._files())
            self._changed()

    async def _written(self, now: Print) -> None:
        """Wait until no process of this user has a changed file open for writing any more, at most `WRITING`."""
        changed = {entry[1:3] for entry in set(now) - set(self._seen)}
        end = time.monotonic() + WRITING
        while await self._looking.run(writers, changed) and time.monotonic() < end:
            await asyncio.sleep(SETTLED)
