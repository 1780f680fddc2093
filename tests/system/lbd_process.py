"""The real daemon as a test drives it: one object owns its directory, its ports, its process, and nothing else."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from tests.children import below, status
from tests.system import fork_server, forked_worker

ROOT = Path(__file__).parents[2]
DEADLINE = 20.0   # seconds that a condition may take to come true
STARTED = 60.0    # seconds that a start may take: a sanitized daemon on a busy machine
T = TypeVar("T")


def until(condition: Callable[[], T], what: str, deadline: float = DEADLINE) -> T:
    """Poll until the condition is true and return its value; fails with `what` after the deadline."""
    end = time.monotonic() + deadline
    pause = threading.Event()
    seconds = 0.001     # most comes true at once; what does not is asked for seldom
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what}")
        pause.wait(seconds)
        seconds = min(2 * seconds, 0.02)


# Below what the kernel gives to connections, which could take a port between its choice and its use; 4000 for each
# process of one run of the tests, begun anywhere, so that two runs seldom choose alike.
_BAND = 4000
_first = 10_000 + _BAND * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 5)
_ports = itertools.count(os.getpid() * 37)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now, and that nobody else is given for long."""
    while True:
        port = _first + next(_ports) % _BAND
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


class Unix(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=20)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class Lbd:
    """A daemon. `$NAME` in the text becomes a free port, the same for the same name; [admin], [metrics] and
    state_dir are added. Signals go only to the process it started and to that process's own children.

    `settings` are lines of [global], `admin` those of [admin] (default: a Unix socket), `options` words
    of the command line, `prefix` those of a command that runs it; `environment` comes on top of the test's own.
    It is forked by a process that has imported lbd, unless one of the last three or `executed` asks for a new one; a
    prefix does not if all that it does is to enter the namespaces of the process `namespaces`.
    """

    def __init__(self, text: str, workers: int = 2, settings: str = "", ports: dict[str, int] | None = None,
                 options: Sequence[str] = (), python: str = sys.executable, prefix: Sequence[str] = (),
                 environment: Mapping[str, str] | None = None, admin: str = "", executed: bool = False,
                 namespaces: int = 0) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="lbd-test-")
        self.path = Path(self._directory.name)
        self.file = self.path / "lbd.toml"
        self._ports = dict(ports or {})
        self._words = ["-c", str(self.file), *options]
        self._command = [*prefix, python, "-m", "lbd", *self._words]
        self._forked = (python, ROOT) == (sys.executable, _forks.root) and forked_worker.POSSIBLE and not (
            executed or (prefix and not namespaces) or environment)
        self._namespaces = namespaces
        # With every start aiohttp reads the authorities of the machine, twice; no server here has a certificate of one.
        self._environment = {**os.environ, "SSL_CERT_FILE": os.devnull, "PYTHONPATH": str(ROOT), **(environment or {})}
        self._orphans: list[int] = []
        self._workers = workers
        self._told = 0       # bytes of the log before the last renewal
        on_socket = f'bind = "unix:{self.path}/admin.sock"'
        self._head = (f'[global]\nworkers = {workers}\nstate_dir = "{self.path}/state"\n{settings}\n'
                      f'[admin]\n{admin or on_socket}\n'
                      f'[metrics]\nbind = "127.0.0.1:{self.port("metrics")}"\n')
        self._process: subprocess.Popen[bytes] | fork_server.ForkedDaemon | None = None
        self.write(text)

    def __enter__(self) -> "Lbd":
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_: object) -> None:
        self.close()

    def port(self, name: str) -> int:
        """The port that stands for `$NAME`."""
        return self._ports.setdefault(name, free_port())

    def write(self, text: str) -> None:
        """Put another configuration into the file."""
        for word in sorted({part for part in text.replace('"', " ").replace(":", " ").split() if part[0] == "$"},
                           key=len, reverse=True):
            text = text.replace(word, str(self.port(word[1:])))
        self.replace_file(self._head + text)

    def replace_file(self, text: str) -> None:
        """Put a whole text into the file, at once: written in place, half of it may be read and refused."""
        new = self.path / "new"
        new.write_text(text)
        if self.file.exists():
            found = self.file.stat()
            os.chown(new, found.st_uid, found.st_gid)
            new.chmod(found.st_mode)
        new.replace(self.file)

    def start(self, wait: bool = True, output: int | None = None, executed: bool = False) -> "Lbd":
        """Start it, maybe again; with `wait`, return when it is ready. What it prints is its log, or goes to another
        descriptor. `executed`: in a new process, at any rate."""
        before = len(self.logged("ready")) if (self.path / "log").exists() else 0
        with open(self.path / "log", "ab") as log:
            output = log.fileno() if output is None else output
            if self._forked and not executed:
                self._process = _forks.start(self._words, self._environment, output, self._namespaces)
            else:
                self._process = subprocess.Popen(self._command, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                                                 env=self._environment, cwd=ROOT)
        if wait:
            until(lambda: self._process is None or self._process.poll() is not None
                  or len(self.logged("ready")) > before, "ready", STARTED)
            assert self._process.poll() is None, f"it ended:\n{self.log()}"
        return self

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        assert self._process is not None
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor."""
        assert self._process is not None
        self._process.send_signal(number)

    def workers(self) -> list[int]:
        """Process ids of the supervisor's own children, nobody else's."""
        return [pid for pid in below(self.pid) if f"Name:\t{forked_worker.TEMPLATE}\n" not in status(pid)]

    def kill_supervisor(self) -> None:
        """SIGKILL to the supervisor alone; `close` ends the workers that it leaves behind."""
        self.may_be_left()
        self.send(signal.SIGKILL)
        self.wait()

    def may_be_left(self) -> None:
        """The workers of now may outlive the supervisor: `close` ends them."""
        # Descriptors, not numbers: they mean these very processes even after a number is used again.
        self._orphans += [os.pidfd_open(pid) for pid in self.workers()]

    def signal_worker(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to one of them."""
        assert pid in self.workers(), f"{pid} is no worker of {self.pid}"
        os.kill(pid, number)

    def wait(self, deadline: float = DEADLINE) -> int:
        """Wait for its end; returns the exit code."""
        assert self._process is not None
        return self._process.wait(deadline)

    def stop(self) -> int:
        """SIGTERM, and wait; returns the exit code."""
        self.send(signal.SIGTERM)
        return self.wait()

    def close(self) -> None:
        """End it whatever state it is in, and remove its directory."""
        for pidfd in self._orphans:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            os.close(pidfd)
        self._orphans = []
        if self._process is not None and self._process.poll() is None:
            workers = self.workers()
            self.send(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                for pid in workers:
                    with contextlib.suppress(ProcessLookupError, AssertionError):
                        self.signal_worker(pid, signal.SIGKILL)
                self._process.kill()
                self._process.wait()
        self._directory.cleanup()

    def renew(self, text: str) -> None:
        """Serve another configuration in the place of the one before, of which neither overrides, registrations nor
        lines of the log are left; the counters go on."""
        for backend, about in self.status()["backends"].items():
            for server in (name for name, found in about["servers"].items() if found["registration"]):
                self.admin("DELETE", f"/v1/backends/{backend}/servers/{server}?wait=20s")
        self.admin("DELETE", "/v1/overrides")
        self.write(text)
        code, answer = self.admin("POST", "/v1/reload?force=1")
        assert code == 200, answer
        until(lambda: [worker["state"] for worker in self.status()["workers"]] == ["serving"] * self._workers,
              "all workers serve")
        until(lambda: any(event["generation"] == answer["generation"] for event in self.logged("reloaded")),
              "the reload is logged to its end")
        self._told = (self.path / "log").stat().st_size

    def log(self) -> str:
        """Everything it wrote, since it was renewed if it was."""
        return (self.path / "log").read_bytes()[self._told:].decode(errors="replace")

    def events(self) -> list[dict[str, Any]]:
        """The lines of its log that are JSON."""
        found = []
        for line in self.log().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return [event for event in found if isinstance(event, dict)]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """The lines of its log about that event."""
        return [entry for entry in self.events() if entry.get("event") == event]

    def admin(self, method: str, path: str) -> tuple[int, Any]:
        """Ask the admin interface; returns status and JSON (or text)."""
        return ask(Unix(f"{self.path}/admin.sock"), method, path)

    def status(self) -> dict[str, Any]:
        """GET /v1/status."""
        code, data = self.admin("GET", "/v1/status")
        assert code == 200, data
        return dict(data)

    def metrics(self) -> str:
        """GET /metrics."""
        code, text = ask(http.client.HTTPConnection("127.0.0.1", self.port("metrics"), timeout=20), "GET",
                         "/metrics")
        assert code == 200, text
        return str(text)

    def counted(self, series: str) -> float:
        """The sum of the samples of /metrics that begin so."""
        return sum(float(line.rpartition(" ")[2]) for line in self.metrics().splitlines() if line.startswith(series))

    def get(self, name: str, path: str = "/", host: str = "127.0.0.1") -> tuple[int, Any]:
        """Make a request through the listener on `$NAME`, on a connection of its own."""
        return ask(http.client.HTTPConnection(host, self.port(name), timeout=20), "GET", path)


NOTHING = '[listeners.none]\nbind = "127.0.0.1:$none"\nroutes = [{ respond = { status = 404, body = "none" } }]\n'
_forks = fork_server.ForkServer()
_resting: dict[tuple[str, ...], list[Lbd]] = {}     # those that nobody borrows now, by their options


@contextlib.contextmanager
def borrowed(text: str, options: Sequence[str] = ()) -> Iterator[Lbd]:
    """A daemon with two workers, of this process of the tests: started once and handed from test to test.

    For tests that end neither it nor the configuration of its own sides, and that count nothing since its start.
    """
    alike = _resting.setdefault(tuple(options), [])
    lbd = alike.pop() if alike else Lbd(NOTHING, options=options).__enter__()
    try:
        lbd.renew(text)
        yield lbd
        lbd.renew(NOTHING)
    except BaseException:
        lbd.close()
        raise
    alike.append(lbd)


def dismiss() -> None:
    """End those that nobody borrows any more, and the process that forked them."""
    for alike in _resting.values():
        while alike:
            alike.pop().close()
    _forks.close()


def ask(connection: http.client.HTTPConnection, method: str, path: str) -> tuple[int, Any]:
    """Make a request; return status and JSON (or text)."""
    try:
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read().decode(errors="replace")
    finally:
        connection.close()
    try:
        return response.status, json.loads(body)
    except ValueError:
        return response.status, body


class Backend:
    """A small HTTP server in this process: answers with its name; `healthy` decides what /healthz says, and
    requests to /held wait for `release`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.healthy = True
        self.held = threading.Semaphore(0)
        self.release = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True      # else a body waits until the head is acknowledged, 40 ms

            def do_GET(self) -> None:
                if self.path == "/held":
                    owner.held.release()
                    owner.release.wait(DEADLINE)
                body = json.dumps({"server": owner.name, "path": self.path}).encode()
                self.send_response(503 if self.path == "/healthz" and not owner.healthy else 200)
                self.send_header("Content-Length", str(len(body)))
                with contextlib.suppress(ConnectionError):      # who asked may have left
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            request_queue_size = 1024   # the default of 5 drops what connects together, and that waits for a second

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> "Backend":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
