"""The successor: everything that the next version of lbd in this process gets from this one."""

from typing import Any

from lbd import __version__
from lbd.generation import saved_health
from lbd.generation.control_plane import ControlPlane
from lbd.generation.old_scoreboard import described
from lbd.stats import fields

LAST_LINES = 1.0   # seconds for the last lines of the access log


def handover_data(plane: ControlPlane) -> dict[str, Any]:
    """The data of a `Handover`, as `handover.write` takes it. The access log is not read from here on, until
    `stay`."""
    slots = [(kind, owner, slot) for kind in range(len(fields.KINDS))
             for owner, slot in plane.slots.owners(kind).items()]
    processes, servers, generation = plane.fleet.processes(), plane.servers, plane.in_force.generation
    return {"version": __version__, "generation": generation.number if generation is not None else 0,
            "restarts": plane.fleet.slots.restarts, "board": plane.board.fd, "slots": slots,
            "sockets": [(name, own, sock.fileno()) for name, own, sock in plane.sockets.all()],
            "workers": [*((process.pid, process.lane) for process in processes), *plane.predecessor.workers.items()],
            "logs": [process.log for process in processes if process.log >= 0],
            "pipes": plane.access_log.leave(LAST_LINES), "counted": described(plane.board, plane.slots),
            "known": saved_health.describe(servers.schedule, servers.ejection, servers.cuts)}
