"""A live request: its way through lbd, as the answer tells it, and times on both sides."""

import http.client
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from lbd.cli import runtime_changes
from lbd.cli.daemon_client import DaemonClient, failure_reason, loopback
from lbd.errors import LbdError
from lbd.schema import units as u
from lbd.schema.units import Address

TIMEOUT = 60.0              # seconds without a byte
LONGEST = 64 << 20          # bytes of the answer that are read
FIELD = "X-Lbd-Explain"


class ListenerConnection(http.client.HTTPConnection):
    """A connection to the address of a listener, whatever the URL says; `opened` is the time after the handshake."""

    def __init__(self, address: Address, name: str, tls: bool) -> None:
        super().__init__(address.host or "localhost", address.port or None, timeout=TIMEOUT)
        self._address, self._name, self._tls = address, name, tls
        self.opened = 0.0

    def connect(self) -> None:
        """Connect; the certificate is not verified, since it names the host of the URL and the peer is lbd itself."""
        if self._address.path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(TIMEOUT)
            self.sock.connect(self._address.sun_path)
        else:
            self.sock = socket.create_connection((self._address.host, self._address.port), TIMEOUT)
        if self._tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock, server_hostname=self._name)
        self.opened = time.monotonic()


def send_live(daemon: DaemonClient, method: str, url: str, headers: Sequence[str], listener: str) -> dict[str, Any]:
    """Send the request to that listener; returns status, path through lbd, seconds and bytes. Raises `LbdError`."""
    ticket = runtime_changes.json_object(daemon.send_request("POST", "/v1/explain"))["ticket"]
    address = listener_address(daemon, listener)
    parts = urlsplit(url)
    line = ListenerConnection(address, parts.hostname or "", parts.scheme == "https")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    began = time.monotonic()
    try:
        line.connect()
        line.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        if not any(header.lower().startswith("host:") for header in headers):
            line.putheader("Host", parts.netloc.rpartition("@")[2])
        for header in (*headers, f"{FIELD}: {ticket}", "Connection: close"):
            name, _, value = header.partition(":")
            line.putheader(name.strip(), value.strip())
        line.endheaders()
        answer = line.getresponse()
        first = time.monotonic()
        size = len(answer.read(LONGEST))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LbdError(f"no answer from listener {listener} at {address}: "
                       f"{failure_reason(error) if isinstance(error, OSError) else error}") from None
    finally:
        line.close()
    return {
        "address": str(address), "status": answer.status, "reason": answer.reason,
        "way": way(answer.getheader(FIELD, "")),
        "connect_seconds": round(line.opened - began, 6), "first_byte_seconds": round(first - began, 6),
        "total_seconds": round(time.monotonic() - began, 6), "body_bytes": size,
    }


def listener_address(daemon: DaemonClient, listener: str) -> Address:
    """The address of the listener as seen from here: its first one, on the daemon's machine."""
    status = runtime_changes.json_object(daemon.send_request("GET", "/v1/status"))
    try:
        bind: Address = u.BIND.parse(status["listeners"][listener]["bind"][0])
    except (KeyError, IndexError, TypeError, ValueError):
        raise LbdError(f"listener {listener} has no address now") from None
    if bind.wildcard and not daemon.address.path:
        return Address(daemon.address.host, bind.port)
    return loopback(bind)


def way(field: str) -> dict[str, str]:
    """The parts of the response field in their order; empty without the field."""
    return dict(part.split("=", 1) for part in field.split("; ") if "=" in part)


def describe_response(live: Mapping[str, Any]) -> list[str]:
    """The lines of output about the request."""
    parts: Mapping[str, str] = live["way"]
    lines = [f"sent to {live['address']}: {live['status']} {live['reason']}, {live['body_bytes']} bytes"]
    if not parts:
        return [*lines, "the answer does not say how it came about: something else than this lbd gave it"]
    lines += [f"  {name}: {parts[name]}" for name in ("listener", "route", "backend", "algorithm", "tried", "server",
                                                     "by", "ending") if name in parts]
    times = [f"{name} {parts[name]}" for name in ("queue", "connect", "first-byte") if name in parts]
    lines.append(f"  seen by worker {parts.get('worker', '?')}: {', '.join(times) or 'answered at once'}")
    lines.append("  seen from here: " + ", ".join(
        f"{name} {live[key] * 1000:.1f}ms" for name, key in (
            ("connect", "connect_seconds"), ("first-byte", "first_byte_seconds"), ("all", "total_seconds"))))
    return lines
