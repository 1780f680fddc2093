"""The access log as one worker writes it: lines wait in one buffer, and go to the supervisor's pipe many at a time."""

import os
from collections.abc import Sequence

from lbd import schema
from lbd.access_log.columns import DEFAULT
from lbd.access_log.line import LineFormatter
from lbd.exchange.context import Refusal
from lbd.exchange.streams import Peer, Requester
from lbd.net.transport import Transport
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Row

TLS = {"tls_version", "tls_cipher", "sni"}      # columns


def tls_fields(transport: Transport | None) -> bytes:
    """The connection's TLS columns as header fields whose names no client can send."""
    tls = transport.get_extra_info("tls") if transport is not None else None
    if tls is None:
        return b""
    name = "".join(letter for letter in getattr(tls, "requested_name", None) or "" if " " < letter <= "~")
    return (f"(tls-version): {tls.version()}\r\n(tls-cipher): {(tls.cipher() or ['-'])[0]}\r\n"
            + (f"(sni): {name}\r\n" if name else "")).encode()


def client_port(peer: Peer, source: bytes) -> int:
    """The port of the client in a line; -1 where it is not known, or the client was named by a header field."""
    if source != peer.address:
        return -1
    if peer.introduced is not None and peer.introduced.source is not None:
        return int(peer.introduced.source[1])
    name = peer.transport.get_extra_info("peername") if peer.transport is not None else None
    return int(name[1]) if isinstance(name, tuple) else -1


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
        self._fault: tuple[Requester, int, str] | None = None     # exchange, ending and reason
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

    def blame(self, exchange: Requester, ending: int, reason: str) -> None:
        """Remember the reason of an ending, should the exchange end so."""
        self._fault = exchange, ending, reason

    def note(self, exchange: Requester, ending: int) -> None:
        """Note the line of an exchange that is over and counted."""
        if exchange.route.logged:
            request = exchange.request
            self._add(exchange, request.received() if request is not None else b"", ending)

    def _add(self, exchange: Requester, payload: bytes, ending: int) -> None:
        lines, peer, route, server, request = (self._lines, exchange.peer, exchange.route, exchange.server,
                                               exchange.request)
        if lines is None:
            return
        reason, fault = None, self._fault
        if fault is not None and fault[0] is exchange:
            self._fault = None
            reason = fault[2] if fault[1] == ending else None
        if not lines.count:
            lines.look_at_clock()
        if self._tls and payload:
            payload = payload.replace(b"\r\n", b"\r\n" + tls_fields(peer.transport), 1)
        source = exchange.source if peer.trusted else peer.address
        lines.add(
            exchange.record, peer.listener.name, route.index, route.backend.name,
            server.name if server is not None else None, source, payload, request.minor if request is not None else 1,
            exchange.bytes_in, exchange.bytes_out, ending, reason, client_port(peer, source) if self._port else -1)
        if lines.full:
            self.flush()

    def refused(self, peer: Peer, status: int, ending: int, refusal: Refusal) -> None:
        """Log bytes that are no request."""
        if self._lines is not None and peer.listener.settings.logged:
            if not self._lines.count:
                self._lines.look_at_clock()
            self._lines.refused(refusal.started, scoreboard.now(), peer.listener.name, peer.address, status,
                                refusal.head, refusal.minor, refusal.bytes_in, refusal.bytes_out, ending,
                                refusal.reason, client_port(peer, peer.address) if self._port else -1)

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

    def note(self, exchange: Requester, ending: int) -> None:
        """Note the line of an exchange that is over and counted."""
        for log in self._logs:
            log.note(exchange, ending)

    def blame(self, exchange: Requester, ending: int, reason: str) -> None:
        """Remember the reason of an ending, should the exchange end so."""
        for log in self._logs:
            log.blame(exchange, ending, reason)

    def refused(self, peer: Peer, status: int, ending: int, refusal: Refusal) -> None:
        """Log bytes that are no request."""
        for log in self._logs:
            log.refused(peer, status, ending, refusal)

    def flush(self) -> None:
        """Write the lines that wait, or drop them."""
        for log in self._logs:
            log.flush()
