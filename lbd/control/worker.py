"""The worker process: a data plane on its own loop, commanded by the supervisor over the control channel."""

import argparse
import asyncio
import faulthandler
import os
import signal
import socket
import sys
from collections.abc import Sequence

import uvloop

from lbd import __version__
from lbd.errors import LbdError
from lbd.log import logger as log
from lbd.log import strays
from lbd.log.logger import logger
from lbd.net.sock import Poller
from lbd.net.wakeups import Wakeups
from lbd.process import socket_owners
from lbd.process.garbage import Garbage
from lbd.process.orphans import LEAVE
from lbd.proxy.data_plane import DataPlane
from lbd.stats.scoreboard import Board
from lbd.workers.channel import Channel
from lbd.workers.codec import ORDERS, REPORTS
from lbd.workers.messages import (
    Commit,
    Committed,
    Confirm,
    Confirmed,
    ConnectFailed,
    Cut,
    Discard,
    Drain,
    ExplainReady,
    ExplainRequest,
    Listen,
    LogTo,
    Message,
    Ping,
    Pong,
    Prepare,
    Ready,
    TraceTo,
    UpdateEndpoints,
    Veto,
    WorkerHello,
)
from lbd.workers.worker_process import STACK, WAKEUPS

ORPHANED = 30.0   # seconds that a worker serves on, accepting, after its supervisor died
REPORT_PAUSE = 0.25  # seconds between two reports of the same server
MOST_REPORTED = 64   # servers that are reported in that time
CUT = 1.0         # seconds after which a worker that was told to cut ends whatever is left


class Worker:
    """The main object of a worker: handles each message of the supervisor."""

    def __init__(self, loop: asyncio.AbstractEventLoop, board: Board, lane: int, sock: socket.socket,
                 log_form: str, wakeups: Sequence[int] = ()) -> None:
        self._loop = loop
        self._log_form = log_form
        self._poller = Poller()
        loop.add_reader(self._poller.fileno(), self._poller.run)
        self._data_plane = DataPlane(loop, self._poller, board, lane, self._report_connect_failure,
                                     Wakeups(wakeups, lane))
        self._garbage = Garbage(loop)
        self._pending: Prepare | None = None
        self._drain_timeout = 0.0
        self._draining = False
        self._reported: set[tuple[str, str, str]] = set()
        self._channel = Channel(loop, sock, REPORTS, ORDERS, self._receive, self._orphaned)
        self._channel.send(WorkerHello(__version__, board.layout))

    def _receive(self, message: Message, fds: list[int]) -> None:
        match message:
            case Ping(number):
                self._channel.send(Pong(number))
            case UpdateEndpoints(endpoints):
                self._data_plane.update(endpoints)
            case Confirm():
                self._channel.send(Confirmed())
            case Prepare():
                self._prepare(message)
            case Commit(number):
                self._commit(number)
            case Discard():
                self._pending = None
                self._data_plane.discard()
            case Listen(listener, more):
                self._listen(listener, fds, more)
            case LogTo():
                for fd in fds:
                    self._data_plane.log_to(fd)
            case TraceTo():
                for fd in fds:
                    self._data_plane.trace_to(fd)
            case ExplainRequest(ticket, seconds):
                self._data_plane.explanations.admit(ticket, seconds)
                self._channel.send(ExplainReady())
            case Drain(timeout):
                self._drain(timeout)
            case Cut():
                self._loop.call_later(CUT, self._end)
                self._data_plane.cut()
            case _:
                logger.error("unexpected message from the supervisor", message=type(message).__name__)

    def _prepare(self, message: Prepare) -> None:
        number = message.generation.number
        try:
            self._data_plane.prepare(message.generation)
        except LbdError as error:
            self._channel.send(Veto(number, str(error)))
        except Exception as error:  # whatever is wrong with it, the old generation serves on
            logger.exception("generation cannot be built", generation=number)
            self._channel.send(Veto(number, f"generation {number} cannot be built: {error!r}"))
        else:
            self._pending = message
            self._channel.send(Ready(number))

    def _commit(self, number: int) -> None:
        if self._pending is None:
            logger.error("nothing is prepared to commit", generation=number)
            return
        config = self._pending.generation.config
        self._pending = None
        self._data_plane.commit()
        self._drain_timeout = config.global_.drain_timeout
        log.set_up(config.log.level, self._log_form, log.write_stderr, worker=os.getpid())
        self._garbage.note_generation()
        self._channel.send(Committed(number))

    def _listen(self, listener: str, fds: list[int], more: bool) -> None:
        if not more:
            self._data_plane.unlisten(listener)
        for fd in fds:
            if self._draining:
                os.close(fd)
            else:
                self._data_plane.listen(listener, socket.socket(fileno=fd))

    def _report_connect_failure(self, backend: str, server: str, address: str) -> None:
        # A dead server fails every connect: one report does until its check had time to run.
        # Reports that the supervisor cannot take now are left out: answers to pings must not wait behind them.
        target = backend, server, address
        if target not in self._reported and len(self._reported) < MOST_REPORTED and not self._channel.behind:
            self._reported.add(target)
            self._loop.call_later(REPORT_PAUSE, self._reported.discard, target)
            self._channel.send(ConnectFailed(*target))

    def _drain(self, timeout: float) -> None:
        if not self._draining:
            self._draining = True
            self._data_plane.drain(timeout, self._end)

    def _orphaned(self, reason: str) -> None:
        if self._draining:
            return
        logger.error("the supervisor is gone; serving on for a while", reason=reason, seconds=ORPHANED)
        socket_owners.become_orphan()
        self._loop.add_signal_handler(LEAVE, lambda: self._drain(self._drain_timeout))   # a successor is there
        self._loop.call_later(ORPHANED, lambda: self._drain(self._drain_timeout))

    def _end(self) -> None:
        self._loop.stop()


def main(argv: list[str] | None = None) -> int:
    """Run the worker to its end; returns its exit code."""
    parser = argparse.ArgumentParser("lbd worker")
    for name in ("slot", "lane", "channel", "board"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--log", choices=log.FORMS, required=True)
    # A supervisor of another version may give others: the greeting, which it waits for, tells it.
    args, _ = parser.parse_known_args(argv)
    # Ctrl-C and service managers signal the whole group: the supervisor decides what its workers do.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    faulthandler.enable(all_threads=False)
    faulthandler.register(STACK, all_threads=False)
    os.set_blocking(2, False)   # a log without a reader must not stop the traffic
    log.set_up("info", args.log, log.write_stderr, worker=os.getpid())
    wakeups = tuple(map(int, filter(None, os.environ.pop(WAKEUPS, "").split(","))))
    for fd in (args.channel, args.board, *wakeups):
        os.set_inheritable(fd, False)
    sock = socket.socket(fileno=args.channel)
    loop = uvloop.new_event_loop()
    strays.gather(loop)
    try:
        board = Board.attach(args.board)
    except ValueError as error:
        logger.error("the scoreboard is not this version's", reason=str(error))
        Channel(loop, sock, REPORTS, ORDERS, lambda message, fds: None, lambda reason: loop.stop()).send(
            WorkerHello(__version__, -1))
    else:
        Worker(loop, board, args.lane, sock, args.log, wakeups)
    loop.run_forever()
    return 0


if __name__ == "__main__":
    code = main()
    # No tidying up: everything a worker has is the kernel's to free, and interpreters can hang at exit.
    sys.stderr.flush()
    os._exit(code)
