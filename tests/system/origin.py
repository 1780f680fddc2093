"""An origin server in a thread of this process: counts requests, holds them, streams bytes and digests uploads."""

import asyncio
import hashlib
import json
import socket
import threading
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from tests.system.lbd_process import free_port

PATTERN = bytes(number * 7 % 251 for number in range(64 * 1024))   # what bodies repeat
DEADLINE = 20.0
SEND_BUFFER = 1 << 18   # bytes; the kernel's own megabytes would only hide what a test wants to see


def digest(size: int) -> str:
    """SHA-256 of the body of `/bytes?n=SIZE`."""
    found = hashlib.sha256()
    for _ in range(size // len(PATTERN)):
        found.update(PATTERN)
    found.update(PATTERN[:size % len(PATTERN)])
    return found.hexdigest()


class Origin:
    """A server on 127.0.0.1, on another `host`, or on a Unix socket at `path` (abstract: with NUL first).

    `requests` counts what was asked besides /healthz, which says 503 while `healthy` is false. A request to /held
    lets `held` be acquired once and waits for `release`. `start` after `stop` takes the same port again.
    """

    def __init__(self, name: str, host: str = "127.0.0.1", path: Path | str | None = None) -> None:
        self.name = name
        self.healthy = True
        self.requests = 0
        self.held = threading.Semaphore(0)
        self.release = threading.Event()
        self.port = 0
        self._host = host
        self._path = path
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Origin":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> "Origin":
        """Answer from now on."""
        up = threading.Event()
        self._thread = threading.Thread(target=lambda: uvloop.run(self._serve(up)), name=f"origin {self.name}")
        self._thread.start()
        assert up.wait(DEADLINE)
        return self

    def stop(self) -> None:
        """Cut every connection and close the port."""
        self.release.set()
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    async def _serve(self, up: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        runner = web.ServerRunner(web.Server(self._answer, access_log=None), shutdown_timeout=0.0)
        await runner.setup()
        if self._path is not None:
            site: web.BaseSite = web.UnixSite(runner, str(self._path))
        else:
            sock = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self.port = self.port or free_port()    # one that no connection takes while it is stopped
            sock.bind((self._host, self.port))
            site = web.SockSite(runner, sock, backlog=1024)
        await site.start()
        up.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._respond(request)
        except ConnectionError:   # the client left; nobody reads this
            return web.Response(status=400)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/healthz":
            return web.Response(status=200 if self.healthy else 503)
        self.requests += 1
        if request.path == "/held":
            self.held.release()
            await asyncio.to_thread(self.release.wait, DEADLINE)
        if request.path == "/bytes":
            return await _send(request)
        if request.path == "/count":
            return web.json_response(sum([len(piece) async for piece in request.content.iter_any()]))
        if request.path == "/digest":
            return web.json_response(await _digest(request))
        if request.path == "/cookies":
            response = web.json_response({"server": self.name, "cookie": request.headers.get("Cookie")})
            for cookie in ("theme=dark; Path=/", "session=s1; HttpOnly"):
                response.headers.add("Set-Cookie", cookie)
            return response
        return web.json_response({"server": self.name, "path": request.path_qs})


async def _send(request: web.BaseRequest) -> web.StreamResponse:
    """?n=SIZE bytes: with a length or, with `chunked=1`, in chunks; a Range of one part is honoured."""
    first, size = 0, int(request.query["n"])
    end = size
    response = web.StreamResponse()
    if "Range" in request.headers:
        asked = request.http_range
        first, end = asked.start or 0, asked.stop or size
        response.set_status(206)
        response.headers["Content-Range"] = f"bytes {first}-{end - 1}/{size}"
    if "chunked" in request.query:
        response.enable_chunked_encoding()
    else:
        response.content_length = end - first
    await response.prepare(request)
    if request.method != "HEAD":
        while first < end:
            offset = first % len(PATTERN)
            piece = PATTERN[offset:offset + end - first]
            await response.write(piece)
            first += len(piece)
    await response.write_eof()
    return response


async def _digest(request: web.BaseRequest) -> dict[str, Any]:
    """The body and its framing."""
    found, size = hashlib.sha256(), 0
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    async for piece in request.content.iter_any():
        found.update(piece)
        size += len(piece)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return {"sha256": found.hexdigest(), "size": size, "version": ".".join(map(str, request.version)),
            "headers": json.loads(json.dumps(headers))}
