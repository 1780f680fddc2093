"""`POST /v1/confirm`: keep the generation that waits for it."""

from aiohttp import web

from lbd.admin.answers import answer, refusal
from lbd.admin.daemon_api import DaemonApi
from lbd.errors import LbdError


class ConfirmResource:
    """The resource `/v1/confirm`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def post(self, _request: web.Request) -> web.Response:
        """200 when it is kept, 409 when none waits."""
        try:
            return answer(self._daemon.confirm())
        except LbdError as error:
            return refusal(error, 409)
