"""The history: the configurations that were in force, as files in `state_dir`, for the way back."""

import os
import re
from pathlib import Path

import tomli_w

from lbd.config.effective import tables
from lbd.config.files import fetch
from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.schema import Config

KEPT = 10   # generations, the one in force included
LARGEST = 256 * 2**20   # bytes of one
_NAME = re.compile(r"[0-9]{8}\.toml")


class History:
    """The last generations, the newest last. They outlive the daemon: numbers of files go on after a restart. With ""
    for a directory none is kept."""

    def __init__(self, state_dir: str) -> None:
        self._off = not state_dir
        self._directory = Path(state_dir) / "generations"

    def possible(self) -> None:
        """Raise `LbdError` where there is no way back at all: nothing is kept."""
        if self._off:
            raise LbdError('there is no way back: generations are kept in global.state_dir, which is "off"')

    def keep(self, config: Config) -> None:
        """Keep the configuration in force. A disk that is full or read-only costs the way back, nothing else."""
        if self._off:
            return
        text = tomli_w.dumps(tables(config))
        try:
            self._directory.mkdir(0o700, exist_ok=True)
            known = self._files()
            if known and fetch(str(known[-1]), LARGEST) == text.encode():
                return
            number = int(known[-1].stem) + 1 if known else 1
            self._write(self._directory / f"{number % 10**8:08}.toml", text)
            for old in known[:max(0, len(known) + 1 - KEPT)]:
                old.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("generation not kept for a rollback", reason=str(error))

    def previous(self) -> str:
        """The file of the generation before the one in force; raises `LbdError` when there is none."""
        self.possible()
        known = self._files()
        if len(known) < 2:
            raise LbdError("there is no earlier generation to go back to")
        return str(known[-2])

    def step_back(self) -> None:
        """Forget the newest generation: the one before is in force again. Raises `OSError`."""
        for newest in self._files()[-1:]:
            newest.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self._directory.iterdir() if _NAME.fullmatch(path.name))
        except OSError:
            return []

    def _write(self, path: Path, text: str) -> None:
        """Write the whole file or nothing, readable by its owner alone: keys may be in it."""
        part = path.with_suffix(".part")
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        os.replace(part, path)
