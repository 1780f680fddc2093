"""`GET /v1/config`: the configuration in force, and where each value is from; `?secrets=yes` on a Unix socket only."""

from aiohttp import web

from lbd.admin.answers import answer
from lbd.admin.daemon_api import DaemonApi, Refused
from lbd.admin.guard import LOCAL, WHO
from lbd.admin.route import YES, query
from lbd.log.logger import logger


class ConfigResource:
    """The resource `/v1/config`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def get(self, request: web.Request) -> web.Response:
        """200 with every key; 403 for secrets over the network."""
        secrets = query(request, "secrets", "no") in YES
        if secrets and not request[LOCAL]:
            raise Refused(403, "secrets are shown on a Unix socket only")
        if secrets:
            logger.info("secrets of the configuration shown", who=request[WHO])
        return answer(self._daemon.settings(secrets))
