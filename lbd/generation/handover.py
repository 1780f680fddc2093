"""The handover from one image of the supervisor to the next: sockets, scoreboard, states of servers, and the workers
that serve on meanwhile."""

import base64
import contextlib
import json
import os
import socket
from collections.abc import Hashable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from lbd.errors import no_memory_file
from lbd.generation.old_scoreboard import OldScoreboard, identity_of
from lbd.log.logger import logger
from lbd.stats.scoreboard import Board

VARIABLE = "LBD_HANDOVER"   # in the environment: pid of the heir, and the descriptor of a memfd with all of it as JSON


@dataclass(frozen=True, slots=True)
class Handover:
    """Everything that was handed over.

    `sockets` are listening, each with the name of its listener and whether lbd itself opened it; `api_sockets` are
    those of the admin and the metrics server. `workers` maps pids to lanes, `slots` are (kind, identity, slot).
    Without a `board` the layout was another, and `past` has the counters. `pipes` are the reading ends of access logs,
    each with the beginning of a line; `logs` are those of the workers' own logs. `health` is for `saved_health`,
    `runtime` for `RuntimeState`.
    """

    version: str
    generation: int
    restarts: int
    upgrades: int
    sockets: tuple[tuple[str, bool, socket.socket], ...] = ()
    api_sockets: Mapping[str, socket.socket] = field(default_factory=dict)
    board: Board | None = None
    past: OldScoreboard | None = None
    workers: Mapping[int, int] = field(default_factory=dict)
    slots: tuple[tuple[int, Hashable, int], ...] = ()
    pipes: tuple[tuple[int, bytes], ...] = ()
    logs: tuple[int, ...] = ()
    health: Mapping[str, Any] = field(default_factory=dict)
    runtime: str = ""


def write(data: Mapping[str, Any]) -> int:
    """A memfd with the data, in which byte strings are allowed. Raises `LbdError`."""
    try:
        memory = os.memfd_create("lbd-handover", os.MFD_CLOEXEC)
    except OSError as error:
        raise no_memory_file(error) from None
    text = json.dumps(data, default=lambda found: base64.b64encode(found).decode()).encode()
    with os.fdopen(os.dup(memory), "wb") as file:
        file.write(text)
    return memory


def descriptors(data: Mapping[str, Any]) -> list[int]:
    """The descriptors in the data, which have to survive the exec."""
    return [*(fd for _, _, fd in data["sockets"]), *data["doors"].values(), data["board"],
            *(fd for fd, _ in data["pipes"]), *data["logs"]]


def receive(environment: MutableMapping[str, str], pid: int) -> Handover | None:
    """The handover of the image before in this process, None if there was none. Unusable parts are left out."""
    heir, _, text = environment.pop(VARIABLE, "").partition(":")
    if heir != str(pid) or not text.isdecimal():
        return None
    try:
        with os.fdopen(int(text), "rb") as memory:
            memory.seek(0)
            return _parse(json.loads(memory.read()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.error("nothing taken over from the version before", reason=repr(error))
        return None


def _parse(data: Mapping[str, Any]) -> Handover:
    """The handover that JSON describes. Only the entries of the first version that had one must be there."""
    sockets = [(str(name), bool(own), sock) for name, own, fd in data["sockets"] for sock in _sockets(fd)]
    board = _board(int(data["board"]))
    slots = ((int(kind), identity_of(identity), int(slot)) for kind, identity, slot in data["slots"])
    return Handover(
        version=str(data["version"]), generation=int(data["generation"]), restarts=int(data["restarts"]),
        upgrades=int(data["upgrades"]) + 1, sockets=tuple(sockets),
        api_sockets={str(name): sock for name, fd in data.get("doors", {}).items() for sock in _sockets(fd)},
        board=board, past=_past(data) if board is None else None,
        workers={int(pid): int(lane) for pid, lane in data["workers"]},
        slots=tuple(slots) if board is not None else (),
        pipes=tuple((fd, base64.b64decode(begun)) for fd, begun in data.get("pipes", ()) if _owned(fd)),
        logs=tuple(fd for fd in data.get("logs", ()) if _owned(fd)), health=data.get("known", {}),
        runtime=str(data.get("runtime", "")))


def _sockets(fd: int) -> Iterable[socket.socket]:
    """The socket, if it is one."""
    with contextlib.suppress(OSError):
        os.set_inheritable(fd, False)
        sock = socket.socket(fileno=fd)
        sock.setblocking(False)
        yield sock


def _owned(fd: int) -> bool:
    """Whether the descriptor is there; from here on it is this process's alone."""
    try:
        os.set_inheritable(fd, False)
    except OSError:
        return False
    return True


def _board(fd: int) -> Board | None:
    os.set_inheritable(fd, False)
    try:
        return Board.attach(fd)
    except ValueError:
        return None


def _past(data: Mapping[str, Any]) -> OldScoreboard | None:
    try:
        found = OldScoreboard(int(data["board"]), data["counted"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("counters begin anew: the scoreboard of the version before cannot be read", reason=repr(error))
        return None
    logger.info("the scoreboard of the version before has another layout: its counters are added to a new one")
    return found
