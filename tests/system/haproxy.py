"""HAProxy as a peer of lbd: one process with a configuration of the test's, in a directory of its own."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from lbd_process import until

GLOBAL = """
defaults
  timeout connect 5s
  timeout client 20s
  timeout server 20s
"""


class Haproxy:
    """Serves within a `with` block, once `port` answers; its text is written into the directory."""

    def __init__(self, directory: Path, port: int, text: str) -> None:
        found = shutil.which("haproxy") or shutil.which("/usr/sbin/haproxy")
        if found is None:
            pytest.skip("haproxy is not installed")
        self._file = directory / f"haproxy-{port}.cfg"
        self._file.write_text(GLOBAL + text)
        self._command = [found, "-db", "-f", str(self._file)]
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Haproxy":
        with open(self._file.with_suffix(".log"), "wb") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            until(self._up, f"haproxy on port {self._port}: {self._file.with_suffix('.log').read_text()}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _up(self) -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self._port)) == 0
