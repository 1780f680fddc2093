"""Independent readers of HTTP/1, h11 and llhttp: how they take a message apart, to hold lbd's reading against."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import h11
import httptools


class Read(NamedTuple):
    """A message as an oracle reads it. `start` is (method, target) or (status,), names of fields are in lower case."""

    start: tuple[Any, ...]
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes


def plainly(head: bytes) -> tuple[bytes, tuple[tuple[bytes, bytes], ...]]:
    """The start line and fields of a head that is known to be good."""
    start, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    return start, tuple((name.lower(), value.strip(b" \t")) for name, _, value in pairs)


def requests_by_h11(data: bytes) -> list[Read] | None:
    """All requests in the data, None if h11 refuses them. An upgrade ends the list."""
    return _by_h11(h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20), data)


def responses_by_h11(data: bytes, method: bytes) -> list[Read] | None:
    """The responses to a request of the method; the end of the data is the end of the connection."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    return _by_h11(connection, data, ends=True)


def _by_h11(connection: h11.Connection, data: bytes, ends: bool = False) -> list[Read] | None:
    found: list[Read] = []
    try:
        connection.receive_data(data)
        if ends:
            connection.receive_data(b"")
        for event in _events(connection):
            if isinstance(event, h11.Request):
                found.append(Read((event.method, event.target), tuple(event.headers), b""))
            elif isinstance(event, h11.InformationalResponse | h11.Response):
                found.append(Read((event.status_code,), tuple(event.headers), b""))
            elif isinstance(event, h11.Data):
                found[-1] = found[-1]._replace(body=found[-1].body + bytes(event.data))
    except h11.RemoteProtocolError:
        return None
    return found


def _events(connection: h11.Connection) -> Iterator[Any]:
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
            if connection.our_role is h11.SERVER and connection.their_state is h11.DONE \
                    and connection.our_state is h11.SEND_RESPONSE:
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is h11.DONE:
                    connection.start_next_cycle()
                    continue
            return
        yield event


class _Listener:
    """Collects what httptools calls back."""

    def __init__(self) -> None:
        self.found: list[Read] = []
        self.complete = 0
        self.parser: Any = None
        self.target = b""
        self.fields: list[tuple[bytes, bytes]] = []

    def on_message_begin(self) -> None:
        self.target, self.fields = b"", []

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.complete == len(self.found):     # a trailer field is none of the head
            self.fields.append((name.lower(), value.strip(b" \t")))

    def on_headers_complete(self) -> None:
        start = (self.parser.get_status_code(),) if isinstance(self.parser, httptools.HttpResponseParser) \
            else (self.parser.get_method(), self.target)
        self.found.append(Read(start, tuple(self.fields), b""))

    def on_body(self, body: bytes) -> None:
        self.found[-1] = self.found[-1]._replace(body=self.found[-1].body + body)

    def on_message_complete(self) -> None:
        self.complete += 1


def requests_by_llhttp(data: bytes) -> list[Read] | None:
    """All requests in the data, None if llhttp refuses them. An upgrade ends the list."""
    return _by_llhttp(httptools.HttpRequestParser, data)


def responses_by_llhttp(data: bytes) -> list[Read] | None:
    """All responses in the data, None if llhttp refuses them."""
    return _by_llhttp(httptools.HttpResponseParser, data)


def _by_llhttp(kind: Any, data: bytes) -> list[Read] | None:
    listener = _Listener()
    listener.parser = kind(listener)
    try:
        listener.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError:
        return None
    return listener.found
