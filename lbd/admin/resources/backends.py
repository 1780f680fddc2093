"""`/v1/backends` and `/v1/backends/{backend}`: the backends with their servers."""

from aiohttp import web

from lbd.admin.answers import answer, warned
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.guard import WHO, content


class BackendsResource:
    """Both resources."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._changes = daemon.runtime_changes

    async def list(self, _request: web.Request) -> web.Response:
        """200 with all of them."""
        return answer({"backends": self._changes.describe_backends()})

    async def get(self, request: web.Request) -> web.Response:
        """200 with one."""
        return answer(self._changes.describe_backend(request.match_info["backend"]))

    async def patch(self, request: web.Request) -> web.Response:
        """Override what the files say of all its servers: 200 with the backend as it is then."""
        backend = request.match_info["backend"]
        lost = await self._changes.override(backend, "", await content(request), request[WHO])
        return answer(warned(self._changes.describe_backend(backend), lost, self._changes.unkept))
