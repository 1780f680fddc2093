"""`POST /v1/reload`: read the configuration again.

`?force=1` applies it even if a backend loses its last usable server, `?confirm=60s` for so long only, unless
`POST /v1/confirm` comes in time.
"""

from aiohttp import web

from lbd.admin.answers import answer, refusal
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.route import YES, query
from lbd.errors import ConfigError, LbdError


class ReloadResource:
    """The resource `/v1/reload`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def post(self, request: web.Request) -> web.Response:
        """200 when the new generation is in force; 422 for a bad file, 409 when it was refused or vetoed."""
        force, seconds = query(request, "force", "no") in YES, query(request, "confirm", 0.0)
        try:
            return answer(await self._daemon.reload(force, seconds))
        except ConfigError as error:
            return refusal(error, 422)
        except LbdError as error:
            return refusal(error, 409)
