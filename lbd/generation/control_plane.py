"""The control plane: the objects of the supervisor that live over all generations, and how they are joined."""

from collections.abc import Callable, Sequence

from lbd.access_log.collector import AccessLogCollector
from lbd.generation.certificates import Certificates
from lbd.generation.coordinator import Coordinator
from lbd.generation.endpoint_publisher import EndpointPublisher
from lbd.generation.handover import Handover
from lbd.generation.in_force import InForce
from lbd.generation.materials import Materials
from lbd.generation.predecessor import Predecessor
from lbd.generation.rows import Rows
from lbd.generation.server_states import ServerStates
from lbd.generation.tracing import Tracing
from lbd.generation.worker_count import LANES
from lbd.generation.worker_events import WorkerEvents
from lbd.net.tasks import Tasks
from lbd.process.sockets import Sockets
from lbd.stats import fields
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots
from lbd.workers.fleet import Fleet


class ControlPlane:
    """Each object owns its state and changes it by its own methods. Reports read them, `Coordinator` moves them
    together from one generation to the next.

    `write_log_line` gets the workers' lines of log; `handover` is that of the version before in this process.
    `bounds` are those of the histograms, in seconds.
    """

    def __init__(self, tasks: Tasks, log_form: str, write_log_line: Callable[[str], None],
                 handover: Handover | None = None, bounds: Sequence[float] = fields.RESPONSE_BOUNDS) -> None:
        self.tasks = tasks
        self.board = (handover and handover.board) or Board.create(LANES, bounds)
        self.slots = Slots(self.board)
        self.sockets = Sockets()
        self.access_log = AccessLogCollector()
        self.tracing = Tracing()
        self.materials = Materials(Certificates())
        self.in_force = InForce()
        self.servers = ServerStates(tasks, self.board, self.slots, self.materials.certificates)
        self.worker_events = WorkerEvents(write_log_line, self.servers, self.access_log, self.tracing)
        self.fleet = Fleet(tasks, self.sockets, self.board, log_form, self.worker_events.callbacks())
        self.rows = Rows(self.board, self.slots, self.in_force)
        self.publisher = EndpointPublisher(self.in_force, self.servers, self.fleet, self.rows)
        self.coordinator = Coordinator(tasks, self.in_force, self.servers, self.materials, self.sockets, self.fleet,
                                       self.rows, self.publisher)
        self.predecessor = Predecessor(handover, self.board, self.slots, self.fleet.lanes)
        self.fleet.slots.restarts = self.predecessor.restarts
        self.predecessor.read_worker_logs(write_log_line)
        self.predecessor.restore_servers(self.servers)
        self.servers.on_state_change = self.publisher.publish_soon
        self.servers.on_address_change = self.coordinator.apply_addresses_soon
