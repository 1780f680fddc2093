"""`POST /v1/rollback`: back to the generation before the one in force."""

from aiohttp import web

from lbd.admin.answers import answer, refusal
from lbd.admin.daemon_api import DaemonApi
from lbd.errors import LbdError


class RollbackResource:
    """The resource `/v1/rollback`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def post(self, _request: web.Request) -> web.Response:
        """200 when it is in force, 409 when there is none or it was vetoed."""
        try:
            return answer(await self._daemon.rollback())
        except LbdError as error:
            return refusal(error, 409)
