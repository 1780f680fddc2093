"""`GET /v1/explain?url=URL`: where a request would go, and why; and `method`, `from`, `listener`, `header`s."""

import ipaddress

from aiohttp import web

from lbd.admin.answers import answer
from lbd.admin.asked import Daemon, Refused
from lbd.errors import LbdError


class Explain:
    """The resource."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def get(self, request: web.Request) -> web.Response:
        """200 with the explanation, 400 for a question that means nothing."""
        query = request.query
        client = query.get("from", "127.0.0.1")
        try:
            ipaddress.ip_address(client)
            found = self._daemon.explain(query.get("method", "GET"), query.get("url", ""), query.getall("header", []),
                                         client, query.get("listener", ""))
        except (ValueError, LbdError) as error:
            raise Refused(400, str(error)) from None
        return answer(found)
