"""`lbd register`: a command is a server of a backend for as long as it runs."""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator

from lbd.cli import daemon_client, runtime_changes
from lbd.cli.argument_types import checked, kind, number
from lbd.cli.daemon_client import DaemonClient, NoAnswer
from lbd.cli.streams import print_error
from lbd.config.runtime import TTL, WEIGHT
from lbd.errors import LbdError, UsageError
from lbd.net import children
from lbd.schema import units as u
from lbd.schema.addresses import address_of

LEAVING = (signal.SIGTERM, signal.SIGINT)      # drain first
PASSED_ON = (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)    # as they come

BEATS = 3             # heartbeats in one ttl
AGAIN = 1.0           # seconds, at most, until the next try after one that was not answered
PATIENCE = 5.0        # seconds that an answer may take, after a drain too
BUSY = 500            # statuses from here on are of a daemon that cannot now, as while it starts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the registration, and the command."""
    parser.add_argument("--backend", metavar="NAME", required=True, type=kind(u.NAME), help="backend to be a server of")
    parser.add_argument("--address", metavar="ADDR", required=True,
                        help='IP:PORT, or ":PORT" at the address from which lbd is reached')
    parser.add_argument("--name", metavar="NAME", type=kind(u.NAME), help="name of the server; default: HOST-PORT")
    parser.add_argument("--weight", metavar="WEIGHT", type=number(WEIGHT), default=1, help="share of the traffic")
    parser.add_argument("--ttl", metavar="TIME", type=checked(kind(TTL)), default="15s",
                        help='how long it stays when this command dies without a word (default "15s")')
    parser.add_argument("--tag", metavar="TEXT", action="append", default=[], help="shown with it; may be repeated")
    parser.add_argument("--drain", metavar="TIME", type=checked(kind(u.duration(0.0, 600.0))), default="30s",
                        help='how long its requests may take to finish at SIGTERM (default "30s")')
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="after --; gets all signals")
    daemon_client.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command, registered; returns its exit code. Raises `LbdError` when the first answer is a refusal."""
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise UsageError("give the command after --: lbd register --backend app --address :9001 -- COMMAND …")
    daemon = daemon_client.find_daemon(args)
    name = args.name or f"{socket.gethostname().partition('.')[0]}-{port_of(args.address)}"
    registration = {"address": args.address, "weight": args.weight, "ttl": args.ttl, "tags": args.tag}
    path = runtime_changes.target_path(f"{args.backend}/{name}")
    session = RegistrationSession(daemon, path, registration, u.DURATION.parse(args.ttl) / BEATS)
    with handled(session, args.drain):
        try:
            code = session.begin(started(command)).wait()
        except OSError as error:
            raise LbdError(f"cannot run {command[0]}: {error.strerror}") from None
    session.end("0s")
    if session.refusal is not None:
        raise session.refusal
    return code if code >= 0 else 128 - code


@contextlib.contextmanager
def handled(session: "RegistrationSession", drain: str) -> Iterator[None]:
    """Pass signals on to the command, except those that are ignored here. As PID 1 of a container, this process
    waits for the orphans that come to it too."""
    handlers: dict[signal.Signals, Callable[[int, object], object]] = {
        **dict.fromkeys(PASSED_ON, lambda number, _frame: session.pass_on(number)),
        **dict.fromkeys(LEAVING, lambda number, _frame: session.leave(number, drain))}
    if os.getpid() == 1:
        handlers[signal.SIGCHLD] = lambda _number, _frame: children.reap()
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()
              if number in LEAVING or signal.getsignal(number) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def started(command: list[str]) -> "subprocess.Popen[bytes]":
    """The running command. Raises `OSError`."""
    with children.untold():
        child = subprocess.Popen(command)
        children.started(child.pid)
    return child


class RegistrationSession:
    """A registration that a thread makes and renews until it ends. `refusal` is the error of a daemon that refused it.

    Without a response it is tried again, so that the command may start before lbd.
    """

    def __init__(self, daemon: DaemonClient, path: str, registration: dict[str, object], beat: float) -> None:
        self._daemon = daemon
        self._path = path
        self._registration = registration
        self._beat = beat
        self.refusal: LbdError | None = None
        self._taken = False      # by the daemon, once
        self._said = ""
        self._child: subprocess.Popen[bytes] | None = None
        self._early: tuple[int, str] | None = None       # a signal that came before there was a child
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._leaving: threading.Thread | None = None

    def begin(self, child: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        """Register the child and renew the registration; a child that is refused from the start gets SIGTERM."""
        self._thread = threading.Thread(target=self._repeat, args=(child,), daemon=True)
        self._thread.start()
        self._child = child
        if self._early is not None:
            self.leave(*self._early)
        return child

    def leave(self, number: int, drain: str) -> None:
        """Drain, then pass the signal on; a second signal does not wait."""
        if self._child is None:          # it is just being started
            self._early = number, drain
            return
        if self._leaving is not None:
            self._child.send_signal(number)
            return
        self._leaving = threading.Thread(target=self._deregister, args=(self._child, number, drain), daemon=True)
        self._leaving.start()

    def pass_on(self, number: int) -> None:
        """Give the command a signal that does not end its registration."""
        if self._child is not None:
            self._child.send_signal(number)

    def end(self, drain: str) -> None:
        """End the registration; later calls do nothing."""
        if self._over.is_set():
            return
        self._over.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)   # a heartbeat after the DELETE would undo it
        if self.refusal is not None:
            return
        if not self._taken:
            drain = "0s"                  # at most the answer was lost, and no request was sent to it
        try:
            seconds = u.DURATION.parse(drain) + PATIENCE
            self._daemon.send_request("DELETE", f"{self._path}?wait={drain}", timeout=seconds)
        except LbdError as error:
            if self._taken:
                print_error(f"lbd: not deregistered, it expires: {error}")

    def _deregister(self, child: "subprocess.Popen[bytes]", number: int, drain: str) -> None:
        self.end(drain)
        child.send_signal(number)

    def _repeat(self, child: "subprocess.Popen[bytes]") -> None:
        done = self._register()
        while self.refusal is None and not self._over.wait(self._beat if done else min(self._beat, AGAIN)):
            done = self._register()
        if self.refusal is not None:
            child.terminate()

    def _register(self) -> bool:
        """Register once: True when the daemon has accepted. An error is printed once, not at every heartbeat."""
        later = False
        try:
            address = own_address(str(self._registration["address"]), self._daemon)
            request = {**self._registration, "address": address}
            answer = self._daemon.send_request("PUT", self._path, request, timeout=min(max(self._beat, 1.0), PATIENCE))
            later = answer.status >= BUSY
            runtime_changes.json_object(answer)
        except LbdError as error:
            if not self._taken and not later and not (isinstance(error, NoAnswer) and error.passing):
                self.refusal = error
            elif str(error) != self._said:
                self._said = str(error)
                print_error(f"lbd: registration not {'repeated' if self._taken else 'made yet'}: {error}")
            return False
        self._taken, self._said = True, ""
        return True


def port_of(text: str) -> int:
    """The port of an address, which may be `:PORT` alone. Raises `UsageError`."""
    try:
        return address_of(f"127.0.0.1{text}" if text.startswith(":") else text).port
    except ValueError as error:
        raise UsageError(f"--address: {text!r} {error}; must be {u.ADDRESS.allowed}") from None


def own_address(text: str, daemon: DaemonClient) -> str:
    """The address by which lbd reaches the server; `:PORT` is at this host's own address. Raises `NoAnswer`."""
    return f"{local_host(daemon)}{text}" if text.startswith(":") else text


def local_host(daemon: DaemonClient) -> str:
    """The address from which this host reaches the daemon; loopback for one on a Unix socket. Raises `NoAnswer`."""
    where = daemon.address
    if where.path:
        return "127.0.0.1"
    try:
        family, kind_, _, _, target = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind_) as probe:
            probe.connect(target)   # sends nothing: it only chooses the route
            host = str(probe.getsockname()[0])
    except OSError as error:
        raise NoAnswer(f"cannot tell from which address {where} is reached: {error.strerror}; give --address IP:PORT") \
            from None
    return f"[{host}]" if ":" in host else host
