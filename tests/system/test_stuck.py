"""A daemon around which everything is stuck that can be: checks, status, changes, traffic and the end go on."""

import array
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import tempfile
import termios
import threading
from pathlib import Path

import pytest
from lbd_process import DEADLINE, Backend, Lbd, Unix, ask, until
from origin import Origin

from lbd.cli.command_line import main
from tests.system.namespace import namespace

SOON = 30.0    # seconds that a start may take, of which the checks get two: half of what a silent server is given
UNREAD = 20_000    # bytes of answers that lie before a client that takes none
SETTINGS = 'drain_timeout = "200ms"'
TEXT = """
[log]
access = "%(path)s/access"
[listeners.web]
bind = "unix:%(path)s/web.sock"
backend = "app"
[backends.app]
health = { type = "http", path = "/healthz", interval = "50ms", fall = 1, rise = 1 }
servers = { a = "unix:%(path)s/a.sock", b = "unix:%(path)s/b.sock" }
"""
SLOW = """
[health.patient]
type = "http"
path = "/healthz"
interval = "60s"
timeout = "60s"
rise = 1
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[listeners.lone]
bind = "127.0.0.1:$lone"
backend = "lone"
[backends.app]
health = "patient"
servers = { a = "127.0.0.1:%(port)d", s = "127.0.0.1:%(silent)d" }
[backends.lone]
health = "patient"
servers = { s = "127.0.0.1:%(silent)d" }
"""
# Makes the directory a disk of its own that is full.
FILL = """
mkdir -m 700 "$1"
mount -t tmpfs -o size=64k,mode=700 none "$1"
! head -c 1M /dev/zero > "$1/filler"
"""


def full_pipe():
    """Both ends of a pipe that takes nothing more."""
    reader, writer = os.pipe()
    fill(writer)
    return reader, writer


def fill(writer):
    """Write to a pipe until it takes nothing more."""
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x")
    os.set_blocking(writer, True)


class Deaf:
    """A client of the admin interface that asks again and again and reads nothing."""

    def __init__(self, lbd, path, times):
        self._sock = socket.socket(socket.AF_UNIX)
        self._sock.setblocking(False)
        self._sock.connect(f"{lbd.path}/admin.sock")
        with contextlib.suppress(BlockingIOError):
            for _ in range(times):
                self._sock.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    @property
    def unread(self):
        """Bytes that lie before it."""
        count = array.array("i", [0])
        fcntl.ioctl(self._sock, termios.FIONREAD, count)
        return count[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()


class Stuck:
    """A daemon with a log and an access log that nobody reads, in the namespace (if any) also with names that nobody
    answers for and a state_dir on a full disk."""

    def __init__(self, path, net=None):
        self.path = path
        self.walled = net is not None
        self.origins = [Origin(name, path=path / f"{name}.sock") for name in ("a", "b")]
        self.lbd = Lbd(TEXT % {"path": path} + self._more(net), workers=1, settings=SETTINGS,
                       prefix=net.prefix if net is not None else (), namespaces=net.pid if net is not None else 0)
        self._fds = []
        if net is not None:
            net.zone({f"dead{number}.example": {"silent": True} for number in range(20)})
            net.dns()
            subprocess.run([*net.prefix, "sh", "-ec", FILL, "sh", f"{self.lbd.path}/state"], check=True,
                           capture_output=True)

    def _more(self, net):
        """A big status, of servers without checks."""
        places = {f"s{number}": "127.0.0.1:9" for number in range(300)}
        if net is not None:
            places.update({f"d{number}": f"dead{number}.example:80" for number in range(20)})
        return "[backends.many.servers]\n" + "".join(f'{name} = "{place}"\n' for name, place in places.items())

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.lbd.close()
        for fd in self._fds:
            os.close(fd)
        for origin in self.origins:
            origin.stop()

    def _start(self):
        for origin in self.origins:
            origin.start()
        access = f"{self.path}/access"
        os.mkfifo(access)
        self._fds.append(os.open(access, os.O_RDONLY | os.O_NONBLOCK))
        writer = os.open(access, os.O_WRONLY)
        fill(writer)
        os.close(writer)
        self._fds += full_pipe()
        self.lbd.start(wait=False, output=self._fds[-1])
        until(lambda: self.lbd._process.poll() is not None or ready(self.lbd), "it is ready")
        assert self.lbd._process.poll() is None

    def get(self, path="/"):
        """Make a request through the listener; the server that answered, or the status."""
        status, said = ask(Unix(f"{self.path}/web.sock"), "GET", path)
        return said["server"] if status == 200 else status

    def answering(self):
        """The servers that answer now."""
        return {self.get() for _ in range(4)}

    def server(self, name):
        return self.lbd.status()["backends"]["app"]["servers"][name]


def ready(lbd):
    """It answers, and says that it is."""
    try:
        return lbd.admin("GET", "/readyz")[0] == 200
    except OSError:
        return False


@pytest.fixture
def stuck():
    """In a namespace where that is permitted, as then more can be stuck."""
    with contextlib.ExitStack() as stack:
        net = None
        with contextlib.suppress(pytest.skip.Exception):
            net = stack.enter_context(namespace())
        path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lbd-stuck-")))   # sockets' names are short
        yield stack.enter_context(Stuck(path, net))


@pytest.mark.slow
def test_everything_stuck_at_once_holds_up_nothing(stuck):
    lbd = stuck.lbd

    def command(*words):
        assert main([*words, "--admin", f"unix:{lbd.path}/admin.sock"]) == 0

    with Deaf(lbd, "/v1/status?history=true", 200) as status, Deaf(lbd, "/v1/events?since=0", 2000) as events:
        until(lambda: min(status.unread, events.unread) > UNREAD, "nobody takes the answers")
        for _ in range(2):
            for number, name in enumerate(("a", "b")):
                stuck.origins[number].healthy = False
                until(lambda name=name: stuck.server(name)["health"] == "down", "the check fails")
                until(lambda name=name: name not in stuck.answering(), "it gets nothing")
                stuck.origins[number].healthy = True
                until(lambda: stuck.answering() == {"a", "b"}, "it is back")
        command("status")
        command("drain", "app/a")
        until(lambda: stuck.answering() == {"b"}, "it drains")
        assert bool(lbd.status()["unkept"]) == stuck.walled
        command("ready", "app/a")
        until(lambda: stuck.answering() == {"a", "b"}, "it serves again")
        lost = lbd.status()["backends"]["many"]["servers"].get("d0", {"reason": "dead0.example is not resolved"})
        assert lost["reason"].startswith("dead0.example is not resolved")
        generation = lbd.status()["generation"]
        lbd.replace_file(lbd.file.read_text().replace('"50ms"', '"60ms"'))
        command("reload")
        assert lbd.status()["generation"] == generation + 1
        for _ in range(20):
            lbd.send(signal.SIGHUP)
        checked = stuck.server("a")["checked"]
        until(lambda: stuck.server("a")["checked"] != checked, "checks go on")
        assert stuck.answering() == {"a", "b"}
        assert min(status.unread, events.unread) > UNREAD
        with held(stuck):
            assert lbd.stop() == 0


@contextlib.contextmanager
def held(stuck):
    """A request is in flight that no server ever answers."""
    connection = Unix(f"{stuck.path}/web.sock")
    with contextlib.closing(connection):
        connection.request("GET", "/held")
        until(lambda: any(origin.held.acquire(blocking=False) for origin in stuck.origins), "it is there")
        yield


class Silent:
    """A server that accepts and takes requests, which it answers only once `wake` was called."""

    def __init__(self):
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port = self._sock.getsockname()[1]
        self.asked = []                 # request lines, in the order in which they came
        self._awake = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def wake(self):
        self._awake.set()

    def close(self):
        self._awake.set()
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        for thread in self._threads:
            thread.join(DEADLINE)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._sock.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(sock,), daemon=True))
                self._threads[-1].start()

    def _serve(self, sock):
        with sock, sock.makefile("rb") as file, contextlib.suppress(OSError):
            self.asked.append(file.readline().decode().strip())
            self._awake.wait()
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"server\": \"s\"}")
            while file.readline().strip():      # the head; unread, it would make the close a reset
                pass


@pytest.fixture
def silent():
    server = Silent()
    yield server
    server.close()


def test_a_server_that_never_answers_its_checks_holds_up_no_start(silent):
    """It gets nothing before it passed, not even where there is no other."""
    with Backend("a") as backend:
        lbd = Lbd(SLOW % {"silent": silent.port, "port": backend.port})
        try:
            lbd.start(wait=False)
            until(lambda: lbd.logged("ready"), "it listens", SOON)
            assert {lbd.get("web")[1]["server"] for _ in range(20)} == {"a"}
            assert lbd.get("lone")[0] == 503
            states = {name: found["health"] for name, found in lbd.status()["backends"]["app"]["servers"].items()}
            assert states == {"a": "up", "s": "unknown"}
            assert lbd.admin("POST", "/v1/reload?force=true")[0] == 200
            assert {lbd.get("web")[1]["server"] for _ in range(20)} == {"a"}
            assert lbd.get("lone")[0] == 503
            assert set(silent.asked) == {"GET /healthz HTTP/1.1"}
            silent.wake()
            until(lambda: lbd.get("web")[1]["server"] == "s", "it serves")
            until(lambda: lbd.get("lone")[0] == 200, "it serves alone")
            assert lbd.stop() == 0
        finally:
            lbd.close()


ENDLESS = "\n".join(f"[listeners.l{number}]\nbind = 5" for number in range(300))      # more than a page of errors


FAILURES = [    # text, options, exit code, and bytes that the pipe has room for
    (ENDLESS, (), 1, 0), (ENDLESS, (), 1, 4096),
    ('[listeners.web]\nbind = "192.0.2.1:80"\nbackend = "app"\n[backends.app.servers]\na = "127.0.0.1:9"\n', (), 1, 0),
    ("", ("--no-such-option",), 2, 0),
]


@pytest.mark.slow
def test_a_start_that_fails_ends_though_nobody_reads_why():
    with contextlib.ExitStack() as stack:
        started = []
        for text, options, code, room in FAILURES:      # at once: each gives its reader some seconds
            reader, writer = full_pipe()
            stack.callback(os.close, reader)
            stack.callback(os.close, writer)
            assert room == 0 or len(os.read(reader, room)) == room
            lbd = stack.enter_context(contextlib.closing(Lbd(text, workers=1, options=options)))
            lbd.start(wait=False, output=writer)
            started.append((lbd, code))
        for lbd, code in started:
            assert lbd.wait() == code
