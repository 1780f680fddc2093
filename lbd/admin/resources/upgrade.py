"""`POST /v1/upgrade`: become the version on disk, in place."""

from aiohttp import web

from lbd.admin.answers import answer, refusal
from lbd.admin.daemon_api import DaemonApi
from lbd.errors import LbdError


class UpgradeResource:
    """The resource `/v1/upgrade`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def post(self, _request: web.Request) -> web.Response:
        """202 when the version on disk takes the configuration and is about to take over, 409 when it does not."""
        try:
            return answer(await self._daemon.upgrade(), 202)
        except LbdError as error:
            return refusal(error, 409)
