"""Access control: the checks that every request to the admin interface passes before its handler runs.

A page of another site must not reach it through a browser: the Host must be an address or a name of lbd itself (against
DNS rebinding), and Origin and Sec-Fetch-Site must name the same site. There is no CORS. A Unix socket is guarded too,
since `ssh -L` connects browsers to it; a Host of one word, which no public site has, is accepted there.
"""

import asyncio
import ipaddress
import json
import re
import socket
import struct
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lbd.admin import token
from lbd.admin.answers import problem, refusal
from lbd.admin.daemon_api import Refused
from lbd.admin.refusal_log import RefusalLog
from lbd.admin.tls import subject
from lbd.admin.token import Token
from lbd.errors import ConfigError, LbdError

WHO = web.RequestKey("who", str)
LOCAL = web.RequestKey("local", bool)          # over a Unix socket
READS = web.RequestKey("reads", bool)          # may see everything
OPERATES = web.RequestKey("operates", bool)    # may change everything
BODY_TIME = 10.0   # seconds for the body of a request
OWN_SITES = ("", "none", "same-origin")
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
_BEYOND_HOST = re.compile(r"[@/?#\\]")   # delimiters of a URI outside host and port (RFC 9110 7.2)


def access_control(tokens: Sequence[Token] | None, roles: Mapping[tuple[str, str], str],
                   names: Collection[str]) -> Middleware:
    """The middleware that lets permitted requests pass.

    `roles` maps method and path of each route to the role that it requires ("": none). Without tokens (on a Unix
    socket) every client may do everything. `names` are the host names of lbd.
    """
    refusals = RefusalLog()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[LOCAL] = tokens is None
        if reason := _foreign(request, names, tokens is None):
            return _refuse(refusals, request, reason, 403, "")
        resource = request.match_info.route.resource
        role = roles.get((request.method, resource.canonical if resource is not None else ""), "operate")
        if tokens is None:
            request[WHO] = _local(request)
            request[READS] = request[OPERATES] = True
        elif role or "Authorization" in request.headers:
            found = token.find_token(request.headers.get("Authorization", ""), tokens)
            if found is None:
                return _unknown(refusals, request) if role else await _read(refusals, request, handler)
            request[WHO] = f"token {found} from {request.remote}{_certified(request)}"
            request[READS], request[OPERATES] = found.permits("read", ""), found.permits("operate", "")
            exists = request.match_info.http_exception is None
            if exists and role and not found.permits(role, request.match_info.get("backend", "")):
                return _refuse(refusals, request, f"a token for {found} may not do this", 403, request[WHO])
        return await _read(refusals, request, handler)
    return check


async def content(request: web.Request) -> dict[str, Any]:
    """The JSON object in the body; raises `Refused`."""
    try:
        data = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Refused(400, "the body is no JSON") from None
    if not isinstance(data, dict):
        raise Refused(400, "the body must be a JSON object")
    return data


async def _read(refusals: RefusalLog, request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the body within its time and run the handler; an `LbdError` that it raises becomes the response."""
    try:
        try:
            async with asyncio.timeout(BODY_TIME):
                await request.read()
        except TimeoutError:
            reason = f"the body did not come within {BODY_TIME:g} s"
            return _refuse(refusals, request, reason, 408, request.get(WHO, ""))
        return await handler(request)
    except web.HTTPException as error:
        _note(refusals, request, error.reason)
        raise
    except LbdError as error:
        _note(refusals, request, str(error))
        return refusal(error, 422 if isinstance(error, ConfigError) else 503)


def _note(refusals: RefusalLog, request: web.Request, reason: str) -> None:
    """Log a refused change; failed reads are not logged."""
    if request.method in CHANGING:
        refusals.log_refusal("admin request refused", method=request.method, path=request.path, reason=reason,
                             who=request.get(WHO))


def _unknown(refusals: RefusalLog, request: web.Request) -> web.StreamResponse:
    response = _refuse(refusals, request, "a bearer token is needed: Authorization: Bearer TOKEN", 401, "")
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _refuse(refusals: RefusalLog, request: web.Request, reason: str, status: int, who: str) -> web.StreamResponse:
    refusals.log_refusal("admin request refused", method=request.method, path=request.path, reason=reason,
                         who=who or f"from {request.remote}")
    response = problem(reason, status)
    response.force_close()   # the body was not read
    return response


def _foreign(request: web.Request, names: Collection[str], local: bool) -> str:
    """The reason why the request seems to come from a page of another site, "" if it does not."""
    host = request.headers.get("Host", "")
    if not (_own(host, names) or (local and "." not in host and not _BEYOND_HOST.search(host))):
        return f"the Host field must be an IP address, localhost or one of admin.hosts, not {host[:100]!r}"
    origin = request.headers.get("Origin")
    if origin is not None and _netloc(origin) != host.lower():
        return "requests of pages from another origin are not answered"
    if request.headers.get("Sec-Fetch-Site", "").lower() not in OWN_SITES:
        return "requests of pages from another site are not answered"
    return ""


def _own(host: str, names: Collection[str]) -> bool:
    if _BEYOND_HOST.search(host):
        return False
    try:
        name = urlsplit(f"//{host}").hostname or ""
        ipaddress.ip_address(name)
    except ValueError:
        name = host.rpartition(":")[0].lower() if ":" in host else host.lower()
        return name == "localhost" or name in names
    return True


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _local(request: web.Request) -> str:
    """The user at the other end of a Unix socket (SO_PEERCRED of unix(7))."""
    sock: Any = request.transport.get_extra_info("socket") if request.transport is not None else None
    try:
        data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return f"uid {struct.unpack('3i', data)[1]}"
    except (AttributeError, OSError, struct.error):
        return "a local user"


def _certified(request: web.Request) -> str:
    """The subject of the client's certificate, for the log."""
    name = subject(request.get_extra_info("peercert"))
    return f" as {name}" if name else ""
