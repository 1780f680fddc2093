"""The daemon's own log: its output, its form and its level, which follows the configuration in force."""

from lbd.log import logger as log
from lbd.log.output import LogOutput
from lbd.report.event_log import EventLog
from lbd.schema import Config


class DaemonLog:
    """A part of the generation. `events` notes the events that are logged, for the admin interface."""

    def __init__(self, config: Config) -> None:
        self.output = LogOutput()
        self.events = EventLog()
        self.form = log.form_for(config.log.format, 2)
        self._level = config.log.level
        self._set_up()

    def write_line(self, line: str) -> None:
        """Write a line of a worker's log."""
        self.output.write(line + "\n")

    async def stage(self, old: Config, new: Config) -> None:
        """Note the new level."""
        self._level = new.log.level

    async def commit(self) -> None:
        """Log from the new level on."""
        self._set_up()

    async def rollback(self) -> None:
        """Nothing to give up: the level is staged anew with the next change."""

    def _set_up(self) -> None:
        log.set_up(self._level, self.form, self.output.write, self.events.note)
