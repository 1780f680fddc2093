"""The sinks: where the lines of the access log end up, each of which may block and may fail."""

import errno
import os
import socket
import stat
from typing import Protocol

from lbd.errors import LbdError
from lbd.log.stream import Stream

SYSLOG = b"<134>lbd: "     # local0.info (RFC 3164, 4.1.1); a local syslog adds time and host
PATIENCE = 1.0             # seconds that a syslog, a pipe or a terminal may take nothing before lines are lost


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

    def __init__(self) -> None:
        self._stream = Stream(1, PATIENCE)

    def write(self, data: bytes) -> None:
        self._stream.write(data)

    def reopen(self) -> None:
        return

    def close(self) -> None:
        return


class File:
    """A file that is appended to, by others too; or a FIFO or terminal, which must have a reader when it is opened."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stream = self._open()

    def _open(self) -> Stream:
        # O_NONBLOCK: open(2) of a FIFO without a reader would block.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
        try:
            return Stream(os.open(self._path, flags, 0o640), PATIENCE)
        except OSError as error:
            if error.errno == errno.ENXIO:
                raise OSError(error.errno, _unread(self._path)) from None
            raise

    def write(self, data: bytes) -> None:
        self._stream.write(data)

    def reopen(self) -> None:
        stream = self._open()
        os.close(self._stream.fd)
        self._stream = stream

    def close(self) -> None:
        os.close(self._stream.fd)


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
    """Open the sink that `[log] access` names; None for off. Raises `LbdError`."""
    if access == "off":
        return None
    if access == "stdout":
        return Stdout()
    try:
        return Syslog(access.removeprefix("unix:")) if access.startswith("unix:") else File(access)
    except OSError as error:
        whose = f" for user {os.geteuid()}" if isinstance(error, PermissionError) else ""
        raise LbdError(f"log.access: cannot open {access}: {error.strerror}{whose}") from None


def _unread(path: str) -> str:
    """The meaning of ENXIO for this path (open(2))."""
    mode = os.stat(path).st_mode
    if stat.S_ISFIFO(mode):
        return "it is a FIFO that nobody reads"
    if stat.S_ISSOCK(mode):
        return f'it is a socket; one of a syslog is named "unix:{path}"'
    return "there is no such device"
