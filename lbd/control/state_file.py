"""The state file: one TOML file in `state_dir` that is always whole, and on the disk before a save is reported."""

import asyncio
import errno
import os
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lbd.config.files import fetch
from lbd.errors import LbdError, NotStored
from lbd.log.logger import logger
from lbd.net.offload import Offload

LARGEST = 64 << 20   # bytes; 20 000 registrations have some 6 MiB
PATIENCE = 5.0       # seconds that a disk may take before a save counts as failed
LAST = 1.0           # seconds for a write that is under way at the end


class StateFile:
    """Keeps the TOML that `text` returns whenever `save` is called; saves that are requested during one are one save.

    `reason` is why the last save failed, "" when it succeeded; `requested` is the number of the last requested save.
    """

    def __init__(self, path: str, text: Callable[[], str]) -> None:
        self.reason = ""
        self.requested = 0
        self._path = Path(path)
        self._text = text
        self._lock = asyncio.Lock()
        self._saved = 0
        # One at a time, so that an older state can never replace a newer one.
        self._writing = Offload(f"writing {path}", PATIENCE, 1)

    @property
    def behind(self) -> bool:
        """Whether the present `text` may not be on the disk."""
        return self._saved < self.requested

    async def save(self) -> None:
        """Return when the present `text` is on the disk; raises `NotStored` when it cannot be."""
        self.requested += 1
        await self.reach(self.requested)

    async def reach(self, number: int) -> None:
        """Return when the text of the save of that number is on the disk; raises `NotStored` when it cannot be."""
        if self._saved >= number:
            return
        async with self._lock:
            if self._saved >= number:
                return
            upto = self.requested
            text = self._text()
            try:
                await self._writing.run(_write, self._path, text)
            except (OSError, LbdError) as error:
                self.reason = f"{self._path}: {error.strerror}" if isinstance(error, OSError) else str(error)
                raise NotStored(f"it cannot be kept over a restart: {self.reason}") from None
            self._saved = upto
            self.reason = ""

    def load(self, take: Callable[[dict[str, Any]], None]) -> None:
        """Give the saved data to `take`. An unusable file is set aside, also one that `take` raises `LbdError` for."""
        try:
            take(tomllib.loads(fetch(str(self._path), LARGEST).decode()))
        except FileNotFoundError:
            return
        except (ValueError, LbdError) as error:   # TOMLDecodeError and UnicodeDecodeError are ValueErrors
            self._set_aside(str(error).partition("\n")[0])
        except OSError as error:
            if error.errno == errno.EFBIG:
                self._set_aside(error.strerror or "")
                return
            logger.error("runtime state cannot be read; overrides and registrations are lost for now",
                         file=str(self._path), reason=error.strerror)

    def close(self) -> None:
        """Finish a write that is under way, unless the disk does not answer."""
        self._writing.finish(LAST)

    def _set_aside(self, reason: str) -> None:
        aside = self._path.with_name(f"{self._path.name}.broken-{int(time.time())}")
        try:
            os.replace(self._path, aside)
        except OSError as error:
            reason += f"; nor can it be renamed: {error.strerror}"
        logger.error("runtime state cannot be used and is set aside; overrides and registrations in it are lost",
                     file=str(self._path), aside=str(aside), reason=reason)


def _write(path: Path, text: str) -> None:
    """Write the whole text or nothing, and return when it is on the disk, the entry of the directory too."""
    part = path.with_name(path.name + ".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
