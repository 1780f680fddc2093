"""What one image of the supervisor leaves to the next: sockets, scoreboard, and the workers that serve on meanwhile."""

import contextlib
import json
import os
import socket
from collections.abc import Hashable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from lbd.log import logger
from lbd.stats.scoreboard import Board

VARIABLE = "LBD_HANDOVER"   # in the environment: pid of the heir, and the descriptor of a memfd with all of it as JSON
STORED = "lbd."             # name of a socket that lbd itself has opened, as in systemd's descriptor store


@dataclass(frozen=True, slots=True)
class Handover:
    """What was left. `sockets` are listening, with the name of their listener and whether lbd itself opened them;
    `workers` maps pids to lanes; `slots` are (kind, identity, slot). Without a `board` the layout was another."""

    version: str
    generation: int
    restarts: int
    upgrades: int
    sockets: tuple[tuple[str, bool, socket.socket], ...] = ()
    board: Board | None = None
    workers: Mapping[int, int] = field(default_factory=dict)
    slots: tuple[tuple[int, Hashable, int], ...] = ()


def write(data: Mapping[str, Any], fds: list[int]) -> int:
    """A memfd with the data; it and the descriptors named in it will survive an exec."""
    memory = os.memfd_create("lbd-handover", 0)
    os.write(memory, json.dumps(data).encode())
    for fd in fds:
        os.set_inheritable(fd, True)
    return memory


def take(environment: MutableMapping[str, str], pid: int) -> Handover | None:
    """What the image before left to this process, None if there was none. Whatever cannot be used is left out."""
    heir, _, text = environment.pop(VARIABLE, "").partition(":")
    if heir != str(pid) or not text.isdecimal():
        return None
    try:
        with os.fdopen(int(text), "rb") as memory:
            memory.seek(0)
            data = json.loads(memory.read())
    except (OSError, ValueError) as error:
        logger.error("nothing taken over from the version before", reason=str(error))
        return None
    sockets = []
    for name, own, fd in data["sockets"]:
        with contextlib.suppress(OSError):
            os.set_inheritable(fd, False)
            sock = socket.socket(fileno=fd)
            sock.setblocking(False)
            sockets.append((str(name), bool(own), sock))
    board = _board(int(data["board"]))
    return Handover(
        version=str(data["version"]), generation=int(data["generation"]), restarts=int(data["restarts"]),
        upgrades=int(data["upgrades"]) + 1, sockets=tuple(sockets), board=board,
        workers={int(pid): int(lane) for pid, lane in data["workers"]},
        slots=tuple((int(kind), _identity(identity), int(slot)) for kind, identity, slot in data["slots"]))


def _board(fd: int) -> Board | None:
    os.set_inheritable(fd, False)
    try:
        return Board.attach(fd)
    except ValueError as error:
        logger.warning("counters begin anew: the scoreboard of the version before has another layout",
                       reason=str(error))
        os.close(fd)
        return None


def _identity(found: Any) -> Hashable:
    return tuple(found) if isinstance(found, list) else str(found)
