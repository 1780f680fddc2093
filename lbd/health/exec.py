"""The check `exec`: a program that ends with 0, called with the server's address in its environment and no shell."""

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lbd.config.kinds import ItemError, Kind, each, text_of, type_of
from lbd.config.schema import REQUIRED, key
from lbd.errors import shortage
from lbd.health.check import Result, Subject

SHOWN = 120         # characters of the program's first line of output that are repeated
LAST_WORDS = 0.05   # seconds for output that comes behind the end of the program
DYING = 1.0         # seconds for a killed program to be gone
NO_PROCESS = (errno.EAGAIN, -1)     # the limit of processes; what uvloop says when descriptors end half-way
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


COMMAND = Kind("command", 'an array: the program and its arguments, like ["/usr/bin/check", "-q"]', _read_command,
               {"type": "array", "items": {"type": "string"}, "minItems": 1}, empty=())


@dataclass(frozen=True, slots=True)
class Options:
    """The keys of a policy with `type = "exec"`."""

    command: tuple[str, ...] = key(
        REQUIRED, COMMAND, "program and arguments, without a shell; 0 passes. It gets LBD_ADDRESS, LBD_HOST, LBD_PORT, "
        "LBD_BACKEND and LBD_SERVER", example=["/usr/local/bin/check"])


async def check(subject: Subject, options: Options, timeout: float) -> Result:
    """Run the program; after `timeout` seconds it is killed, with all that it started."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    name = os.path.basename(options.command[0])
    try:
        transport, program = await loop.subprocess_exec(
            Program, *options.command, stdin=None, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            env=environment(subject), cwd="/", start_new_session=True)
    except (OSError, ValueError) as error:
        if shortage(error) or getattr(error, "errno", 0) in NO_PROCESS:
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        return Result(False, f"{name}: cannot be started: {reason}", loop.time() - started)
    try:
        async with asyncio.timeout(timeout):
            await program.ended.wait()
    except TimeoutError:
        return Result(False, f"{name}: timeout", loop.time() - started)
    finally:
        # Also after its end: what it left running in its group would pile up check by check.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        await _over(program.ended, DYING)
        transport.close()
    seconds = loop.time() - started
    await _over(program.silent, LAST_WORDS)
    code = transport.get_returncode()
    return Result(code == 0, f"{name}: {_ending(code)}{program.said()}", seconds)


async def _over(event: asyncio.Event, seconds: float) -> None:
    if not event.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()


def environment(subject: Subject) -> Mapping[str, str]:
    """What the program sees; host and port are empty for a Unix socket."""
    address = subject.address
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "LBD_ADDRESS": address.place,
        "LBD_HOST": "" if address.path else address.host,
        "LBD_PORT": "" if address.path else str(address.port),
        "LBD_BACKEND": subject.backend,
        "LBD_SERVER": subject.server,
    }


class Program(asyncio.SubprocessProtocol):
    """A running program: keeps the beginning of what it says and reads the rest away."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.silent = asyncio.Event()
        self._output = b""

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It wrote something."""
        if len(self._output) < SHOWN:
            self._output += data[:SHOWN]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        """It, and all that it started, closed the output."""
        self.silent.set()

    def process_exited(self) -> None:
        """It is over."""
        self.ended.set()

    def said(self) -> str:
        """Its first line, as the end of a sentence."""
        lines = self._output.decode(errors="replace").split("\n", 1)[0].strip()
        line = "".join(letter if letter.isprintable() else "?" for letter in lines)[:SHOWN]
        return f": {line}" if line else ""


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit code {code}"
