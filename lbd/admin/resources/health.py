"""`/healthz` and `/readyz`: lbd itself lives; lbd should get traffic."""

from aiohttp import web

from lbd.admin.daemon_api import DaemonApi


class HealthResource:
    """Both resources; they are for machines that only look at the status."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def healthz(self, _request: web.Request) -> web.Response:
        """200 as long as the supervisor's loop turns."""
        return web.Response(text="ok\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        """200 while lbd serves, 503 before the listeners are open and from the moment that it is told to stop."""
        reason = self._daemon.ready
        return web.Response(text=f"{reason or 'ready'}\n", status=503 if reason else 200)
