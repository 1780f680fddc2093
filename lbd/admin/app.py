"""The two web applications: the admin interface, and the one for Prometheus that cannot change anything."""

import socket

from aiohttp import web
from aiohttp.typedefs import Handler

from lbd.admin.answers import answer
from lbd.admin.asked import Daemon
from lbd.admin.confirm import Confirm
from lbd.admin.health import Health
from lbd.admin.metrics import Metrics
from lbd.admin.plan import Plan
from lbd.admin.reload import Reload
from lbd.admin.rollback import Rollback
from lbd.admin.status import Status
from lbd.admin.token import wanted
from lbd.log import logger

LONGEST_BODY = 64 * 1024   # bytes of a request


def admin(daemon: Daemon, token: str | None) -> web.Application:
    """Everything; with a token, only for those who have it."""
    app = web.Application(middlewares=[_faults, *([wanted(token)] if token else [])], client_max_size=LONGEST_BODY)
    app.add_routes([
        *_shown(daemon),
        web.get("/v1/status", Status(daemon).get),
        web.post("/v1/plan", Plan(daemon).post),
        web.post("/v1/reload", Reload(daemon).post),
        web.post("/v1/confirm", Confirm(daemon).post),
        web.post("/v1/rollback", Rollback(daemon).post),
    ])
    return app


def metrics(daemon: Daemon) -> web.Application:
    """Only what may be seen by anyone who can connect."""
    app = web.Application(middlewares=[_faults], client_max_size=LONGEST_BODY)
    app.add_routes(_shown(daemon))
    return app


def _shown(daemon: Daemon) -> list[web.RouteDef]:
    health = Health(daemon)
    return [
        web.get("/healthz", health.healthz),
        web.get("/readyz", health.readyz),
        web.get("/metrics", Metrics(daemon).get),
    ]


class Site:
    """An application on a listening socket."""

    def __init__(self, app: web.Application, sock: socket.socket) -> None:
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0,
                                     keepalive_timeout=15.0)
        self._sock = sock

    async def start(self) -> None:
        """Answer from now on."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._sock, backlog=128).start()

    async def close(self) -> None:
        """Stop answering, and close the socket."""
        await self._runner.cleanup()
        self._sock.close()


@web.middleware
async def _faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as JSON, and nothing of the inside."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = answer({"error": error.reason}, error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except Exception:
        logger.exception("admin request failed", method=request.method, path=request.path)
        response = answer({"error": "internal error; the daemon's log has it"}, 500)
    response.headers["Server"] = "lbd"
    return response
