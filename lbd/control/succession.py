"""The succession: hands this version's state over to the next one in its process, and takes it up again when that one
could not be started."""

import glob
from typing import Any

from lbd.control.api_server import ApiServer
from lbd.control.daemon_log import DaemonLog
from lbd.control.metrics_part import MetricsPart
from lbd.control.runtime_changes import RuntimeChanges
from lbd.control.service import Service
from lbd.generation import certificates
from lbd.generation.control_plane import ControlPlane
from lbd.generation.successor import LAST_LINES, handover_data
from lbd.schema import Config


class Succession:
    """Used by `Upgrade`. `admin` is the admin interface's server, set once it is bound."""

    def __init__(self, plane: ControlPlane, changes: RuntimeChanges, service: Service, log: DaemonLog,
                 metrics: MetricsPart) -> None:
        self.admin: ApiServer | None = None
        self._plane = plane
        self._changes = changes
        self._service = service
        self._log = log
        self._metrics = metrics

    def leave(self) -> dict[str, Any]:
        """Stop reading the access log, and return everything for the next version, as `handover.write` takes it."""
        self._log.output.flush(LAST_LINES)
        self._service.reloading()
        servers = {name: server.sock.fileno() for name, server in (
            ("admin", self.admin), ("metrics", self._metrics.server)) if server is not None}
        return {**handover_data(self._plane), "doors": servers, "runtime": self._changes.leave()}

    def stay(self) -> None:
        """Go on: the next version could not be started."""
        self._plane.access_log.stay()
        self._service.settled()

    def needed_files(self) -> list[str]:
        """The files besides the configuration's own that the next version reads at its start."""
        generation = self._plane.in_force.generation
        return start_files(generation.config) if generation is not None else []


def start_files(config: Config) -> list[str]:
    """The files besides the configuration's own that a start reads."""
    admin = config.admin
    tls = (admin.tls.cert, admin.tls.key_file, admin.tls.client_ca) if admin.tls is not None else ()
    patterns = [*certificates.files(config), *(path for path in (admin.token_file, *tls) if path is not None)]
    return [path for pattern in patterns for path in (
        sorted(glob.glob(pattern, recursive=True)) if glob.has_magic(pattern) else [pattern])]
