"""`/metrics`: the exposition that Prometheus scrapes."""

from aiohttp import web

from lbd.admin.answers import problem
from lbd.admin.daemon_api import DaemonApi


class MetricsResource:
    """The resource `/metrics`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def get(self, request: web.Request) -> web.Response:
        """Text format or OpenMetrics, by Accept; `?scope=`, `?no-maint`, `?compat=haproxy`; 400 for others of these."""
        try:
            body, kind = self._daemon.metrics(request.headers.get("Accept", ""), request.query)
        except ValueError as error:
            return problem(str(error), 400)
        return web.Response(body=body, headers={"Content-Type": kind})
