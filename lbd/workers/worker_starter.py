"""The start of a worker: from exec to its greeting, which must be of this very version."""

import asyncio
from collections.abc import Callable

from lbd import __version__
from lbd.errors import LbdError
from lbd.net.wakeups import open_wakeups
from lbd.stats.scoreboard import Board
from lbd.workers.messages import Message, WorkerHello
from lbd.workers.worker_process import WorkerProcess


class WorkerStarter:
    """Starts workers that count in `board`. `layout` is the scoreboard's layout that they must have. `on_report` gets
    the messages that answer nothing, `write_log_line` each line of a worker's log, `on_hello` a worker of this very
    version that is up; `on_version_mismatch` is called for one of another version. Each worker gets the eventfds by
    which workers wake each other."""

    def __init__(self, board: Board, log_form: str, on_report: Callable[[WorkerProcess, Message], None],
                 write_log_line: Callable[[str], None], on_hello: Callable[[WorkerProcess], None],
                 on_version_mismatch: Callable[[], None]) -> None:
        self.layout = board.layout
        self._board = board
        self._log_form = log_form
        self._on_report = on_report
        self._write_log_line = write_log_line
        self._on_hello = on_hello
        self._on_version_mismatch = on_version_mismatch
        self._wakeups: tuple[int, ...] = ()

    def provide_wakeups(self, workers: int) -> None:
        """Open the missing eventfds for so many workers, old and new ones side by side; lanes without one poll."""
        self._wakeups += open_wakeups(min(self._board.lanes, 2 * workers + 2) - len(self._wakeups))

    def start(self, slot: int, lane: int) -> WorkerProcess:
        """Start a worker; raises `LbdError` when that is impossible."""
        return WorkerProcess(asyncio.get_running_loop(), slot, lane, self._board.fd, self._log_form, self._on_report,
                             self._write_log_line, self._wakeups)

    async def greet(self, process: WorkerProcess) -> None:
        """Await the greeting. Raises `LbdError` for a worker of another version, and for one that dies before."""
        hello = await process.receive(WorkerHello)
        if (hello.version, hello.layout) != (__version__, self.layout):
            self._on_version_mismatch()
            raise LbdError(f"it runs lbd {hello.version}, the supervisor lbd {__version__}: lbd was replaced under the "
                           "running daemon, which upgrades itself now")
        self._on_hello(process)
