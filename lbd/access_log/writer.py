"""The access log as one worker writes it: lines wait in one buffer, and go to the supervisor's pipe many at a time."""

import os
from collections.abc import Sequence
from typing import Any

from lbd import schema
from lbd.access_log.columns import DEFAULT
from lbd.access_log.line import LineFormatter
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Row

LINES = 256              # lines after which they are written, at the latest with the next tick of the clock
BYTES = 256 * 1024

TLS = {"tls_version", "tls_cipher", "sni"}      # columns


def tls_fields(transport: Any) -> bytes:
    """The connection's TLS columns as header fields whose names no client can send."""
    tls = transport.get_extra_info("tls") if transport is not None else None
    if tls is None:
        return b""
    name = "".join(letter for letter in getattr(tls, "requested_name", None) or "" if " " < letter <= "~")
    return (f"(tls-version): {tls.version()}\r\n(tls-cipher): {(tls.cipher() or ['-'])[0]}\r\n"
            + (f"(sni): {name}\r\n" if name else "")).encode()


def client_port(client: Any, payload: bytes) -> int:
    """The port of the client in a line; -1 where it is not known, or the client was named by a header field."""
    if client.trusted and payload and client.source != client.peer:
        return -1
    if client.introduced is not None and client.introduced.source is not None:
        return int(client.introduced.source[1])
    peer = client.transport.get_extra_info("peername") if client.transport is not None else None
    return int(peer[1]) if isinstance(peer, tuple) else -1


class AccessLogWriter:
    """Writes to `fd`, which does not block and is its own; lines that a full pipe refuses are dropped and counted.

    `process` is this process's row. A batch that the pipe took in part is finished before anything else is written:
    the reader gets whole lines.
    """

    dropped = fields.PROCESS_LOG_DROPPED

    def __init__(self, process: Row, fd: int) -> None:
        self._process = process
        self._fd = fd
        self._lines: LineFormatter | None = None
        self._tls = False        # the lines say something of TLS
        self._port = False       # and the port of the client
        self._fault: tuple[Any, int, str] | None = None     # client, ending and reason, until that line is written
        self._rest = b""

    def configure(self, settings: schema.Log, generation: int) -> bool:
        """Write lines by these settings; False when they ask for none."""
        self.flush()
        if settings.access == "off":
            self._lines = None
            return False
        self._port = "client_port" in settings.access_fields
        self._tls = not TLS.isdisjoint(settings.access_fields)
        self._lines = LineFormatter(settings.access_format, settings.access_fields or DEFAULT, settings.access_sample,
                                    generation, os.getpid())
        return True

    def blame(self, client: Any, ending: int, reason: str) -> None:
        """Remember the reason of an ending, should the client's request end so."""
        self._fault = client, ending, reason

    def note(self, client: Any, ending: int) -> None:
        """Note the line of a client's request that is over and counted."""
        if client.action.logged:
            self._add(client, client.original or client.payload, ending)

    def _add(self, client: Any, payload: bytes, ending: int) -> None:
        lines = self._lines
        if lines is None:
            return
        action = client.action
        server = client.server
        reason, fault = None, self._fault
        if fault is not None and fault[0] is client:
            self._fault = None
            reason = fault[2] if fault[1] == ending else None
        if not lines.count:
            lines.look_at_clock()
        if self._tls and payload:
            payload = payload.replace(b"\r\n", b"\r\n" + tls_fields(client.transport), 1)
        lines.add(
            client.record, client.listener.name, action.index, client.backend.name,
            server.name if server is not None else None,
            client.source if client.trusted and payload else client.peer,
            payload, client.minor, client.bytes_in, client.bytes_out, ending, reason,
            client_port(client, payload) if self._port else -1)
        if lines.count >= LINES or lines.size >= BYTES:
            self.flush()

    def refused(self, client: Any, status: int, ending: int, refusal: Any) -> None:
        """Log bytes that are no request; `refusal` has the facts that they show (`lbd.proxy.refusals.Refusal`)."""
        if self._lines is not None and client.listener.settings.logged:
            if not self._lines.count:
                self._lines.look_at_clock()
            self._lines.refused(refusal.started, scoreboard.now(), client.listener.name, client.peer, status,
                                refusal.head, refusal.minor, refusal.bytes_in, client.bytes_out, ending, refusal.reason,
                                client_port(client, b"") if self._port else -1)

    def flush(self) -> None:
        """Write the lines that wait, or drop them."""
        lines = self._lines
        if lines is None or not (lines.count or self._rest):
            return
        self._rest = self._rest[self._written(self._rest):]
        count = lines.count
        data = lines.take()
        done = 0 if self._rest else self._written(data)
        if done:
            self._rest = data[done:]
        elif count:
            self._process.add(self.dropped, count)

    def close(self) -> None:
        """Write the lines that wait, and close the pipe."""
        self.flush()
        self._lines = None
        os.close(self._fd)

    def _written(self, data: bytes) -> int:
        try:
            return os.write(self._fd, data) if data else 0
        except OSError:      # full, or without a reader
            return 0


class AccessLogWriters:
    """Some writers as one: that of the access log and that of spans."""

    def __init__(self, logs: Sequence[AccessLogWriter]) -> None:
        self._logs = tuple(logs)

    def note(self, client: Any, ending: int) -> None:
        """Note the line of a client's request that is over and counted."""
        for log in self._logs:
            log.note(client, ending)

    def blame(self, client: Any, ending: int, reason: str) -> None:
        """Remember the reason of an ending, should the client's request end so."""
        for log in self._logs:
            log.blame(client, ending, reason)

    def refused(self, client: Any, status: int, ending: int, refusal: Any) -> None:
        """Log bytes that are no request."""
        for log in self._logs:
            log.refused(client, status, ending, refusal)

    def flush(self) -> None:
        """Write the lines that wait, or drop them."""
        for log in self._logs:
            log.flush()
