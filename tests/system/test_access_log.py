"""The access log of the real daemon: its lines agree with what was asked and counted, over reloads and rotation."""

import json
import signal

from lbd_process import Backend, Lbd, borrowed, until

CONFIG = """
[log]
access = "{access}"
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:{port}"
"""


def test_lines_counters_and_servers_agree_over_reloads_and_rotation():
    with Backend("a") as server, Lbd(CONFIG.format(access="access.log", port=server.port)) as lbd:
        path = lbd.path / "access.log"
        for number in range(10):
            assert lbd.get("web", f"/before/{number}")[0] == 200
        until(lambda: path.read_text().count("\n") == 10, "ten lines")
        path.rename(lbd.path / "access.log.1")
        lbd.send(signal.SIGUSR1)
        until(lambda: lbd.logged("access log opened anew"), "opened anew")
        spare = 'b = { address = "127.0.0.1:1", weight = 0 }\n'
        lbd.write(CONFIG.format(access="access.log", port=server.port) + spare)
        until(lambda: lbd.status()["generation"] == 2, "generation 2")
        for number in range(5):
            assert lbd.get("web", f"/after/{number}")[0] == 200
        until(lambda: path.read_text().count("\n") == 5, "five lines")
        files = (lbd.path / "access.log.1", path)
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        assert sum(server["requests"] for server in lbd.status()["backends"]["app"]["servers"].values()) == len(lines)
        assert {line["generation"] for line in lines[10:]} == {2}
        assert sorted(line["target"] for line in lines[:10]) == [f"/before/{number}" for number in range(10)]
        lbd.write(CONFIG.format(access="off", port=server.port))
        until(lambda: lbd.status()["generation"] == 3, "generation 3")
        assert lbd.get("web")[0] == 200
        assert lbd.stop() == 0
        assert path.read_text().count("\n") == 5


def test_a_log_that_cannot_be_opened_refuses_the_reload():
    with Backend("a") as server, borrowed(CONFIG.format(access="off", port=server.port)) as lbd:
        first = lbd.status()["generation"]
        lbd.write(CONFIG.format(access="/nowhere/access.log", port=server.port))
        code, data = lbd.admin("POST", "/v1/reload")
        assert (code, data["detail"]) == (409, "log.access: cannot open /nowhere/access.log: No such file or directory")
        assert lbd.status()["generation"] == first
