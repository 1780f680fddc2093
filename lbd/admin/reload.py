"""`POST /v1/reload`: read the configuration again.

`?force=1` applies it even if a backend loses its last usable server, `?confirm=60s` for so long only, unless
`POST /v1/confirm` comes in time.
"""

from aiohttp import web

from lbd.admin.answers import answer, problem, refusal
from lbd.admin.asked import Daemon
from lbd.config import units as u
from lbd.config.kinds import shown
from lbd.errors import ConfigError, LbdError


class Reload:
    """The resource."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def post(self, request: web.Request) -> web.Response:
        """200 when the new generation is in force; 422 for a bad file, 409 when it was refused or vetoed."""
        force = request.query.get("force", "") in ("1", "true", "yes")
        confirm = request.query.get("confirm", "0s")
        try:
            seconds = u.DURATION.read(confirm)
        except ValueError as error:
            return problem(f"confirm: {shown(confirm)} {error}; must be {u.DURATION.allowed}", 400)
        try:
            return answer(await self._daemon.reload(force, seconds))
        except ConfigError as error:
            return refusal(error, 422)
        except LbdError as error:
            return refusal(error, 409)
