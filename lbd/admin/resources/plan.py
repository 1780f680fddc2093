"""`POST /v1/plan`: the effect of a reload, with the daemon's own files or with `{"file": PATH}` instead."""

import os
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from lbd.admin.answers import answer, refusal
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.guard import content
from lbd.config.runtime import from_table
from lbd.errors import ConfigError, LbdError
from lbd.schema import key
from lbd.schema import units as u
from lbd.schema.kinds import ValueKind


def _absolute(value: Any) -> str:
    path: str = u.LINE.parse(value)
    if not os.path.isabs(path):
        raise ValueError("is not absolute")
    return path


PATH = ValueKind("path", "an absolute path", _absolute, {"type": "string", "pattern": "^/[^\\x00-\\x1f\\x7f]*$"})


@dataclass(frozen=True, slots=True)
class PlanBody:
    """The body of the request."""

    file: str | None = key(None, PATH, "another file than the daemon's own")


class PlanResource:
    """The resource `/v1/plan`."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def post(self, request: web.Request) -> web.Response:
        """200 with the plan, 422 for a bad file or body."""
        body = from_table(PlanBody, await content(request) if await request.read() else {})
        try:
            return answer(await self._daemon.plan(body.file))
        except ConfigError as error:
            return refusal(error, 422)
        except LbdError as error:
            return refusal(error, 409)
