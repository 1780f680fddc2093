"""The store: one TOML file in `state_dir` that is always whole, and on the disk before anyone is told so."""

import asyncio
import os
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lbd.errors import LbdError
from lbd.log import logger

LARGEST = 64 << 20   # bytes; 20 000 registrations have some 6 MiB


class Store:
    """Keeps the TOML that `text` returns whenever `save` is called; saves asked for during one are one save."""

    def __init__(self, path: str, text: Callable[[], str]) -> None:
        self._path = Path(path)
        self._text = text
        self._lock = asyncio.Lock()
        self._asked = 0
        self._saved = 0
        # One thread, so that an older state can never replace a newer one.
        self._writer = ThreadPoolExecutor(1, "state")

    async def save(self) -> None:
        """Return when what `text` says now is on the disk; raises `LbdError` when it cannot be."""
        self._asked += 1
        mine = self._asked
        async with self._lock:
            if self._saved >= mine:
                return
            upto = self._asked
            text = self._text()
            try:
                await asyncio.get_running_loop().run_in_executor(self._writer, _write, self._path, text)
            except OSError as error:
                raise LbdError(f"it cannot be kept over a restart: {self._path}: {error.strerror}") from None
            self._saved = upto

    async def settle(self) -> None:
        """Return when everything that is being kept now is on the disk; raises `LbdError` when it cannot be."""
        if self._saved < self._asked:
            await self.save()

    def load(self, take: Callable[[dict[str, Any]], None]) -> None:
        """Give what was kept to `take`. A file that is unusable, or that `take` raises `LbdError` for, is set aside."""
        try:
            with open(self._path, "rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) > LARGEST:
                raise LbdError(f"it has more than {LARGEST} bytes")
            take(tomllib.loads(content.decode()))
        except FileNotFoundError:
            return
        except (ValueError, LbdError) as error:   # TOMLDecodeError and UnicodeDecodeError are ValueErrors
            self._set_aside(str(error).partition("\n")[0])
        except OSError as error:
            logger.error("runtime state cannot be read; overrides and registrations are lost for now",
                         file=str(self._path), reason=error.strerror)

    def close(self) -> None:
        """Finish what is being written."""
        self._writer.shutdown(wait=True)

    def _set_aside(self, reason: str) -> None:
        aside = self._path.with_name(f"{self._path.name}.broken-{int(time.time())}")
        try:
            os.replace(self._path, aside)
        except OSError as error:
            reason += f"; nor can it be renamed: {error.strerror}"
        logger.error("runtime state cannot be used and is set aside; overrides and registrations in it are lost",
                     file=str(self._path), aside=str(aside), reason=reason)


def _write(path: Path, text: str) -> None:
    """All of it or nothing, and on the disk, the directory's entry too."""
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
