"""The two web applications: the admin interface, and a read-only one for Prometheus."""

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
    """The admin interface: with tokens it requires one, and it answers browsers only under one of the host `names`."""
    roles = {(route.method, route.path): route.role for route in ROUTES}
    return _application(daemon, ROUTES, guard.access_control(tokens, roles, names))


def metrics(daemon: DaemonApi) -> web.Application:
    """The read-only application: health and metrics, for every client that can connect."""
    return _application(daemon, SHOWN)


def _application(daemon: DaemonApi, routes: Sequence[ApiRoute], *checks: Middleware) -> web.Application:
    app = web.Application(middlewares=[_error_responses, *checks], client_max_size=LONGEST_BODY)
    for route in routes:
        app.router.add_route(route.method, route.path, route.handler(daemon))
    return app


@web.middleware
async def _error_responses(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into JSON, without internals of the daemon."""
    try:
        response = await handler(request)
    except web.HTTPException as error:
        response = problem(_detail(error), error.status)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
    except ConnectionError:
        raise   # the client is gone
    except Exception:
        logger.exception("admin request failed", method=request.method, path=request.path)
        response = problem("internal error; the daemon's log has it", 500)
    response.headers["Server"] = "lbd"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _detail(error: web.HTTPException) -> str:
    if error.status == 413:
        return f"the body is longer than {LONGEST_BODY} bytes"
    return error.reason
