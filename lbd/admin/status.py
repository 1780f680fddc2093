"""`GET /v1/status`: everything that is now."""

from aiohttp import web

from lbd.admin.answers import answer
from lbd.admin.asked import Daemon


class Status:
    """The resource."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def get(self, _request: web.Request) -> web.Response:
        """Generation, workers, listeners, backends with their servers."""
        return answer(self._daemon.status())
