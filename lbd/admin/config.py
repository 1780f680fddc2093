"""`GET /v1/config`: the configuration in force, and where each value is from."""

from aiohttp import web

from lbd.admin.answers import answer
from lbd.admin.asked import Daemon


class Config:
    """The resource."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def get(self, _request: web.Request) -> web.Response:
        """200 with every key; secrets are hidden."""
        return answer(self._daemon.settings())
