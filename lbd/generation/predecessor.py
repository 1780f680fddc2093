"""The predecessor: the version of lbd before this one in the same process, with workers and counters of its own."""

import asyncio
import socket
from collections.abc import Callable, Mapping

from lbd.access_log.collector import AccessLogCollector
from lbd.generation import saved_health
from lbd.generation.handover import Handover
from lbd.generation.rows import RowIdentity
from lbd.generation.server_states import ServerStates
from lbd.generation.worker_count import OLD_LANE
from lbd.process.sockets import Sockets
from lbd.schema import ListenerConfig
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots
from lbd.workers.lanes import Lanes
from lbd.workers.pipe_lines import PipeLines


class Predecessor:
    """Hands out the parts of a `Handover`, each at its time of the start; without one there is nothing to hand out.

    `workers` are those of the predecessor that still live, by pid with their lanes. `restarts` and `upgrades` count on.
    """

    def __init__(self, handover: Handover | None, board: Board, slots: Slots, lanes: Lanes) -> None:
        self._handover = handover
        self._board = board
        self._slots = slots
        self._lanes = lanes
        self._scoreboard = handover.past if handover is not None else None
        self.workers: dict[int, int] = dict(handover.workers) if handover is not None else {}
        if handover is not None and handover.board is not None:
            slots.restore(handover.slots)
            for lane in self.workers.values():
                lanes.occupy(lane)
        elif self._scoreboard is not None:
            lanes.occupy(OLD_LANE)

    @property
    def next_generation(self) -> int:
        """The number of this version's first generation."""
        return self._handover.generation + 1 if self._handover is not None else 1

    @property
    def restarts(self) -> int:
        """Workers that were restarted before."""
        return self._handover.restarts if self._handover is not None else 0

    @property
    def upgrades(self) -> int:
        """Upgrades in place up to now, this one included."""
        return self._handover.upgrades if self._handover is not None else 0

    @property
    def runtime(self) -> str:
        """The runtime changes that no disk keeps, as text; "" without any."""
        return self._handover.runtime if self._handover is not None else ""

    def server_socket(self, name: str) -> socket.socket | None:
        """The socket of the `admin` or `metrics` server; None if it had none."""
        return self._handover.api_sockets.get(name) if self._handover is not None else None

    def restore_servers(self, servers: ServerStates) -> None:
        """Go on with health, ejections and planned cuts as they were."""
        if self._handover is not None:
            saved_health.restore(self._handover.health, servers.schedule, servers.ejection, servers.cuts)

    def read_worker_logs(self, write_log_line: Callable[[str], None]) -> None:
        """Read on the logs of the workers that still live."""
        for fd in self._handover.logs if self._handover is not None else ():
            PipeLines(asyncio.get_running_loop(), fd, write_log_line)

    def read_access_log(self, access_log: AccessLogCollector) -> None:
        """Read on the access log of those workers; `access_log` must have a place to write to by now."""
        for reader, line_begin in self._handover.pipes if self._handover is not None else ():
            access_log.adopt(reader, line_begin)

    def give_sockets(self, sockets: Sockets, listeners: Mapping[str, ListenerConfig]) -> None:
        """Hand over the listening sockets; those that no bind needs are closed."""
        for name, own, sock in self._handover.sockets if self._handover is not None else ():
            if not sockets.adopt(name, sock, own, listeners):
                sock.close()

    def add_counters(self) -> None:
        """Add the counters of a scoreboard of another layout to this version's."""
        if self._scoreboard is not None:
            self._scoreboard.begin(self._board, self._slots, OLD_LANE)

    def rows(self) -> set[RowIdentity]:
        """The rows of the predecessor."""
        rows = {(kind, owner) for kind, owner, _ in self._handover.slots} if self._handover is not None else set()
        return rows | (self._scoreboard.identities() if self._scoreboard is not None else set())

    def on_worker_exit(self, pid: int) -> None:
        """A worker of the predecessor ended: its lane is free, and its counters stay."""
        lane = self.workers.pop(pid, None)
        if lane is None or self._handover is None:
            return
        if self._handover.board is not None:
            self._lanes.release(lane)
        elif self._scoreboard is not None:
            self._scoreboard.add([lane], self._board, self._slots, OLD_LANE)
