"""`GET /v1/status`: everything that is now; `?history=true` with the last two minutes of each server."""

from aiohttp import web

from lbd.admin.answers import answer
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.route import YES, query


class StatusResource:
    """The resource `/v1/status`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def get(self, request: web.Request) -> web.Response:
        """Generation, workers, listeners, backends with their servers."""
        return answer(self._daemon.status(query(request, "history", "0") in YES))
