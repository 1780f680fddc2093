"""The check `http`: one request, and what its answer must be."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import re2

from lbd import __version__
from lbd.config import units as u
from lbd.config.schema import key
from lbd.config.units import Address, Kind
from lbd.health.check import Result, words

LOOKED_AT = 64 * 1024   # bytes of a body that are looked at

Statuses = tuple[tuple[int, int], ...]


def _read_statuses(value: Any) -> Statuses:
    entries = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str | int) else None
    if not entries or isinstance(value, bool):
        raise ValueError(f"is {value!r}")
    return tuple(_read_range(str(entry).strip()) for entry in entries)


def _read_range(text: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    high = high if dash else low
    if not (low.isascii() and low.isdigit() and high.isascii() and high.isdigit()):
        raise ValueError(f"{text!r} is no status or range of statuses")
    if not 100 <= int(low) <= int(high) <= 599:
        raise ValueError(f"{text!r} is not within 100 to 599, or ends before it begins")
    return int(low), int(high)


STATUSES = Kind("statuses", 'a status, a range as "200-399", or several of them', _read_statuses,
                {"oneOf": [{"type": "integer"}, {"type": "string"},
                           {"type": "array", "items": {"type": ["string", "integer"]}}]})


@dataclass(frozen=True, slots=True)
class Options:
    """The keys of a policy with `type = "http"`."""

    path: str = key("/", u.LINE, "target of the request, query and all")
    method: str = key("GET", u.LINE, "method of the request")
    host: str | None = key(None, u.FIELD_VALUE, "Host to send; default: the server's address")
    headers: Mapping[str, str] = key({}, u.FIELDS, "more header fields to send")
    expect_status: Statuses = key("200-399", STATUSES, "statuses that pass")
    expect_header: Mapping[str, str] = key({}, u.HEADER_MATCH, 'fields the answer must have; "*" for any value')
    expect_body: str | None = key(None, u.TEXT, "text that must occur in the first 64 KiB of the body")
    expect_body_regex: str | None = key(None, u.REGEX, "RE2 pattern that must match there")


async def check(address: Address, options: Options, timeout: float) -> Result:
    """Send the request and judge the answer, all within `timeout` seconds. Redirects are not followed."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        async with asyncio.timeout(timeout):
            fault, said = await _ask(address, options)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        fault, said = True, _wrong(error)
    return Result(not fault, f"{options.method} {options.path}: {said}", loop.time() - started)


async def _ask(address: Address, options: Options) -> tuple[bool, str]:
    """Whether there was a fault, and what the answer was."""
    connector: aiohttp.BaseConnector
    connector = aiohttp.UnixConnector(address.path) if address.path else aiohttp.TCPConnector(force_close=True)
    where = "localhost" if address.path else str(address)
    fields = {"User-Agent": f"lbd/{__version__}", "Accept-Encoding": "identity", "Connection": "close",
              **options.headers}
    if options.host:
        fields["Host"] = options.host
    no_limit = aiohttp.ClientTimeout(total=None)   # the caller's covers everything
    async with (aiohttp.ClientSession(connector=connector, timeout=no_limit, cookie_jar=aiohttp.DummyCookieJar(),
                                      auto_decompress=False) as session,
                session.request(options.method, f"http://{where}{options.path}", headers=fields,
                                allow_redirects=False) as response):
        return await _judge(response, options)


async def _judge(response: aiohttp.ClientResponse, options: Options) -> tuple[bool, str]:
    said = str(response.status)
    if not any(low <= response.status <= high for low, high in options.expect_status):
        return True, said
    for name, wanted in options.expect_header.items():
        values = response.headers.getall(name, [])
        if not values or (wanted != "*" and wanted not in values):
            return True, f"{said}, header {name} is {values[0] if values else 'missing'!r}"
    if options.expect_body is not None or options.expect_body_regex is not None:
        body = await _read(response)
        if options.expect_body is not None and options.expect_body.encode() not in body:
            return True, f"{said}, body without {options.expect_body!r}"
        if options.expect_body_regex is not None and not re2.search(options.expect_body_regex.encode(), body):
            return True, f"{said}, body does not match {options.expect_body_regex!r}"
    return False, said


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) >= LOOKED_AT:
            break
    return bytes(body[:LOOKED_AT])


def _wrong(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return words(error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "connection closed"
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientPayloadError):
        return f"bad answer: {str(error).splitlines()[0][:100]}" if str(error) else "bad answer"
    return words(error)
