"""`GET /v1/events`: what happened. `?since=N` only what came after number N, `?wait=30s` until there is something."""

from aiohttp import web

from lbd.admin.answers import answer
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.route import query


class EventsResource:
    """The resource `/v1/events`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def get(self, request: web.Request) -> web.Response:
        """200 with `events`, oldest first, and `last`, the number to ask from next time."""
        return answer(await self._daemon.events(query(request, "since", 0), query(request, "wait", 0.0)))
