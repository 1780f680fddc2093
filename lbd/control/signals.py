"""The signals of the supervisor: a handler only calls the method that the table names, from the loop."""

import asyncio
import signal
from typing import Protocol

SIGNALS: dict[signal.Signals, str] = {
    signal.SIGHUP: "handle_hup",
    signal.SIGTERM: "handle_term",
    signal.SIGINT: "handle_int",
    signal.SIGQUIT: "handle_quit",
    signal.SIGUSR2: "handle_usr2",
    signal.SIGUSR1: "handle_usr1",
}


class Handlers(Protocol):
    """The handlers of the signals; each method's docstring is the operator's manual."""

    def handle_hup(self) -> None: ...
    def handle_term(self) -> None: ...
    def handle_int(self) -> None: ...
    def handle_quit(self) -> None: ...
    def handle_usr2(self) -> None: ...
    def handle_usr1(self) -> None: ...


def install(loop: asyncio.AbstractEventLoop, handlers: Handlers) -> None:
    """Have the loop call the methods."""
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)   # a log without a reader is no reason to die
    for number, name in SIGNALS.items():
        loop.add_signal_handler(number, getattr(handlers, name))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)   # an upgrade has blocked them
