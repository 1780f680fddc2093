"""`/v1/backends/{backend}/servers/{server}`: read, override, register and remove one server."""

from aiohttp import web

from lbd.admin.answers import answer, warned
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.guard import WHO, content
from lbd.admin.route import query


class ServersResource:
    """The resource `/v1/backends/{backend}/servers/{server}`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._changes = daemon.runtime_changes

    async def get(self, request: web.Request) -> web.Response:
        """200 with its state, its override and its registration."""
        return answer(self._changes.describe_server(*_names(request)))

    async def put(self, request: web.Request) -> web.Response:
        """Register it, or say that it lives: 201 when it is new or another than before, 200 when it was known."""
        backend, server = _names(request)
        registration = await content(request)
        changed = await self._changes.register(backend, server, registration, request[WHO])
        return answer({"backend": backend, "name": server, "changed": changed}, 201 if changed else 200)

    async def patch(self, request: web.Request) -> web.Response:
        """Override what the files say of it: 200 with the server as it is then."""
        backend, server = _names(request)
        lost = await self._changes.override(backend, server, await content(request), request[WHO])
        return answer(warned(self._changes.describe_server(backend, server), lost, self._changes.unkept))

    async def delete(self, request: web.Request) -> web.Response:
        """Drain a registered server, then remove it: 202 while it drains, 200 when it is gone within `?wait=`."""
        backend, server = _names(request)
        gone = await self._changes.deregister(backend, server, query(request, "wait", 0.0), request[WHO])
        data = {"backend": backend, "name": server, "gone": gone}
        return answer(warned(data, self._changes.unkept), 200 if gone else 202)


def _names(request: web.Request) -> tuple[str, str]:
    return request.match_info["backend"], request.match_info["server"]
