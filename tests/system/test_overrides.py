"""Runtime changes and registrations of the real daemon: under load, over reloads, and over kill -9 of everything."""

import contextlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from lbd_process import ROOT, Backend, Lbd, Unix, borrowed, free_port, until
from load import Load
from origin import Origin

from lbd.cli.command_line import main

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
registration = { networks = ["127.0.0.0/8"] }
health = { type = "http", path = "/healthz", interval = "100ms", timeout = "5s", fall = 3, rise = 1 }
[backends.app.servers]
"""


def ask(lbd, method, path, body=None):
    connection = Unix(f"{lbd.path}/admin.sock")
    with contextlib.closing(connection):
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def put_in_force(lbd, server, port):
    """Register it, and wait until it is in force: those that come at one time are put in force together."""
    place = f"/v1/backends/app/servers/{server}"
    assert ask(lbd, "PUT", place, {"address": f"127.0.0.1:{port}"})[0] == 201
    until(lambda: ask(lbd, "GET", place)[0] == 200, "it is in force")


def command(lbd, *words):
    return main([*words, "--admin", f"unix:{lbd.path}/admin.sock"])


def servers(lbd, backend="app"):
    return ask(lbd, "GET", f"/v1/backends/{backend}")[1]["servers"]


def answers(lbd):
    with contextlib.suppress(OSError):
        return ask(lbd, "GET", "/v1/backends")[0] == 200
    return False


def kill_all(lbd):
    """kill -9 of the supervisor and its workers, at once."""
    workers = lbd.workers()
    lbd.kill_supervisor()
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def origins():
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Origin(name)) for name in "abcd"]


def test_a_rolling_deployment_loses_nothing(origins, capsys):
    text = TEXT + "".join(f'{origin.name} = "127.0.0.1:{origin.port}"\n' for origin in origins)
    with borrowed(text) as lbd, Load(lbd.port("web"), connections=4) as load:
        until(lambda: load.total > 100, "the load runs")
        for origin in origins:
            place = f"app/{origin.name}"
            assert command(lbd, "drain", place, "--wait", "--timeout", "20s", "--reason", "new version") == 0
            assert servers(lbd)[origin.name]["override"]["reason"] == "new version"
            origin.stop()
            before = load.total
            until(lambda before=before: load.total > before + 50, "the others serve")
            origin.start()
            assert command(lbd, "ready", place) == 0
            assert command(lbd, "wait", "up", place, "--timeout", "20s") == 0
        assert command(lbd, "wait", "usable=4", "app", "--timeout", "20s") == 0
        assert ask(lbd, "GET", "/v1/overrides")[1] == {"overrides": []}
    assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})


def test_servers_come_and_go_under_load_and_reloads(origins):
    first, *others = origins
    with (borrowed(TEXT + f'a = "127.0.0.1:{first.port}"\n') as lbd, Load(lbd.port("web"), connections=4) as load,
          ThreadPoolExecutor(len(others)) as pool):
        def deregister(origin):
            return ask(lbd, "DELETE", f"/v1/backends/app/servers/{origin.name}?wait=20s")[0]

        for turn in range(3):
            for origin in others:
                offer = {"address": f"127.0.0.1:{origin.port}", "weight": turn + 1}
                assert ask(lbd, "PUT", f"/v1/backends/app/servers/{origin.name}", offer)[0] == 201
                assert ask(lbd, "PUT", f"/v1/backends/app/servers/{origin.name}", offer)[0] == 200
            assert command(lbd, "wait", "usable=4", "app", "--timeout", "20s") == 0
            assert lbd.admin("POST", "/v1/reload")[0] == 200
            assert sorted(servers(lbd)) == ["a", "b", "c", "d"]
            before = load.total
            until(lambda before=before: load.total > before + 50, "all serve")
            assert list(pool.map(deregister, others)) == [200] * len(others)
        assert list(servers(lbd)) == ["a"]
    assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
    assert all(origin.requests for origin in origins)


def test_a_server_that_is_not_heard_of_goes():
    with Backend("a") as a, Backend("b") as b, borrowed(TEXT + f'a = "127.0.0.1:{a.port}"\n') as lbd:
        assert ask(lbd, "PUT", "/v1/backends/app/servers/b", {"address": f"127.0.0.1:{b.port}", "ttl": "1s"})[0] == 201
        until(lambda: "b" not in servers(lbd), "it expired")
        event, = until(lambda: lbd.logged("registered server drains and goes"), "it is logged")
        assert event["reason"] == "not heard of in time"


def test_one_that_never_was_healthy_gets_nothing():
    with Backend("a") as a, Backend("b") as b, borrowed(TEXT + f'a = "127.0.0.1:{a.port}"\n') as lbd:
        b.healthy = False
        put_in_force(lbd, "b", b.port)
        assert {lbd.get("web")[1]["server"] for _ in range(20)} == {"a"}
        b.healthy = True
        assert command(lbd, "wait", "up", "app/b") == 0


def test_overrides_survive_reload_and_restart():
    with Backend("a") as a, Lbd(TEXT + f'a = "127.0.0.1:{a.port}"\n') as lbd:
        assert command(lbd, "weight", "app/a", "7", "--reason", "small machine") == 0
        assert ask(lbd, "PATCH", "/v1/backends/app", {"health": "up"})[0] == 200
        lbd.write(TEXT + f'a = {{ address = "127.0.0.1:{a.port}", weight = 3 }}\n')
        until(lambda: lbd.status()["generation"] == 2, "the file is in force")
        assert servers(lbd)["a"]["weight"] == 7
        assert lbd.stop() == 0
        lbd.start(wait=False)
        until(lambda: answers(lbd), "it answers again")
        assert servers(lbd)["a"]["weight"] == 7
        assert {(one["server"], one["reason"]) for one in ask(lbd, "GET", "/v1/overrides")[1]["overrides"]} == {
            ("a", "small machine"), ("", "")}
        assert ask(lbd, "DELETE", "/v1/overrides")[1] == {"ended": 2}
        assert servers(lbd)["a"]["weight"] == 3


@pytest.mark.parametrize("turns", [3, pytest.param(20, marks=[pytest.mark.slow, pytest.mark.timeout(600)])])
def test_nothing_acknowledged_is_lost_by_kill_9(turns):
    dice = random.Random(turns)
    known = set()
    with Lbd(TEXT + 'a = "127.0.0.1:9"\n', workers=1) as lbd:
        until(lambda: answers(lbd), "it answers")
        for turn in range(turns):
            said, over = [], threading.Event()

            def register(turn=turn, said=said, over=over):
                for number in range(10_000):
                    name = f"s{turn}-{number}"
                    offer = {"address": f"127.0.1.{number % 250 + 1}:{turn + 1}", "ttl": "1h"}
                    try:
                        if ask(lbd, "PUT", f"/v1/backends/app/servers/{name}", offer)[0] == 201:
                            said.append(name)
                    except (OSError, http.client.HTTPException, ValueError):
                        break
                    if number > 8:
                        over.set()
                    if len(said) >= 15:
                        break
                over.set()

            thread = threading.Thread(target=register)
            thread.start()
            wanted = dice.randrange(10)
            until(lambda said=said, wanted=wanted, over=over: len(said) >= wanted or over.is_set(), "registrations")
            kill_all(lbd)
            thread.join()
            known |= set(said)
            lbd.start(wait=False)
            until(lambda: answers(lbd), "it answers again")
            assert known <= set(servers(lbd))


def test_a_corrupt_file_is_set_aside():
    with Backend("a") as a, Lbd(TEXT + f'a = "127.0.0.1:{a.port}"\n') as lbd:
        assert command(lbd, "drain", "app/a") == 0
        assert lbd.stop() == 0
        file = lbd.path / "state" / "runtime.toml"
        file.write_bytes(file.read_bytes()[:20])
        lbd.start(wait=False)
        until(lambda: answers(lbd), "it answers again")
        assert servers(lbd)["a"]["mode"] == "ready"
        until(lambda: "cannot be used and is set aside" in lbd.log(), "the log says so")
        assert len(list(file.parent.glob("runtime.toml.broken-*"))) == 1


SERVER = """
import http.server, signal, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
sys.exit(7)
"""


def test_a_command_is_a_server_while_it_runs():
    port = free_port()
    with (Backend("a") as a, borrowed(TEXT + f'a = "127.0.0.1:{a.port}"\n') as lbd,
          Load(lbd.port("web"), connections=4) as load):
        words = ["register", "--backend", "app", "--address", f":{port}", "--name", "own", "--ttl", "3s", "--tag", "v2",
                 "--admin", f"unix:{lbd.path}/admin.sock", "--", sys.executable, "-c", SERVER, str(port)]
        process = subprocess.Popen([sys.executable, "-m", "lbd", *words], cwd=ROOT)
        try:
            until(lambda: "own" in servers(lbd), "it registered")
            assert command(lbd, "wait", "up", "app/own", "--timeout", "20s") == 0
            assert servers(lbd)["own"]["registration"]["tags"] == ["v2"]
            before = load.total
            until(lambda: load.total > before + 100, "it serves")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 7
        finally:
            process.kill()
            process.wait()
        assert "own" not in servers(lbd)
    assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})


ATTACKS = [
    ("PUT", "/v1/backends/app/servers/x", {"address": "169.254.169.254:80"}, 403),
    ("PUT", "/v1/backends/app/servers/x", {"address": "10.0.0.1:80"}, 403),
    ("PUT", "/v1/backends/app/servers/x", {"address": "unix:/etc/passwd"}, 403),
    ("PUT", "/v1/backends/app/servers/x", {"address": "localhost:80"}, 403),
    ("PUT", "/v1/backends/app/servers/a", {"address": "127.0.0.1:80"}, 409),
    ("PUT", "/v1/backends/app/servers/..%2f..%2fetc", {"address": "127.0.0.1:80"}, 422),
    ("PUT", "/v1/backends/app/servers/a%00b", {"address": "127.0.0.1:80"}, 422),
    ("PUT", "/v1/backends/none/servers/x", {"address": "127.0.0.1:80"}, 404),
    ("PUT", "/v1/backends/app/servers/x", {"address": "127.0.0.1:80", "weight": 10**400}, 422),
    ("PUT", "/v1/backends/app/servers/x", ["no", "table"], 400),
    ("PATCH", "/v1/backends/app/servers/x", {"mode": "drain"}, 404),
    ("PATCH", "/v1/backends/app/servers/a", {}, 422),
    ("PATCH", "/v1/backends/app/servers/a", {"mode": "gone"}, 422),
    ("DELETE", "/v1/backends/app/servers/a", None, 409),
    ("GET", "/v1/reload", None, 405),
]


def test_attacks_change_nothing():
    with Backend("a") as a, borrowed(TEXT + f'a = "127.0.0.1:{a.port}"\n') as lbd:
        until(lambda: answers(lbd), "it answers")
        for method, path, body, wanted in ATTACKS:
            status, data = ask(lbd, method, path, body)
            assert (status, data["status"]) == (wanted, wanted), (method, path, data)
        assert list(servers(lbd)) == ["a"]
        assert ask(lbd, "GET", "/v1/overrides")[1] == {"overrides": []}
        until(lambda: len(lbd.logged("admin request refused")) == len(ATTACKS) - 1, "all but a GET are logged")


@pytest.mark.parametrize("algorithm", ["weighted-round-robin", "least-time", "maglev"])
def test_a_backend_that_begins_without_servers(algorithm):
    text = TEXT.replace("registration", f'algorithm = "{algorithm}"\nregistration')
    with Backend("b") as b, borrowed(text) as lbd:
        assert lbd.get("web")[0] == 503
        put_in_force(lbd, "b", b.port)
        assert command(lbd, "wait", "up", "app/b") == 0
        assert lbd.get("web")[0] == 200
        assert ask(lbd, "DELETE", "/v1/backends/app/servers/b?wait=20s")[0] == 200
        until(lambda: lbd.get("web")[0] == 503, "it has no server any more")


def test_registrations_over_an_upgrade_in_place(origins):
    first, second, *_ = origins
    said, over = [], threading.Event()
    text = TEXT.replace('"100ms"', '"2s"')      # there are many, and none of them is there
    with (Lbd(text + f'a = "127.0.0.1:{first.port}"\n', workers=1) as lbd,
          Load(lbd.port("web"), connections=4) as load):
        def register():
            for number in range(10_000):
                offer = {"address": f"127.0.1.{number % 250 + 1}:{number // 250 + 1}", "ttl": "1h"}
                with contextlib.suppress(OSError, http.client.HTTPException, ValueError):   # it may be away just now
                    if ask(lbd, "PUT", f"/v1/backends/app/servers/s{number}", offer)[0] == 201:
                        said.append(f"s{number}")
                if over.wait(0.02):
                    break

        put_in_force(lbd, "own", second.port)
        assert command(lbd, "wait", "up", "app/own", "--timeout", "20s") == 0
        thread = threading.Thread(target=register)
        thread.start()
        try:
            until(lambda: len(said) > 20, "some registered")
            lbd.send(signal.SIGUSR2)
            until(lambda: len(lbd.logged("ready")) == 2, "it is another image")
            goal = len(said) + 20
            until(lambda: len(said) > goal, "more register")
        finally:
            over.set()
            thread.join()
        until(lambda: {"a", "own", *said} <= set(servers(lbd)), "every acknowledged one is there")
        assert servers(lbd)["own"]["health"] == "up"
        before = second.requests
        until(lambda: second.requests > before + 20, "it still serves")
    assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})


@pytest.mark.parametrize("mode", ["drain", "maint"])
def test_the_last_server_goes_with_a_word(mode, capsys):
    with Backend("a") as a, Backend("b") as b, \
            borrowed(TEXT + f'a = "127.0.0.1:{a.port}"\nb = "127.0.0.1:{b.port}"\n') as lbd:
        assert command(lbd, "wait", "up", "app") == 0
        assert command(lbd, mode, "app/a") == 0
        assert capsys.readouterr().err == ""
        assert command(lbd, mode, "app/b") == 0
        assert capsys.readouterr().err == "lbd: warning: no server of app is left\n"
        assert command(lbd, "ready", "app/b") == 0
        capsys.readouterr()
        assert command(lbd, mode, "app/b", "--json") == 0
        assert json.loads(capsys.readouterr().out)["warning"] == "no server of app is left"
        until(lambda: lbd.logged("no server is left"), "the log says so")
