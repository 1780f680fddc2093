"""`GET /v1/explain?url=URL`: where a request would go, and why; and `method`, `from`, `listener`, `header`s."""

from aiohttp import web

from lbd.admin.answers import answer
from lbd.admin.asked import Daemon, Refused
from lbd.admin.route import queries, query
from lbd.errors import LbdError


class Explain:
    """The resource."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def get(self, request: web.Request) -> web.Response:
        """200 with the explanation, 400 for a question that means nothing."""
        question = (query(request, "method", "GET"), query(request, "url", ""), queries(request, "header"),
                    query(request, "from", "127.0.0.1"), query(request, "listener", ""))
        try:
            return answer(self._daemon.explain(*question))
        except LbdError as error:
            raise Refused(400, str(error)) from None
