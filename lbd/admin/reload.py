"""`POST /v1/reload`: read the configuration again; `?force=1` even if a backend loses its last usable server."""

from aiohttp import web

from lbd.admin.answers import answer, refusal
from lbd.admin.asked import Daemon
from lbd.errors import ConfigError, LbdError


class Reload:
    """The resource."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def post(self, request: web.Request) -> web.Response:
        """200 when the new generation is in force; 422 for a bad file, 409 when it was refused or vetoed."""
        force = request.query.get("force", "") in ("1", "true", "yes")
        try:
            return answer(await self._daemon.reload(force))
        except ConfigError as error:
            return refusal(error, 422)
        except LbdError as error:
            return refusal(error, 409)
