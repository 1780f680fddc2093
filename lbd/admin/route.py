"""A route of the admin interface: its path, the role that it requires, its handler, and its description."""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from lbd.admin.daemon_api import DaemonApi, Refused
from lbd.schema import units as u
from lbd.schema.kinds import ValueKind
from lbd.stats.scope import SCOPES
from lbd.wording import listed, nearest, shown


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise ValueError("is none")
    return int(text)


def _client(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("is none") from None


def _server(text: str) -> str:
    name, at, host = text.partition("@")
    u.NAME.parse(name)
    return text if not at else f"{name}@{_client(host)}"


def _scopes(text: str) -> str:
    if text and not set(text.split(",")) <= set(SCOPES):
        raise ValueError("is none")
    return text


WAIT = u.duration(0.0, 600.0)
YES = ("1", "true", "yes")
SWITCH = u.choice(*YES, "0", "false", "no")

# Parameters of queries, and of paths in braces.
QUERIES: Mapping[str, ValueKind] = {
    "wait": WAIT,
    "since": ValueKind("number", "a whole number from 0 on", _number, {"type": "integer", "minimum": 0}),
    "force": SWITCH,
    "history": SWITCH,
    "secrets": SWITCH,
    "method": u.LINE,
    "url": u.LINE,
    "header": ValueKind("header", "Name: value; may be repeated", u.LINE.parse,
                        {"type": "array", "items": {"type": "string", "pattern": "^[^\\r\\n]+$"}}),
    "from": ValueKind("address", "an IP address", _client, {"type": "string", "anyOf": [{"format": "ipv4"},
                                                                                  {"format": "ipv6"}]}),
    "listener": u.NAME,
    "confirm": u.DURATION,
    "backend": u.NAME,
    "server": ValueKind("server", f"{u.NAME.allowed}, and @ADDRESS for one of several of that name", _server,
                        {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}(@[0-9A-Fa-f.:]+)?$"}),
    "file": u.NAME,
    "scope": ValueKind("scope", f"{listed(SCOPES, 'and')}, with commas between", _scopes,
                       {"type": "string", "pattern": f"^$|^({'|'.join(SCOPES)})(,({'|'.join(SCOPES)}))*$"}),
    "no-maint": u.TEXT,
    "compat": u.choice("haproxy"),
}


@dataclass(frozen=True, slots=True)
class ApiRoute:
    """A line of the table of routes: `role` is read, register or operate, "" for none; `body` is the class of the JSON
    body, `query` are names of `QUERIES`; `codes` are the statuses beside 400, 401, 403, 404, 408, 413, 422 and 500.
    `media` is the type of the response, and `answer` names the keys that its JSON always has."""

    method: str
    path: str
    role: str
    make: Callable[[DaemonApi], Handler]
    text: str
    body: type | None = None
    query: tuple[str, ...] = ()
    codes: Mapping[int, str] = field(default_factory=lambda: {200: "done"})
    media: str = "application/json"
    answer: tuple[str, ...] = ()

    def handler(self, daemon: DaemonApi) -> Handler:
        """The handler; under /v1 it refuses unknown query parameters, which may be mistyped."""
        made = self.make(daemon)

        async def answer(request: web.Request) -> web.StreamResponse:
            for name in request.query:
                if name not in self.query:
                    raise Refused(400, f"unknown query {shown(name)}{nearest(name, self.query)}")
            return await made(request)

        return answer if self.path.startswith("/v1/") else made


def query(request: web.Request, name: str, default: Any) -> Any:
    """The value of a query parameter of `QUERIES`, else the default; raises `Refused`."""
    return next(iter(queries(request, name)), default)


def queries(request: web.Request, name: str) -> list[Any]:
    """All values of a query parameter that may be repeated; raises `Refused`."""
    return [_read(name, text) for text in request.query.getall(name, [])]


def _read(name: str, text: str) -> Any:
    try:
        return QUERIES[name].parse(text)
    except ValueError as error:
        raise Refused(400, f"{name}: {shown(text)} {error}; must be {QUERIES[name].allowed}") from None
