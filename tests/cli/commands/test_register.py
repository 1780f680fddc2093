"""lbd.cli.commands.register: the command's life, and what is said to the daemon meanwhile."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lbd.cli.command_line import main
from lbd.cli.commands.register import RegistrationSession, local_host, own_address, port_of
from lbd.cli.daemon_client import DaemonClient, NoAnswer
from lbd.errors import UsageError
from lbd.schema.units import Address
from tests.namespaces import unshared

PATH = "/v1/backends/app/servers/own"


def words(fake_daemon: Any, *command: str) -> list[str]:
    return ["register", "--backend", "app", "--address", ":9001", "--name", "own", "--tag", "x", "--admin",
            fake_daemon.bind, "--", *command]


def test_it_registers_and_leaves_with_the_commands_code(fake_daemon: Any) -> None:
    fake_daemon.answers["PUT", PATH] = 201, {}
    fake_daemon.answers["DELETE", PATH + "?wait=0s"] = 200, {}
    assert main(words(fake_daemon, sys.executable, "-c", "raise SystemExit(5)")) == 5
    assert [(method, path) for method, path, _, _ in fake_daemon.seen] == [("PUT", PATH), ("DELETE", PATH + "?wait=0s")]
    assert json.loads(fake_daemon.seen[0][3]) == {"address": "127.0.0.1:9001", "weight": 1, "ttl": "15s", "tags": ["x"]}


def test_a_refused_one_ends_the_command(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake_daemon.answers["PUT", PATH] = 403, {"detail": "the backend takes no registrations"}
    assert main(words(fake_daemon, sys.executable, "-c", "import signal; signal.pause()")) == 1
    assert capsys.readouterr().err.startswith("lbd: ")


def test_what_cannot_be_run(fake_daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words(fake_daemon, "/nowhere/at/all")) == 1
    assert capsys.readouterr().err == "lbd: cannot run /nowhere/at/all: No such file or directory\n"
    assert main(words(fake_daemon)) == 2


def seen(fake_daemon: Any) -> list[tuple[str, str]]:
    return [(method, path) for method, path, _, _ in fake_daemon.seen]


@pytest.mark.parametrize("status", [401, 403, 404, 409, 422])
def test_a_refusal_ends_the_command_and_nothing_is_taken_back(fake_daemon: Any, status: int) -> None:
    fake_daemon.answers["PUT", PATH] = status, {"detail": "no"}
    assert main(words(fake_daemon, sys.executable, "-c", "import signal; signal.pause()")) == 1
    assert seen(fake_daemon) == [("PUT", PATH)]


# Serves HTTP on the Unix socket argv[1]: answers PUT by one status after another, and ends with 7 after the last.
DAEMON = """
import http.server, socketserver, sys
left = [int(word) for word in sys.argv[2:]]

class Handler(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(left.pop(0))
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def address_string(self):
        return "unix"
    def log_message(self, *_):
        pass

with socketserver.UnixStreamServer(sys.argv[1], Handler) as server:
    while left:
        server.handle_request()
raise SystemExit(7)
"""


def alone(socket: Path, *command: str, ttl: str = "1s") -> list[str]:
    return ["register", "--backend", "app", "--address", "127.0.0.1:9001", "--name", "own", "--ttl", ttl, "--admin",
            f"unix:{socket}", "--", *command]


def test_without_an_answer_the_command_runs_all_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(alone(tmp_path / "none", sys.executable, "-c", "print('done'); raise SystemExit(5)")) == 5
    out, err = capfd.readouterr()
    assert out == "done\n"
    assert err == (f"lbd: registration not made yet: no answer from a running lbd at unix:{tmp_path}/none: there is no "
                   "such socket; is it running? (--admin ADDR or LBD_ADMIN says where)\n")


@pytest.mark.parametrize("statuses", [("201",), ("503", "503", "201"), ("201", "404", "200")])
def test_it_is_tried_again_until_the_daemon_takes_it(tmp_path: Path, statuses: tuple[str, ...],
                                                      capfd: pytest.CaptureFixture[str]) -> None:
    """The command is the daemon: it comes after the first try, and has its answers before it ends by itself."""
    assert main(alone(tmp_path / "sock", sys.executable, "-c", DAEMON, str(tmp_path / "sock"), *statuses)) == 7
    said = capfd.readouterr().err
    assert ("registration not made yet: the daemon answered 503" in said) == ("503" in statuses)
    assert ("registration not repeated: the daemon answered 404" in said) == ("404" in statuses)
    assert "not deregistered, it expires: no answer" in said


def test_a_signal_before_there_is_a_child_is_kept_for_it(tmp_path: Path) -> None:
    daemon = DaemonClient(Address(path=str(tmp_path / "none")))
    session = RegistrationSession(daemon, PATH, {"address": "127.0.0.1:9"}, 1.0)
    session.leave(signal.SIGTERM, "0s")
    assert session.begin(subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])).wait(20) == -15


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGQUIT])
def test_a_signal_reaches_the_command_while_nobody_answers(tmp_path: Path, number: signal.Signals) -> None:
    command = (f"import signal, sys\nsignal.signal({number:d}, lambda *_: sys.exit(9))\n"
               "print('up', flush=True)\nsignal.pause()")
    with subprocess.Popen([sys.executable, "-m", "lbd", *alone(tmp_path / "none", sys.executable, "-c", command)],
                          stdout=subprocess.PIPE, text=True,
                          preexec_fn=lambda: signal.signal(number, signal.SIG_DFL)) as process:    # nohup ignores one
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        assert process.wait(20) == 9


# Leaves an orphan behind that ends at once, and ends with 7 when somebody has waited for it.
ORPHAN = """
import os, time
reader, writer = os.pipe()
if os.fork() == 0:
    if os.fork() == 0:
        os.write(writer, b"%d" % os.getpid())
    os._exit(0)
os.wait()
orphan = int(os.read(reader, 20))
for _ in range(2000):
    if not os.path.exists(f"/proc/{orphan}"):
        os._exit(7)
    time.sleep(0.01)
"""


def test_pid_1_waits_for_what_is_left_to_it(tmp_path: Path) -> None:
    inside = unshared("--pid", "--fork", "--mount-proc", "--kill-child")
    done = subprocess.run([*inside, sys.executable, "-m", "lbd",
                           *alone(tmp_path / "none", sys.executable, "-c", ORPHAN)], timeout=60)
    assert done.returncode == 7


def test_own_addresses() -> None:
    daemon = DaemonClient(Address(path="/s"))
    assert own_address("10.0.0.1:80", daemon) == "10.0.0.1:80"
    assert own_address(":80", daemon) == "127.0.0.1:80"
    assert local_host(DaemonClient(Address("127.0.0.1", 9))) == "127.0.0.1"
    assert (port_of(":80"), port_of("[::1]:9")) == (80, 9)
    with pytest.raises(UsageError, match="must be HOST:PORT"):
        port_of(":0")
    with pytest.raises(NoAnswer, match="give --address IP:PORT"):
        local_host(DaemonClient(Address("no.such.name.invalid", 9)))
