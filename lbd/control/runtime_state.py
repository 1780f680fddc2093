"""The runtime state: overrides and registrations as text, kept in a file of `state_dir` over a restart."""

import asyncio
import os
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import tomli_w

from lbd.config.runtime import Override, SavedRegistration, from_table, to_table
from lbd.control.state_file import StateFile
from lbd.errors import LbdError, NotStored
from lbd.generation.control_plane import ControlPlane
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.wording import shown

FILE = "runtime.toml"
FORMAT = 1
AGAIN = 10.0   # seconds until the next try after the disk did not take the state


class RuntimeState:
    """The overrides and registrations of one daemon, and where they are saved."""

    def __init__(self, plane: ControlPlane, tasks: Tasks) -> None:
        self._plane = plane
        self._tasks = tasks
        self._file: StateFile | None = None
        self._off = False
        self._tried = 0.0

    @property
    def unkept(self) -> str:
        """The reason why the state in force would be lost at a restart, "" when it is on the disk."""
        if self._off and (len(self._plane.servers.overrides) or len(self._plane.servers.registry)):
            return 'not kept over a restart: global.state_dir is "off"'
        if self._file is None or not self._file.behind or not self._file.reason:
            return ""
        return f"not kept over a restart: {self._file.reason}"

    @property
    def next_save(self) -> int:
        """Number of the next save; 0 without a file."""
        return self._file.requested + 1 if self._file is not None else 0

    def restore(self, state_dir: str, left: str = "") -> None:
        """Take over the state that was kept there ("": none is), or that the version before in this process left as
        text; registrations have their full time again."""
        self._off = not state_dir
        if state_dir:
            self._file = StateFile(os.path.join(state_dir, FILE), self._encode)
        if left:
            try:
                self._load(tomllib.loads(left))
            except (ValueError, LbdError) as error:
                logger.error("runtime state of the version before cannot be used", reason=str(error))
            if self._file is not None:
                self.save_soon()
        elif self._file is not None:
            self._file.load(self._load)

    def leave(self) -> str:
        """The state that no disk keeps, for `restore` by the next version in this process; "" where a disk does."""
        return self._encode() if self._off else ""

    def close(self) -> None:
        """Finish a write that is under way."""
        if self._file is not None:
            self._file.close()

    async def save(self, undo: Callable[[], object]) -> None:
        """Return when the state is on the disk; else call `undo` and raise `NotStored`."""
        if self._file is None:
            return
        try:
            await self._file.save()
        except NotStored:
            undo()
            raise

    async def wait_until_saved(self, number: int) -> None:
        """Return when the save of that number is done; raises `NotStored` when it cannot be."""
        if self._file is not None:
            await self._file.reach(number)

    async def save_or_warn(self) -> None:
        """Save the state; if the disk does not take it, log a warning and try again later: a full disk must not keep an
        operator from taking a bad server out."""
        try:
            if self._file is not None:
                await self._file.save()
        except NotStored as error:
            logger.warning("runtime state not kept", reason=str(error))

    def save_soon(self) -> None:
        """Start to save the state."""
        self._tried = asyncio.get_running_loop().time()
        self._tasks.start("keeping runtime state", self.save_or_warn())

    def retry(self) -> None:
        """Save again when the disk did not take the state; called once a second."""
        if self.unkept and not self._off and asyncio.get_running_loop().time() >= self._tried + AGAIN:
            self.save_soon()

    def _encode(self) -> str:
        """The state as TOML, without the servers that leave: a restart must not bring them back."""
        head = {"format": FORMAT, "overrides": [to_table(override) for override in self._plane.servers.overrides]}
        entries = [entry.text for entry in self._plane.servers.registry if not entry.leaving]
        return "\n".join([tomli_w.dumps(head), *entries])

    def _load(self, data: dict[str, Any]) -> None:
        if data.get("format") != FORMAT:
            raise LbdError(f"its format is {shown(data.get('format'))}, not {FORMAT}")
        overrides = [from_table(Override, item, FILE) for item in _array(data, "overrides")]
        registrations = [from_table(SavedRegistration, item, FILE) for item in _array(data, "registrations")]
        self._plane.servers.overrides.restore(overrides)
        self._plane.servers.registry.restore(registrations, asyncio.get_running_loop().time())
        if overrides or registrations:
            logger.info("runtime state restored", overrides=len(overrides), registrations=len(registrations))


def _array(data: Mapping[str, Any], name: str) -> list[Any]:
    items = data.get(name, [])
    if not isinstance(items, list):
        raise LbdError(f"{name} is no array")
    return items
