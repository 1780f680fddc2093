"""The two web applications: the admin interface, and the one for Prometheus that cannot change anything."""

from collections.abc import Collection, Sequence

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lbd.admin import guard
from lbd.admin.answers import problem
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.route import ApiRoute
from lbd.admin.routes import ROUTES, SHOWN
from lbd.admin.token import Token
from lbd.log.logger import logger

LONGEST_BODY = 64 * 1024   # bytes of a request


def admin(daemon: DaemonApi, tokens: Sequence[Token] | None, names: Collection[str] = ()) -> web.Application:
    """Everything; with tokens, only for those who have one, and for a browser only under one of our own `names`."""
    roles = {(route.method, route.path): route.role for route in ROUTES}
    return _made(daemon, ROUTES, guard.wanted(tokens, roles, names))


def metrics(daemon: DaemonApi) -> web.Application:
    """Only what may be seen by anyone who can connect."""
    return _made(daemon, SHOWN)


def _made(daemon: DaemonApi, routes: Sequence[ApiRoute], *checks: Middleware) -> web.Application:
    app = web.Application(middlewares=[_faults, *checks], client_max_size=LONGEST_BODY)
    for route in routes:
        app.router.add_route(route.method, route.path, route.handler(daemon))
    return app


@web.middleware
async def _faults(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as JSON, and nothing of the inside."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = problem(_words(error), error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except ConnectionError:
        raise   # nobody is there to be answered
    except Exception:
        logger.exception("admin request failed", method=request.method, path=request.path)
        response = problem("internal error; the daemon's log has it", 500)
    response.headers["Server"] = "lbd"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _words(error: web.HTTPException) -> str:
    if error.status == 413:
        return f"the body is longer than {LONGEST_BODY} bytes"
    return error.reason
