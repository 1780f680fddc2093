"""The upgrade in place: the version on disk proves that it takes the configuration, then this process becomes it."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import NoReturn

from lbd.control.handover import VARIABLE
from lbd.control.signals import SIGNALS
from lbd.errors import LbdError

PROOF = 30.0   # seconds for the check by the new version


def prove(arguments: Sequence[str], user: str | None = None) -> str:
    """The version on disk, once it has accepted the running configuration; blocks. Raises `LbdError`.

    A process that gave up root to run as `user` cannot start as root again.
    """
    if user is not None:
        raise LbdError("lbd gave up root for [global] user and cannot start as root again in place; restart it instead")
    found = _run("--version")
    _run("check", *arguments)
    return found.removeprefix("lbd ").strip()


def become(arguments: Sequence[str], memory: int) -> NoReturn:
    """Exec the version on disk in this very process, with what `handover.write` gave; returns only by `OSError`.

    Signals wait until the new image handles them.
    """
    os.set_inheritable(memory, True)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        os.execve(sys.executable, _command(*arguments), {**_environment(), VARIABLE: f"{os.getpid()}:{memory}"})
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        raise


def _run(*words: str) -> str:
    try:
        done = subprocess.run(_command(*words), capture_output=True, text=True, timeout=PROOF, env=_environment(),
                              stdin=subprocess.DEVNULL, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LbdError(f"the version on disk cannot be run: {error}") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise LbdError(f"the version on disk does not take the running configuration: {last}")
    return done.stdout


def _command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "lbd", *words]


def _environment() -> dict[str, str]:
    # The own path, as for workers: the working directory must not decide which code runs.
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path if not entry.endswith(".zip"))
    return {**os.environ, "PYTHONPATH": path}
