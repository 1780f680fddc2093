"""The watch over the configuration's files: notices when what they say may be another, however that came about."""

import asyncio
import glob
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath

from watchfiles import awatch

from lbd.errors import LbdError
from lbd.net.offload import Offload

SETTLED = 0.1      # seconds without an event after which a change counts as complete
LONGEST = 0.5      # seconds after the first event at which it is looked at in any case
ALSO = 0.5         # seconds between two looks without events: file systems that have none, directories that came anew
MISSING = 0.5      # seconds that a file may be away before that counts as a change
MOST_PLACES = 1000
MOST_LINKS = 40    # of one path, as the kernel has it (path_resolution(7))

Print = tuple[tuple[str, int, int, int, int, int], ...]


def is_pattern(entry: str) -> bool:
    """A pattern of `include`, not a file."""
    return glob.has_magic(entry) and not os.path.exists(entry)


def fingerprint(files: Iterable[str]) -> Print:
    """What tells these files (and those that a pattern matches) from others in their place; missing ones are left
    out."""
    found = []
    for entry in files:
        for path in sorted(glob.glob(entry, recursive=True)) if is_pattern(entry) else [entry]:
            try:
                about = os.stat(path)
            except OSError:
                continue
            found.append((path, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns))
    return tuple(found)


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


def _plain_start(directory: str) -> str:
    """The part of a pattern's directory that is none."""
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


class Watch:
    """Calls `changed` when the files that `files` names are others than before, once they have settled."""

    def __init__(self, files: Callable[[], Sequence[str]], changed: Callable[[], None]) -> None:
        self._files = files
        self._changed = changed
        self._seen = fingerprint(files())
        self._looking = Offload("looking for changes of files", most=1)

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._follow(await self._looking.run(places, self._files()))
            except LbdError:      # a disk does not answer: nothing on it can be put in force anyway
                await asyncio.sleep(ALSO)

    async def _follow(self, here: frozenset[str]) -> None:
        """Look at whatever happens in these directories, until they are others."""
        async for _ in awatch(*here, watch_filter=None, debounce=int(LONGEST * 1000), step=int(SETTLED * 1000),
                              rust_timeout=int(ALSO * 1000), yield_on_timeout=True, recursive=False,
                              ignore_permission_denied=True):
            await self._look()
            if await self._looking.run(places, self._files()) != here:
                break

    async def _look(self) -> None:
        now = await self._looking.run(fingerprint, self._files())
        if {entry[0] for entry in self._seen} - {entry[0] for entry in now}:
            # Between the removal of the old file and the renaming of the new one there may be none.
            await asyncio.sleep(MISSING)
            now = await self._looking.run(fingerprint, self._files())
        if now != self._seen:
            self._seen = now
            self._changed()
