"""The poller of `lbd top`: status and events of the daemon, read in a thread beside the screen."""

from collections.abc import Callable, Sequence
from typing import Any

from textual.app import App

from lbd.cli import runtime_changes
from lbd.cli.daemon_client import DaemonClient
from lbd.cli.screen.detail import Facts
from lbd.errors import LbdError

TIMEOUT = 10.0        # seconds until the daemon has to answer
MAX_EVENTS = 1000     # the newest ones, that are kept


class DaemonPoller:
    """Calls `on_status` or `on_failure` with each outcome; `status` and `events` keep the last good answer."""

    def __init__(self, app: App[None], daemon: DaemonClient, on_status: Callable[[], None],
                 on_failure: Callable[[str], None]) -> None:
        self.status: Facts = {}
        self.events: list[Facts] = []
        self._app = app
        self._daemon = daemon
        self._on_status = on_status
        self._on_failure = on_failure
        self._polling = False

    def poll(self) -> None:
        """Request status and events, unless the last answer has not come yet."""
        if not self._polling:
            self._polling = True
            self._app.run_worker(self._request, thread=True, group="poll")

    def change_mode(self, target: str, mode: str, reason: str) -> None:
        """Give the server another mode; blocks. Raises `LbdError`."""
        path = runtime_changes.target_path(target)
        change = {"mode": mode, "reason": reason}
        runtime_changes.json_object(self._daemon.send_request("PATCH", path, change, timeout=TIMEOUT))

    def _request(self) -> None:
        last = self.events[-1]["number"] if self.events else 0
        try:
            status = self._get("/v1/status?history=true")
            events = self._get(f"/v1/events?since={last}")["events"]
            self._app.call_from_thread(self._succeed, status, events)
        except LbdError as error:
            self._app.call_from_thread(self._fail, str(error))
        except (AttributeError, KeyError, TypeError):
            self._app.call_from_thread(self._fail, "the daemon is of another version")

    def _get(self, path: str) -> dict[str, Any]:
        return runtime_changes.json_object(self._daemon.send_request("GET", path, timeout=TIMEOUT))

    def _succeed(self, status: Facts, events: Sequence[Facts]) -> None:
        self._polling = False
        self.status = status
        self.events = [*self.events, *events][-MAX_EVENTS:]
        self._on_status()

    def _fail(self, reason: str) -> None:
        self._polling = False
        self._on_failure(reason)
