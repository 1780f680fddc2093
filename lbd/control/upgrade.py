"""The upgrade in place: the version on disk proves that it takes the configuration, then this process becomes it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from lbd import __version__
from lbd.control.signals import SIGNALS
from lbd.control.succession import Succession
from lbd.errors import LbdError
from lbd.generation import handover
from lbd.generation.handover import VARIABLE
from lbd.log.logger import logger
from lbd.net import children
from lbd.net.offload import Offload
from lbd.net.tasks import Tasks
from lbd.process import privileges
from lbd.reload.reload import Reload

FINDING = re.compile(r"\S+:\d+:\d+: (?!warning: )")     # as `lbd check` begins an error
PROOF = 30.0     # seconds for the check by the new version
ANSWERED = 0.1   # seconds for the answer to the request to go out


class Upgrade:
    """All upgrades of one daemon, one at a time; `before` is how many there were already."""

    def __init__(self, tasks: Tasks, reload: Reload, before: int, succession: Succession) -> None:
        self.before = before
        self._tasks = tasks
        self._reload = reload
        self._succession = succession
        self._running = False
        self._proving = Offload("the check by the version on disk", 3 * PROOF, 1)

    async def upgrade(self, quietly: bool = False) -> dict[str, Any]:
        """Become the version on disk; raises `LbdError` when it does not take the configuration, or (not `quietly`)
        when the files say something else than what is in force, which would change with the version."""
        if self._running:
            raise LbdError("an upgrade is under way already")
        self._running = True
        try:
            self._reload.confirmation.require_no_trial()
            self._reload.source.require_files()      # the next version reads them
            with children.untold():
                version = await self._proving.run(_proven, self._succession)
            plan = await self._reload.plan(None)
            if plan["changes"] and not quietly:
                raise LbdError(f"the files say something else than what is in force ({plan['summary']}): "
                               "lbd reload first")
        except BaseException:
            self._running = False
            raise
        self._tasks.start("upgrade", self._become(version))
        return {"from": __version__, "to": version, "upgrades": self.before}

    def start_upgrade(self, cause: str, quietly: bool = False) -> None:
        """Begin an upgrade that nobody waits for; a refusal is logged."""
        self._tasks.start(f"upgrade by {cause}", self._upgrade_unattended(cause, quietly))

    async def _upgrade_unattended(self, cause: str, quietly: bool) -> None:
        try:
            await self.upgrade(quietly)
        except LbdError as error:
            logger.error("no upgrade; this version serves on", cause=cause, reason=str(error))

    async def _become(self, version: str) -> None:
        await asyncio.sleep(ANSWERED)
        logger.info("becoming the version on disk; the workers serve on meanwhile", now=__version__, then=version)
        try:
            data = {**self._succession.leave(), "upgrades": self.before}
            memory = handover.write(data)
            try:
                become(sys.argv[1:], memory, handover.descriptors(data))
            finally:
                os.close(memory)
        except (OSError, LbdError) as error:
            logger.error("upgrade failed; this version serves on", reason=str(error))
            self._succession.stay()
        finally:
            self._running = False


def readable(paths: Iterable[str]) -> None:
    """Raise `LbdError` for a file that root could read, and that the present user cannot: the next version would not
    start. `prove` finds files that are missing or broken."""
    for path in paths:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except PermissionError:
            raise LbdError(f"{path} cannot be read any more since root was given up: let the user of [global] read it, "
                           "or restart lbd") from None
        except OSError:
            continue


def prove(arguments: Sequence[str]) -> str:
    """The version on disk, once it has accepted the running configuration; blocks. Raises `LbdError`."""
    found = _run("--version")
    _run("check", *arguments)
    return found.removeprefix("lbd ").strip()


def _proven(succession: Succession) -> str:
    readable(succession.needed_files())
    return prove(sys.argv[1:])


def become(arguments: Sequence[str], memory: int, fds: Sequence[int] = ()) -> NoReturn:
    """Exec the version on disk in this very process, with what `handover.write` made and these descriptors; returns
    only by `OSError`. Signals wait until the new image handles them."""
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    privileges.keep_over_exec()
    try:
        for fd in (memory, *fds):
            os.set_inheritable(fd, True)
        os.execve(sys.executable, _command(*arguments), {**_environment(), VARIABLE: f"{os.getpid()}:{memory}"})
    except OSError:
        for fd in (memory, *fds):
            os.set_inheritable(fd, False)
        privileges.keep_from_children()
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        raise


def _run(*words: str) -> str:
    try:
        done = subprocess.run(_command(*words), capture_output=True, text=True, errors="replace", timeout=PROOF,
                              env=_environment(), stdin=subprocess.DEVNULL, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LbdError(f"the version on disk cannot be run: {error}") from None
    if done.returncode:
        raise LbdError(f"the version on disk does not take the running configuration: {_why(done)}")
    return done.stdout


def _why(done: "subprocess.CompletedProcess[str]") -> str:
    """The first error of `lbd check`, whose last line only counts them; the last line of any other failure."""
    lines = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()
    return next((line for line in lines if FINDING.match(line)), lines[-1])


def _command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "lbd", *words]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": children.import_path()}
