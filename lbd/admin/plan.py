"""`POST /v1/plan`: what a reload would do, with the daemon's own files or with `{"file": PATH}` instead."""

import json
import os
from dataclasses import dataclass

from aiohttp import web

from lbd.admin.answers import answer, problem, refusal
from lbd.admin.asked import Daemon
from lbd.config import units as u
from lbd.config.schema import key
from lbd.errors import ConfigError, LbdError


@dataclass(frozen=True, slots=True)
class PlanBody:
    """What may be asked with."""

    file: str | None = key(None, u.LINE, "absolute path of another file than the daemon's own")


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
            return problem('the body must be {"file": ABSOLUTE PATH}, or empty for the daemon\'s own', 400)
        try:
            return answer(await self._daemon.plan(file))
        except ConfigError as error:
            return refusal(error, 422)
        except LbdError as error:
            return refusal(error, 409)
