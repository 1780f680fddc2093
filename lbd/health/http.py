"""The check `http`: one request, and the conditions that its answer must meet."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import re2

from lbd import __version__
from lbd.errors import shortage
from lbd.health.check import Result, Subject, words
from lbd.health.connection import BadResponse, CheckResponse, Connection, Lost
from lbd.http import head
from lbd.schema import key
from lbd.schema import units as u
from lbd.schema.statuses import STATUSES, Statuses
from lbd.schema.units import Address
from lbd.wording import shown

WITH_BODY = ("POST", "PUT", "PATCH")   # methods whose requests say that they have none (RFC 9110 8.6)


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """The keys of a policy with `type = "http"`."""

    path: str = key("/", u.TARGET, "target of the request, query and all")
    method: str = key("GET", u.METHOD, "method of the request")
    host: str | None = key(None, u.AUTHORITY, "Host to send; default: the server's address")
    headers: Mapping[str, str] = key({}, u.FIELDS, "more header fields to send")
    expect_status: Statuses = key("200-399", STATUSES, "statuses that pass")
    expect_header: Mapping[str, str] = key({}, u.HEADER_MATCH, 'fields the answer must have; "*" for any value')
    expect_body: str | None = key(None, u.TEXT, "text that must occur in the first 64 KiB of the body")
    expect_body_regex: str | None = key(None, u.REGEX, "RE2 pattern that must match there")
    keep_alive: bool = key(False, u.BOOL, "one connection for check after check; new ones also notice a full backlog")


async def check(subject: Subject, options: HttpOptions, timeout: float) -> Result:
    """Send the request and judge the answer, all within `timeout` seconds. Redirects are not followed."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    checker = subject.kept
    if not isinstance(checker, HttpChecker):
        checker = subject.kept = HttpChecker(subject, options)
    try:
        fault, said = judge(await checker.send_request(started + timeout), options)
    except BadResponse as error:
        fault, said = True, f"bad answer: {error}"
    except (OSError, TimeoutError) as error:
        if shortage(error):
            raise
        fault, said = True, words(error)
    return Result(not fault, f"{options.method} {options.path}: {said}", loop.time() - started)


class HttpChecker:
    """The state kept from one check of a server to the next: the request, and with `keep_alive` the connection."""

    def __init__(self, subject: Subject, options: HttpOptions) -> None:
        self._address = subject.reached
        self._greeting = subject.greeting
        self._secured = subject.secured
        self._keep = options.keep_alive
        self._for_head = options.method == "HEAD"
        self._wanted = options.expect_body is not None or options.expect_body_regex is not None
        self._request = request(subject.address, options)
        self._connection: Connection | None = None

    async def send_request(self, deadline: float) -> CheckResponse:
        """Send the request on the kept connection, else on a new one, and return the answer. The server may have closed
        a kept one in the meantime: that is no failure, and a new one is tried."""
        kept = self._connection
        if kept is not None and kept.reusable:
            try:
                return await self._send_on(kept, deadline)
            except Lost as error:
                if error.begun:
                    raise
        async with asyncio.timeout_at(deadline):
            connection = await Connection.open(self._address, self._greeting, self._secured)
        return await self._send_on(connection, deadline)

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._connection is not None:
            self._connection.close()

    async def _send_on(self, connection: Connection, deadline: float) -> CheckResponse:
        self._connection = connection
        try:
            return await connection.send_request(self._request, deadline, self._for_head, self._keep, self._wanted)
        finally:
            if not (self._keep and connection.reusable):
                connection.close()
                self._connection = None


def request(address: Address, options: HttpOptions) -> bytes:
    """The head of the request; fields of the policy replace lbd's own of the same name."""
    fields = {
        "host": ("Host", options.host or ("localhost" if address.path else address.without_scheme)),
        "user-agent": ("User-Agent", f"lbd/{__version__}"),
        "accept": ("Accept", "*/*"),
        "accept-encoding": ("Accept-Encoding", "identity"),
    }
    if options.method in WITH_BODY:
        fields["content-length"] = ("Content-Length", "0")
    for name, value in options.headers.items():
        if name.lower() != "host" or not options.host:
            fields[name.lower()] = (name, value)
    fields["connection"] = ("Connection", "keep-alive" if options.keep_alive else "close")
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.values())
    return f"{options.method} {options.path} HTTP/1.1\r\n{lines}\r\n".encode()


def judge(answer: CheckResponse, options: HttpOptions) -> tuple[bool, str]:
    """Whether the answer is wrong, and what it was."""
    said = str(answer.status)
    if not any(low <= answer.status <= high for low, high in options.expect_status):
        return True, said
    for name, wanted in options.expect_header.items():
        values = [value.decode("latin-1") for value in head.values(answer.head, name.lower().encode())]
        if not values or (wanted != "*" and wanted not in values):
            return True, f"{said}, header {name} is {shown(values[0]) if values else 'missing'}"
    if options.expect_body is not None and options.expect_body.encode() not in answer.body:
        return True, f"{said}, body without {shown(options.expect_body)}"
    if options.expect_body_regex is not None and not re2.search(options.expect_body_regex.encode(), answer.body):
        return True, f"{said}, body does not match {shown(options.expect_body_regex)}"
    return False, said
