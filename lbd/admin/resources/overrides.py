"""`/v1/overrides`: what was changed while lbd runs, and the end of it."""

from aiohttp import web

from lbd.admin.answers import answer, warned
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.guard import WHO
from lbd.admin.route import query


class OverridesResource:
    """The resource `/v1/overrides`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._changes = daemon.runtime_changes

    async def get(self, _request: web.Request) -> web.Response:
        """200 with all of them."""
        return answer({"overrides": self._changes.describe_overrides()})

    async def delete(self, request: web.Request) -> web.Response:
        """End those of `?backend=` and `?server=`, without both all: 200 with their number."""
        backend, server = query(request, "backend", ""), query(request, "server", "")
        ended = await self._changes.end_overrides(backend, server, request[WHO])
        return answer(warned({"ended": ended}, self._changes.unkept))
