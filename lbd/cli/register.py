"""`lbd register`: a command is a server of a backend for as long as it runs."""

import argparse
import signal
import socket
import subprocess
import sys
import threading

from lbd.cli import asking, steering
from lbd.cli.asking import Daemon
from lbd.cli.parser import checked, kind, number
from lbd.config import units as u
from lbd.config.addresses import address_of
from lbd.config.runtime import TTL, WEIGHT
from lbd.errors import LbdError, UsageError

HELP = "register a server for as long as a command runs"

BEATS = 3             # heartbeats in one ttl
PATIENCE = 5.0        # seconds more than the drain that the farewell may take


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to register, and the command."""
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
    asking.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """The exit code of the command; raises `LbdError` when the first registration is refused."""
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise UsageError("give the command after --: lbd register --backend app --address :9001 -- COMMAND …")
    daemon = asking.find(args)
    address = own_address(args.address, daemon)
    name = args.name or f"{socket.gethostname().partition('.')[0]}-{address_of(address).port}"
    offer = {"address": address, "weight": args.weight, "ttl": args.ttl, "tags": args.tag}
    visit = Visit(daemon, steering.place(f"{args.backend}/{name}"), offer, u.DURATION.read(args.ttl) / BEATS)
    try:
        child = subprocess.Popen(command)
    except OSError as error:
        raise LbdError(f"cannot run {command[0]}: {error.strerror}") from None
    try:
        visit.begin()
    except LbdError:
        child.terminate()
        child.wait()
        raise
    before = {one: signal.signal(one, lambda number, _frame: visit.leave(child, number, args.drain))
              for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        code = child.wait()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    visit.end("0s")
    return code if code >= 0 else 128 - code


class Visit:
    """One registration: repeated by a thread until it ends."""

    def __init__(self, daemon: Daemon, path: str, offer: dict[str, object], beat: float) -> None:
        self._daemon = daemon
        self._path = path
        self._offer = offer
        self._beat = beat
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)
        self._leaving: threading.Thread | None = None

    def begin(self) -> None:
        """Register and go on registering; raises `LbdError` when the first time is refused."""
        steering.data(self._daemon.ask("PUT", self._path, self._offer))
        self._thread.start()

    def leave(self, child: "subprocess.Popen[bytes]", number: int, drain: str) -> None:
        """Drain, then pass the signal on; a second signal does not wait."""
        if self._leaving is not None:
            child.send_signal(number)
            return
        self._leaving = threading.Thread(target=self._farewell, args=(child, number, drain), daemon=True)
        self._leaving.start()

    def end(self, drain: str) -> None:
        """It is no server any more; once."""
        if self._over.is_set():
            return
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE)   # a heartbeat that comes after the farewell would undo it
        try:
            self._daemon.ask("DELETE", f"{self._path}?wait={drain}", timeout=u.DURATION.read(drain) + PATIENCE)
        except LbdError as error:
            print(f"lbd: not deregistered, it expires: {error}", file=sys.stderr)

    def _farewell(self, child: "subprocess.Popen[bytes]", number: int, drain: str) -> None:
        self.end(drain)
        child.send_signal(number)

    def _repeat(self) -> None:
        said = ""
        while not self._over.wait(self._beat):
            try:
                steering.data(self._daemon.ask("PUT", self._path, self._offer, timeout=max(self._beat, 1.0)))
                said = ""
            except LbdError as error:
                if str(error) != said:   # once, not at every beat
                    said = str(error)
                    print(f"lbd: registration not repeated: {said}", file=sys.stderr)


def own_address(text: str, daemon: Daemon) -> str:
    """The address as lbd is to reach it; `:PORT` is at this machine's own. Raises `UsageError`."""
    if text.startswith(":"):
        text = f"{local_host(daemon)}{text}"
    try:
        address_of(text)
    except ValueError as error:
        raise UsageError(f"--address: {text!r} {error}; must be {u.ADDRESS.allowed}") from None
    return text


def local_host(daemon: Daemon) -> str:
    """The address from which this machine reaches the daemon; loopback for one on a Unix socket."""
    where = daemon.address
    if where.path:
        return "127.0.0.1"
    try:
        family, kind_, _, _, target = socket.getaddrinfo(where.host, where.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind_) as probe:
            probe.connect(target)   # sends nothing: it only chooses the route
            host = str(probe.getsockname()[0])
    except OSError as error:
        raise LbdError(f"cannot tell from which address {where} is reached: {error.strerror}; give --address IP:PORT") \
            from None
    return f"[{host}]" if ":" in host else host
