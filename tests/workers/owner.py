"""An owner of a fleet, with a scoreboard."""

from lbd.backend.snapshot import Generation
from lbd.schema import Config
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board
from lbd.workers.fleet import FleetCallbacks

WEB = 0     # the slot of a listener
EMPTY = Generation(1, Config(), {}, {}, {"web": WEB}, {})


class Owner:
    """The owner of the fleet: a scoreboard, and notes of what it is called back with."""

    def __init__(self, lanes):
        self.board = Board.create(lanes)
        self.lines = []
        self.mismatches = 0
        self.failures = []

    def callbacks(self):
        return FleetCallbacks(
            write_log_line=self.lines.append, on_worker_hello=lambda process: None,
            on_version_mismatch=self.on_version_mismatch,
            on_connect_failure=lambda *failure: self.failures.append(failure), changes_since=lambda generation: ())

    def on_version_mismatch(self):
        self.mismatches += 1

    def accept(self, lane):
        """Count one more accepted connection in that lane."""
        self.board.row(lane, scoreboard.LISTENER, WEB).add(fields.LISTENER_ACCEPTED, 1)
