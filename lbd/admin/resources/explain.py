"""`/v1/explain`: where a request would go, and why; and a ticket for one that is sent and says so in its answer."""

from aiohttp import web

from lbd.admin.answers import answer
from lbd.admin.daemon_api import DaemonApi, Refused
from lbd.admin.route import queries, query
from lbd.errors import LbdError


class ExplainResource:
    """The resource `/v1/explain`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def get(self, request: web.Request) -> web.Response:
        """200 with the explanation, 400 for a question that means nothing."""
        question = (query(request, "method", "GET"), query(request, "url", ""), queries(request, "header"),
                    query(request, "from", "127.0.0.1"), query(request, "listener", ""))
        try:
            return answer(self._daemon.explain(*question))
        except LbdError as error:
            raise Refused(400, str(error)) from None

    async def post(self, _request: web.Request) -> web.Response:
        """201 with a ticket: the answer to the first request that has it in `X-Lbd-Explain` has that field too."""
        return answer(await self._daemon.ticket(), 201)
