"""A `TopApp` on a scripted daemon."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from lbd.cli.daemon_client import DaemonClient
from lbd.cli.screen.app import TopApp
from lbd.schema import units as u
from tests.waiting import until

LIMIT, PAUSE = 20.0, 0.01     # seconds; a look at the screen renders it


def server(**more: Any) -> dict[str, Any]:
    """A server as the status tells of it."""
    return {"address": "127.0.0.1:9001", "health": "up", "mode": "ready", "weight": 1, "in_flight": 0, "requests": 5,
            "codes": {}, "connection_errors": 0, "latency_seconds": 0.01, "requests_per_second": 1.0,
            "reason": "GET /: 200", "since": "2026-01-01T00:00:00Z",
            "history": {"step_seconds": 2.0, "latency_seconds": [0.01, 0.02], "requests_per_second": [1.0, 1.0],
                        "errors_per_second": [0.0, 0.0]}, **more}


class Driven:
    """The application, what it asks, and the keys that are pressed."""

    def __init__(self, fake_daemon: Any) -> None:
        self.daemon = fake_daemon
        self.servers = {"a": server(requests_per_second=5.0), "b": server(health="down", reason="GET /: 503"),
                        "c": server(mode="drain", in_flight=3, requests_per_second=9.0)}
        self.app = TopApp(DaemonClient(u.ADDRESS.parse(fake_daemon.bind)), 0.2)
        self.answer()

    def answer(self, **more: Any) -> None:
        """Set the status of the daemon from now on."""
        self.daemon.answers["GET", "/v1/status?history=true"] = 200, {
            "version": "1", "pid": 7, "state": "ready", "generation": 3, "uptime_seconds": 60, "workers": [],
            "time": "2026-01-01T00:01:00Z", "listeners": {},
            "backends": {"app": {"requests_per_second": 15.0, "errors_per_second": 0.5, "servers": self.servers}},
            **more}
        event = {"number": 1, "timestamp": "2026-01-01T00:00:30Z", "level": "warning", "event": "server down",
                 "backend": "app", "server": "b"}
        self.daemon.answers["GET", "/v1/events?since=0"] = 200, {"events": [event], "last": 1}
        self.daemon.answers["GET", "/v1/events?since=1"] = 200, {"events": [], "last": 1}

    @contextlib.asynccontextmanager
    async def run(self, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Any]:
        """Until the first figures are there."""
        async with self.app.run_test(size=size, notifications=True) as pilot:
            await self.shows("by trouble")
            await pilot.pause()
            yield pilot

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait for what the application does by itself."""
        await until(condition, LIMIT, PAUSE)

    def text(self) -> str:
        """All that stands on the screen."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in line) for line in lines)

    async def shows(self, *parts: str) -> None:
        """Wait until all of that stands on the screen."""
        for part in parts:
            await self.until(lambda part=part: part in self.text())

    def names(self) -> list[str]:
        """The servers in the table, from top to bottom."""
        return [row["name"] for row in self.app.table.rows_shown]


@pytest.fixture
def driven(fake_daemon: Any) -> Driven:
    return Driven(fake_daemon)
