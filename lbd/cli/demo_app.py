"""The demo server: returns the request as JSON, and fails, waits or recovers on request."""

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import HttpVersion11, WSMsgType, web

from lbd.schema import units as u
from lbd.schema.units import ValueKind

PIECE = 64 << 10             # bytes of padding written at once
LONGEST_HEALTH = 4096         # bytes of the JSON that /_demo/health takes
LONGEST_MESSAGE = 1 << 20    # bytes of one WebSocket message
LONGEST_LINE = 64 << 10      # bytes of a request line or field: more than lbd forwards

# Settings changed at run time: path → query parameter → attribute of Behaviour, and how its value is written.
SWITCHES: dict[str, dict[str, tuple[str, ValueKind]]] = {
    "/_demo/delay": {"delay": ("delay", u.DURATION), "jitter": ("jitter", u.DURATION)},
    "/_demo/errors": {"rate": ("error_rate", u.PERCENT)},
    "/_demo/body": {"size": ("body_size", u.SIZE)},
}

STATES = {"fail": False, "recover": True}


@dataclass(slots=True)
class Behaviour:
    """The behaviour of the server.

    `delay` and `jitter` (both ways) are seconds before an answer, `error_rate` is the share of 500s (0 to 1), and
    `body_size` the least length of an answer's body in bytes.
    """

    name: str
    delay: float = 0.0
    jitter: float = 0.0
    error_rate: float = 0.0
    body_size: int = 0
    healthy: bool = True


class DemoApp:
    """The handler of every request; `chance` returns numbers from 0 up to 1."""

    def __init__(self, behaviour: Behaviour, chance: Callable[[], float] = random.random) -> None:
        self.behaviour = behaviour
        self.chance = chance
        self.paths: dict[str, Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]] = {
            "/healthz": self.healthz,
            "/_demo/health": self.health,
            "/ws": self.echo,
            **dict.fromkeys(SWITCHES, self.switch),
        }

    def server(self) -> web.Server:
        """The protocol factory; bodies are counted as they were sent, not as they decompress."""
        return web.Server(self.handle, access_log=None, auto_decompress=False,
                          max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request of any method that aiohttp can read, on any path."""
        path = request.raw_path.partition("?")[0]
        try:
            return await self.paths.get(path, self.answer)(request)
        except (web.RequestPayloadError, ConnectionError):  # the client went away
            return web.Response(status=400)

    async def healthz(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return 200 while healthy, else 503; never delayed."""
        facts = {"server": self.behaviour.name, "ok": self.behaviour.healthy}
        return web.json_response(facts, status=200 if self.behaviour.healthy else 503)

    async def health(self, request: web.BaseRequest) -> web.StreamResponse:
        """POST {"ok": false} or ?state=fail makes /healthz fail; {"ok": true} or ?state=recover mends it."""
        if request.method == "POST":
            state = request.query.get("state")
            ok = STATES.get(state) if state is not None else await ordered(request)
            if ok is None:
                return refusal('POST {"ok": true} or {"ok": false}, or ?state=fail or ?state=recover')
            self.behaviour.healthy = ok
        return web.json_response(asdict(self.behaviour))

    async def switch(self, request: web.BaseRequest) -> web.StreamResponse:
        """Change the settings in the query, all or none, and return the behaviour."""
        known = SWITCHES[request.raw_path.partition("?")[0]]
        values: dict[str, Any] = {}
        for name, text in request.query.items():
            if name not in known:
                return refusal(f'unknown "{name}"; known: {", ".join(known)}')
            attribute, kind = known[name]
            try:
                values[attribute] = kind.parse(text)
            except ValueError as error:
                return refusal(f'{name}: "{text}" {error}; must be {kind.allowed}')
        for attribute, value in values.items():
            setattr(self.behaviour, attribute, value)
        return web.json_response(asdict(self.behaviour))

    async def echo(self, request: web.BaseRequest) -> web.StreamResponse:
        """Echo the messages of a WebSocket; answer a plain request like any other."""
        socket = web.WebSocketResponse(max_msg_size=LONGEST_MESSAGE)
        if not socket.can_prepare(request).ok:
            return await self.answer(request)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await socket.send_bytes(message.data)
        return socket

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Read the body, wait, and return the facts of the request."""
        behaviour = self.behaviour
        facts = await received(request)
        pause = behaviour.delay + behaviour.jitter * (2 * self.chance() - 1)
        if pause > 0:
            await asyncio.sleep(pause)
        if self.chance() < behaviour.error_rate:
            return web.json_response({"server": behaviour.name, "error": "an error as ordered"}, status=500)
        text = json.dumps({"server": behaviour.name, **facts}, indent=2)
        missing = behaviour.body_size - len(text) - 1
        if missing <= 0:
            return web.Response(text=text + "\n", content_type="application/json")
        return await padded(request, text, missing)


async def ordered(request: web.BaseRequest) -> bool | None:
    """The "ok" of the JSON body, or None where there is none."""
    body = bytearray()
    async for piece in pieces(request):
        body += piece
        if len(body) > LONGEST_HEALTH:
            return None
    try:
        order = json.loads(bytes(body))
    except ValueError:
        return None
    ok = order.get("ok") if isinstance(order, dict) else None
    return ok if isinstance(ok, bool) else None


def refusal(text: str) -> web.Response:
    """400 that says what would be right."""
    return web.json_response({"error": text}, status=400)


async def pieces(request: web.BaseRequest) -> AsyncIterator[bytes]:
    """The body as it comes, asked for first where the client waits for that (RFC 9110 10.1.1)."""
    if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    async for piece in request.content.iter_any():
        yield piece


async def received(request: web.BaseRequest) -> dict[str, Any]:
    """The facts of the request; of the body only length and digest, so that it may be of any size."""
    digest = hashlib.sha256()
    length = 0
    async for piece in pieces(request):
        digest.update(piece)
        length += len(piece)
    path, _, query = request.raw_path.partition("?")
    headers: dict[str, str] = {}
    for name in dict.fromkeys(request.headers):
        headers.setdefault(name, ", ".join(request.headers.getall(name)))
    return {
        "method": request.method,
        "path": path,
        "query": query,
        "version": f"HTTP/{request.version.major}.{request.version.minor}",
        "headers": headers,
        "body_length": length,
        "body_sha256": digest.hexdigest(),
        "client": request.remote,
    }


async def padded(request: web.BaseRequest, text: str, missing: int) -> web.StreamResponse:
    """The JSON with a member "padding" that makes it `missing` bytes longer, written piece by piece."""
    head = text.removesuffix("\n}") + ',\n  "padding": "'
    tail = '"\n}\n'
    missing = max(0, missing + len(text) + 1 - len(head) - len(tail))
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    response.content_length = len(head) + missing + len(tail)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    await response.write(head.encode())
    whole, rest = divmod(missing, PIECE)
    piece = b"." * PIECE
    for _ in range(whole):
        await response.write(piece)
    await response.write(piece[:rest] + tail.encode())
    await response.write_eof()
    return response
