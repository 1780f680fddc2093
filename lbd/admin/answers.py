"""The responses of the admin interface: JSON with a newline at the end, errors as problem details (RFC 9457)."""

import dataclasses
import http
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from lbd.admin.daemon_api import Refused
from lbd.errors import ConfigError, Conflict, Forbidden, InvalidChange, LbdError, NotReady, NotStored, UnknownTarget

# Statuses of the errors of the daemon itself; any other has the status that the resource gives it.
STATUSES: dict[type[LbdError], int] = {
    UnknownTarget: 404, Conflict: 409, Forbidden: 403, InvalidChange: 422, NotReady: 503, NotStored: 503}


def answer(data: Any, status: int = 200) -> web.Response:
    """A response with the data as JSON."""
    text = json.dumps(data, indent=2, default=str) + "\n"
    return web.Response(text=text, status=status, content_type="application/json")


def warned(data: Mapping[str, Any], *warnings: str) -> dict[str, Any]:
    """The data, with the warnings if there are any ("" is none)."""
    text = "; ".join(filter(None, warnings))
    return {**data, "warning": text} if text else dict(data)


def problem(detail: str, status: int, **more: Any) -> web.Response:
    """A problem response with `type`, `title`, `status`, `detail` and further keys."""
    data = {"type": "about:blank", "title": http.HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    text = json.dumps(data, indent=2, default=str) + "\n"
    return web.Response(text=text, status=status, content_type="application/problem+json")


def refusal(error: LbdError, status: int) -> web.Response:
    """A problem response for the error, with its own status if it has one; all findings of a `ConfigError`."""
    status = error.status if isinstance(error, Refused) else STATUSES.get(type(error), status)
    if isinstance(error, ConfigError):
        problems = [dataclasses.asdict(problem) for problem in error.problems]
        count = len(problems)
        what = "request" if problems and problems[0]["file"] == "the request" else "configuration"
        return problem(f"the {what} has {count} error{'' if count == 1 else 's'}", status, problems=problems)
    return problem(str(error), status)
