"""The sinks: where the lines of the access log end up, each of which may block and may fail."""

import os
import socket
from typing import Protocol

from lbd.errors import LbdError

SYSLOG = b"<134>lbd: "     # local0.info (RFC 3164, 4.1.1); a local syslog adds time and host
PATIENCE = 1.0             # seconds that a syslog may take for one line


class Sink(Protocol):
    """Somewhere to write whole lines to."""

    def write(self, data: bytes) -> None:
        """Write whole lines; raises `OSError` when they are lost, all or in part."""

    def reopen(self) -> None:
        """Open it anew, as a rotated file needs; raises `OSError`, and then it stays as it is."""

    def close(self) -> None:
        """Nothing more is written."""


class Stdout:
    """The daemon's standard output."""

    def write(self, data: bytes) -> None:
        _write_all(1, data)

    def reopen(self) -> None:
        return

    def close(self) -> None:
        return


class File:
    """A file that is appended to, by others too."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = self._open()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def write(self, data: bytes) -> None:
        _write_all(self._fd, data)

    def reopen(self) -> None:
        fd = self._open()
        os.close(self._fd)
        self._fd = fd

    def close(self) -> None:
        os.close(self._fd)


class Syslog:
    """A Unix datagram socket that takes a line per message: /dev/log, of syslogd or of journald."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._sock = self._open()

    def _open(self) -> socket.socket:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.settimeout(PATIENCE)
        try:
            sock.connect(self._path)
        except BaseException:
            sock.close()
            raise
        return sock

    def write(self, data: bytes) -> None:
        for line in data.splitlines():
            try:
                self._sock.send(SYSLOG + line)
            except (ConnectionError, FileNotFoundError):
                self.reopen()      # it was started anew
                self._sock.send(SYSLOG + line)

    def reopen(self) -> None:
        sock = self._open()
        self._sock.close()
        self._sock = sock

    def close(self) -> None:
        self._sock.close()


def sink(access: str) -> Sink | None:
    """What `[log] access` names, opened; None for off. Raises `LbdError`."""
    if access == "off":
        return None
    if access == "stdout":
        return Stdout()
    try:
        return Syslog(access.removeprefix("unix:")) if access.startswith("unix:") else File(access)
    except OSError as error:
        raise LbdError(f"log.access: cannot open {access}: {error.strerror}") from None


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]
