"""The recipes of the guide to runtime changes, run as they are written there, under load."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
from lbd_process import ROOT, Lbd, free_port, until
from load import Load
from origin import Origin

TOKEN = "0123456789abcdef"
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
registration = { networks = ["127.0.0.0/8"] }
health = { type = "http", path = "/healthz", interval = "100ms", timeout = "5s", fall = 1, rise = 1 }
[backends.app.servers]
"""

SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
open(sys.argv[2], "w").write(str(os.getpid()))
server.serve_forever()
"""

# In the place of systemd's: ends the server of that name at once, and is back when there is another.
SYSTEMCTL = """#!/bin/sh
test "$1" = restart || exit 1
name=${2#app@}
echo "$name" >> "$SERVERS/restarted"
kill -9 $(cat "$SERVERS/$name.pid")
rm "$SERVERS/$name.pid"
"$PYTHON" "$SERVERS/server.py" $(cat "$SERVERS/$name.port") "$SERVERS/$name.pid" >/dev/null 2>&1 &
until test -s "$SERVERS/$name.pid"; do sleep 0.02; done
"""


def recipe(part):
    """The block of the guide that has this in it."""
    found, = (block for block in re.findall(r"```sh\n(.*?)```", (ROOT / "lbd/guide/runtime.md").read_text(), re.DOTALL)
              if part in block)
    return found


def script(path, text):
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def servers(tmp_path):
    """Four servers as processes, by name with their ports; the environment in which `systemctl` restarts them."""
    (tmp_path / "server.py").write_text(SERVER)
    script(tmp_path / "systemctl", SYSTEMCTL)
    script(tmp_path / "lbd", f'#!/bin/sh\nexec {sys.executable} -m lbd "$@"\n')
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
                   "PYTHON": sys.executable, "SERVERS": str(tmp_path)}
    ports = {name: free_port() for name in "abcd"}
    begun = []
    for name, port in ports.items():
        (tmp_path / f"{name}.port").write_text(str(port))
        command = [sys.executable, str(tmp_path / "server.py"), str(port), str(tmp_path / f"{name}.pid")]
        begun.append(subprocess.Popen(command))
    until(lambda: all((tmp_path / f"{name}.pid").exists() for name in ports), "the servers listen")
    yield ports, environment
    for file in tmp_path.glob("*.pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGKILL)
    for process in begun:
        process.wait()


@pytest.mark.slow
def test_a_rolling_deployment(servers, tmp_path):
    ports, environment = servers
    text = TEXT + "".join(f'{name} = "127.0.0.1:{port}"\n' for name, port in ports.items())
    with Lbd(text) as lbd:
        until(lambda: lbd.get("web")[0] == 200, "it serves")
        with Load(lbd.port("web")) as load:
            until(lambda: load.total > 100, "the load runs")
            done = subprocess.run(["bash", "-c", recipe("lbd drain app/$server")], text=True, capture_output=True,
                                  env={**environment, "LBD_ADMIN": f"unix:{lbd.path}/admin.sock"}, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            before = load.total
            until(lambda: load.total > before + 100, "it goes on")
    assert (tmp_path / "restarted").read_text().split() == list("abcd")
    assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})


@pytest.mark.parametrize("shell", ["dash", pytest.param("bash", marks=pytest.mark.slow)])
def test_registering_by_curl(tmp_path, shell):
    if not (shutil.which("curl") and shutil.which(shell)):
        pytest.skip(f"curl or {shell} is missing")
    (tmp_path / "token").write_text(f"register:app {TOKEN}\n")
    port = free_port()
    with Origin("a") as a, Origin("b") as b, \
            Lbd(TEXT + f'a = "127.0.0.1:{a.port}"\n',
                admin=f'bind = "127.0.0.1:{port}"\ntoken_file = "{tmp_path}/token"') as lbd:
        text = recipe("curl -fsSo").replace("lbd.example.com:8405", f"127.0.0.1:{port}")
        text = text.replace("10.0.0.7:9001", f"127.0.0.1:{b.port}")
        until(lambda: lbd.get("web")[0] == 200, "it serves")
        with Load(lbd.port("web")) as load:
            process = subprocess.Popen([shell, "-c", text], env={**os.environ, "TOKEN": TOKEN}, start_new_session=True,
                                       stdout=subprocess.PIPE)
            try:
                until(lambda: b.requests > 20, "it serves")
                os.killpg(process.pid, signal.SIGTERM)   # as a service manager does
                output, _ = process.communicate(timeout=20)
            finally:
                process.kill()
                process.wait()
        assert b'"gone": true' in output
        until(lambda: lbd.logged("registered server gone"), "the log says so")
    assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
