"""The check `exec`: a program that ends with 0, called with the server's address in its environment."""

import asyncio
import contextlib
import errno
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lbd.errors import shortage
from lbd.health.check import Result, Subject
from lbd.net import children
from lbd.schema import REQUIRED, key
from lbd.schema.kinds import ItemError, ValueKind, each, text_of
from lbd.wording import type_of

SHOWN = 120         # characters of the program's first line of output that are repeated
LAST_WORDS = 0.05   # seconds for output that comes behind the end of the program
DYING = 1.0         # seconds for a killed program to be gone
READ = 64 * 1024    # bytes of output at once
# The program may be on a disk that does not answer, and its starter waits for that: the shell, which can be
# killed, and not this process. It interprets nothing of the command, and becomes the program.
STARTER = ("/bin/sh", "-c", 'exec "$@"')
NOT_STARTED = {126: "exit code 126 (cannot be executed)", 127: "exit code 127 (not found)"}     # as shells have it
PASSED_ON = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")    # of lbd's own environment


def _read_command(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"is {type_of(value)}")
    if not value:
        raise ValueError("is empty")
    command = tuple(each(enumerate(value), text_of))
    if not command[0]:
        raise ItemError([(0, 'holds "", which is empty: it names the program')])
    return command


COMMAND = ValueKind("command", 'an array: the program and its arguments, like ["/usr/bin/check", "-q"]', _read_command,
                    {"type": "array", "items": {"type": "string"}, "minItems": 1}, empty=())


@dataclass(frozen=True, slots=True)
class ExecOptions:
    """The keys of a policy with `type = "exec"`."""

    command: tuple[str, ...] = key(
        REQUIRED, COMMAND, "program and arguments, as they are; 0 passes. It gets LBD_ADDRESS, LBD_HOST, LBD_PORT, "
        "LBD_BACKEND and LBD_SERVER", example=["/usr/local/bin/check"])


async def check(subject: Subject, options: ExecOptions, timeout: float) -> Result:
    """Run the program; after `timeout` seconds it is killed, with all that it started."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    name = os.path.basename(options.command[0])
    try:
        program = Program(loop, options.command, environment(subject))
    except (OSError, ValueError) as error:
        if shortage(error) or getattr(error, "errno", 0) == errno.EAGAIN:   # the limit of processes
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Result(False, f"{name}: cannot be started: {reason}", loop.time() - started)
    try:
        async with asyncio.timeout(timeout):
            await program.ended.wait()
        seconds = loop.time() - started
        await _over(program.silent, LAST_WORDS)
    except TimeoutError:
        return Result(False, f"{name}: timeout", loop.time() - started)
    finally:
        program.kill()
        await _over(program.ended, DYING)
        program.close()
    return Result(program.code == 0, f"{name}: {_ending(program.code)}{program.said()}", seconds)


async def _over(event: asyncio.Event, seconds: float) -> None:
    if not event.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()


def environment(subject: Subject) -> Mapping[str, str]:
    """The environment of the program; host and port are empty for a Unix socket."""
    address = subject.address
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "LBD_ADDRESS": address.without_scheme,
        "LBD_HOST": "" if address.path else address.host,
        "LBD_PORT": "" if address.path else str(address.port),
        "LBD_BACKEND": subject.backend,
        "LBD_SERVER": subject.server,
    }


class Program:
    """A running program in a process group of its own: keeps the beginning of its output and drops the rest.

    `ended` is set when it is over, `silent` when it and all that it started closed the output. Raises `OSError` or
    `ValueError` where it cannot be started.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, command: Sequence[str], environment: Mapping[str, str]) -> None:
        name = os.path.basename(command[0])
        self.ended = asyncio.Event()
        self.silent = asyncio.Event()
        self.code: int | None = None
        self._loop = loop
        self._output = b""
        self._reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            os.set_blocking(writer, True)
            self._popen = subprocess.Popen([*STARTER, name, *command], stdin=subprocess.DEVNULL, stdout=writer,
                                           stderr=writer, env=environment, cwd="/", start_new_session=True)
            children.started(self._popen.pid)
        except (OSError, ValueError):
            os.close(self._reader)
            raise
        finally:
            os.close(writer)
        try:
            self._pidfd = os.pidfd_open(self._popen.pid)
        except OSError:
            os.close(self._reader)
            self.kill()
            self._reap()
            raise
        loop.add_reader(self._reader, self._read)
        loop.add_reader(self._pidfd, self._exited)

    def kill(self) -> None:
        """Send SIGKILL to its group, unless its leader was reaped: from then on the number may be another's."""
        if self.code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    def close(self) -> None:
        """Stop reading; a program that does not die at once is reaped when it does."""
        if self._reader >= 0:
            self._loop.remove_reader(self._reader)
            os.close(self._reader)
            self._reader = -1

    def said(self) -> str:
        """The first line of its output, as the end of a sentence."""
        lines = self._output.decode(errors="replace").split("\n", 1)[0].strip()
        line = "".join(letter if letter.isprintable() else "?" for letter in lines)[:SHOWN]
        return f": {line}" if line else ""

    def _read(self) -> None:
        try:
            data = os.read(self._reader, READ)
        except BlockingIOError:
            return
        if data:
            self._output += data[:max(SHOWN - len(self._output), 0)]
        else:
            self.close()
            self.silent.set()

    def _exited(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.kill()     # processes left in its group would pile up check by check
        self._reap()
        self.ended.set()

    def _reap(self) -> None:
        self.code = self._popen.wait()
        children.ended(self._popen.pid)


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return NOT_STARTED.get(code or 0, f"exit code {code}")
