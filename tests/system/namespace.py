"""A network and mounts of its own for a test: its DNS server on 127.0.0.1:53, its resolv.conf and hosts."""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.system.lbd_process import ROOT

# Run in the namespaces: brings up the loopback, puts the files of the directory in place, and stays.
SET_UP = """
set -e
ip link set lo up
touch "$1/resolv.conf" "$1/hosts"
mount --bind "$1/resolv.conf" "$(readlink -f /etc/resolv.conf)"
mount --bind "$1/hosts" "$(readlink -f /etc/hosts)"
echo ready
exec sleep 600
"""

# Answers every request with its own name, on ADDRESS:PORT.
SERVER = """
import http.server, socket, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    daemon_threads = True
server = Server((sys.argv[1], int(sys.argv[2])), Handler)
print("ready", flush=True)
server.serve_forever()
"""


class Namespace:
    """Where lbd runs with `prefix` before its command, which enters the namespaces of the process `pid`; sockets of the
    file system are reached from outside.

    `zone` is what the DNS server says (`tests.discovery.name_server`), `resolv` and `hosts` what the files say.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self.resolv("nameserver 127.0.0.1")
        self.hosts("")
        self.zone({})
        first = self._start("namespace", "unshare", "-Urnm", "sh", "-c", SET_UP, "sh", str(path))
        self.pid = first.pid
        self.prefix = ("nsenter", "-t", str(self.pid), "-U", "-n", "-m", "--preserve-credentials", "--wd=" + str(ROOT))

    def resolv(self, text: str) -> None:
        """Write /etc/resolv.conf."""
        (self.path / "resolv.conf").write_text(text + "\n")

    def hosts(self, text: str) -> None:
        """Write /etc/hosts."""
        (self.path / "hosts").write_text(text)

    def zone(self, zone: Mapping[str, Mapping[str, Any]]) -> None:
        """Set the answers of the DNS server from now on."""
        new = self.path / "zone.new"
        new.write_text(json.dumps(zone))
        new.rename(self.path / "zone")

    def dns(self, host: str = "127.0.0.1") -> None:
        """Start a DNS server at this address."""
        self._start(f"dns {host}", *self.prefix, sys.executable, "-m", "tests.discovery.name_server",
                    str(self.path / "zone"), host)

    def serve(self, host: str, port: int) -> None:
        """Start a server that answers with its address."""
        self._start(host, *self.prefix, sys.executable, "-c", SERVER, host, str(port))

    def end(self, name: str) -> None:
        """End the server of that name."""
        process = self._processes.pop(name)
        process.kill()
        process.communicate()

    def close(self) -> None:
        """End everything in it."""
        for name in list(self._processes):
            self.end(name)

    def _start(self, name: str, *command: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        self._processes[name] = process
        assert process.stdout is not None
        said = process.stdout.readline()
        if said != "ready\n":
            process.kill()
            raise OSError(f"{name}: {said}{process.communicate()[0]}")
        return process


@contextlib.contextmanager
def namespace() -> Iterator[Namespace]:
    """A namespace for a test; where the system does not permit it, the test is skipped."""
    tried = subprocess.run(["unshare", "-Urnm", "sh", "-c", "ip link set lo up && mount -t tmpfs none /mnt"],
                           capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"no namespaces here: {tried.stderr.strip()}")
    with tempfile.TemporaryDirectory(prefix="lbd-names-") as path:
        made = Namespace(Path(path))
        try:
            yield made
        finally:
            made.close()
