"""`POST /v1/plan`: what a reload would do, with the daemon's own files or with `{"file": PATH}` instead."""

import json
import os

from aiohttp import web

from lbd.admin.answers import answer, refusal
from lbd.admin.asked import Daemon
from lbd.errors import ConfigError, LbdError


class Plan:
    """The resource."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def post(self, request: web.Request) -> web.Response:
        """200 with the plan, 422 for a bad file, 400 for a body that names none."""
        body = await request.read()
        try:
            data = json.loads(body) if body else {}
        except ValueError:
            data = None
        file = data.get("file") if isinstance(data, dict) else ""
        if file is not None and not (isinstance(file, str) and os.path.isabs(file)):
            return answer({"error": 'the body must be {"file": ABSOLUTE PATH}, or empty for the daemon\'s own'}, 400)
        try:
            return answer(await self._daemon.plan(file))
        except ConfigError as error:
            return refusal(error, 422)
        except LbdError as error:
            return refusal(error, 409)
