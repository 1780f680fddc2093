"""Reloads of the real daemon: by files, by plan, under way of every trigger, and never an outage."""

import json
import os
import signal
import socket
from contextlib import ExitStack, closing, suppress

import pytest
from lbd_process import Backend, Lbd, borrowed, until
from load import Load, answer, connect
from load import ask as send
from origin import Origin

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = "least-connections"
health = { type = "http", path = "/healthz", interval = "100ms", timeout = "5s", fall = 1, rise = 1 }
servers = { a = "127.0.0.1:%d" }
"""


@pytest.fixture
def backend():
    with Backend("a") as server:
        yield server


@pytest.fixture
def text(backend):
    return TEXT % backend.port


def opened(pid):
    """The files that a process has open."""
    found = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):      # closed meanwhile
            found.add(os.readlink(entry.path))
    return found


def generation(lbd):
    return lbd.status()["generation"]


def test_a_saved_file_is_in_force_by_itself(text):
    with borrowed(text) as lbd:
        first = generation(lbd)
        lbd.write(text.replace("least-connections", "round-robin"))
        until(lambda: lbd.logged("reloaded"), "the file is in force")
        assert generation(lbd) == first + 1
        assert lbd.logged("change")[0]["change"] == (
            'backends.app changed (live): algorithm: "least-connections" -> "round-robin"')
        os.replace(lbd.file, f"{lbd.file}~")
        lbd.write(text)
        until(lambda: generation(lbd) == first + 2, "a replaced file is in force")
        lbd.write(text + "[unknown]\n")
        until(lambda: not lbd.status()["last_reload"]["success"], "a bad file is refused")
        lbd.write(text.replace("least-connections", "weighted-round-robin"))
        until(lambda: generation(lbd) == first + 3, "a mended file is in force")
        assert lbd.get("web")[0] == 200


def test_an_included_file_that_comes_goes_and_changes(text, backend):
    with borrowed(text) as lbd:
        first = generation(lbd)
        more = lbd.path / "more" / "b.toml"
        more.parent.mkdir()
        lbd.replace_file('include = ["more/*.toml"]\n' + lbd.file.read_text())
        until(lambda: lbd.status()["files"][-1].endswith("*.toml"), "it includes")
        assert generation(lbd) == first
        more.write_text(f'[backends.b.servers]\nb = "127.0.0.1:{backend.port}"\n')
        until(lambda: "b" in lbd.status()["backends"], "a file that came")
        more.write_text(f'[backends.c.servers]\nb = "127.0.0.1:{backend.port}"\n')
        until(lambda: "c" in lbd.status()["backends"], "a file that changed")
        more.unlink()
        until(lambda: "c" not in lbd.status()["backends"], "a file that went")


def test_another_body_of_an_error_is_another_generation(text, tmp_path):
    sorry = tmp_path / "404.html"
    sorry.write_text("not here")
    routed = text.replace('backend = "app"', "routes = [{ path = '/app', backend = 'app' }]", 1)
    with borrowed(f'{routed}[errors]\n404 = "{sorry}"\n') as lbd:
        first = generation(lbd)
        assert lbd.get("web") == (404, "not here")
        sorry.write_text("nor there")
        until(lambda: lbd.get("web") == (404, "nor there"), "the changed file is in force")
        until(lambda: lbd.logged("change"), "the log is written")
        assert generation(lbd) == first + 1
        assert lbd.logged("change")[0]["change"].startswith("errors.404 changed (live): content: 8 bytes ")
        sorry.unlink()
        until(lambda: not lbd.status()["last_reload"]["success"], "a file that is gone is refused")
        assert lbd.get("web") == (404, "nor there")


def test_watch_false_leaves_it_to_others(text):
    with Lbd(text, settings="watch = false") as lbd:
        lbd.write(text.replace("least-connections", "round-robin"))
        assert lbd.admin("POST", "/v1/plan")[1]["summary"] == "1 backend changed"
        assert generation(lbd) == 1
        lbd.send(signal.SIGHUP)
        until(lambda: generation(lbd) == 2, "SIGHUP reloads")


def test_a_plan_tells_what_it_concerns_and_changes_nothing(text, backend):
    with borrowed(text) as lbd:
        first = generation(lbd)
        other = lbd.path / "other.toml"
        other.write_text(lbd.file.read_text().replace("{ a = ", "{ b = "))
        answer = json.loads(json.dumps(lbd.admin("POST", "/v1/plan")[1]))
        assert answer["changes"] == []
        assert generation(lbd) == first


def test_a_reload_that_is_not_confirmed_is_taken_back_and_rollback_goes_further(text):
    with Lbd(text, settings="watch = false") as lbd:
        lbd.write(text.replace("least-connections", "round-robin"))
        assert lbd.admin("POST", "/v1/reload?confirm=200ms")[1]["generation"] == 2
        until(lambda: "not confirmed in time" in lbd.status()["last_reload"]["error"], "it is taken back")
        assert lbd.status()["backends"]["app"]["algorithm"] == "least-connections"
        assert lbd.admin("POST", "/v1/rollback")[0] == 409
        assert lbd.admin("POST", "/v1/reload?confirm=1h")[1]["generation"] == 4
        assert lbd.admin("POST", "/v1/confirm")[0] == 200
        assert lbd.admin("POST", "/v1/rollback")[1]["generation"] == 5
        assert lbd.status()["backends"]["app"]["algorithm"] == "least-connections"
        assert lbd.get("web")[0] == 200


def test_what_a_refused_reload_had_opened_is_closed(text, tmp_path):
    file = tmp_path / "access.log"
    with borrowed(text) as lbd, closing(socket.create_server(("127.0.0.1", 0))) as taken:
        elsewhere = lbd.file.read_text().replace(str(lbd.port("metrics")), str(taken.getsockname()[1]))
        lbd.replace_file(f"{elsewhere}[log]\naccess = '{file}'\n")
        until(lambda: lbd.logged("reload refused; the old configuration serves on"), "it is refused")
        assert file.exists()
        until(lambda: str(file) not in opened(lbd.pid), "it is closed")


def test_more_servers_than_rows_are_refused_and_keep_none_of_them(text, backend):
    def reload(backend_name, count):
        servers = "".join(f's{number} = "127.0.0.1:{backend.port}"\n' for number in range(count))
        head = text.replace("app", backend_name).partition("health =")[0]
        lbd.write(f"{head}[backends.{backend_name}.servers]\n{servers}")
        return lbd.admin("POST", "/v1/reload")

    with Lbd(text, settings="watch = false") as lbd:
        code, answer = reload("many", 16_385)
        assert code == 409
        assert "the scoreboard has room for 16384 servers" in answer["detail"]
        assert reload("other", 100)[0] == 200
        assert lbd.get("web")[0] == 200


def test_the_last_good_version_of_a_broken_included_file_stays(text, backend):
    def written():
        lbd.admin("POST", "/v1/reload")
        return lbd.status()

    with Lbd(text, settings='include_mode = "last-good"') as lbd:
        one, two = lbd.path / "more" / "one.toml", lbd.path / "more" / "two.toml"
        one.parent.mkdir()
        for file in (one, two):
            file.write_text(f'[backends.{file.stem}.servers]\na = "127.0.0.1:{backend.port}"\n')
        lbd.replace_file('include = ["more/*.toml"]\n' + lbd.file.read_text())
        assert set(written()["backends"]) == {"app", "one", "two"}
        one.write_text("[backends.")
        two.write_text(f'[backends.three.servers]\na = "127.0.0.1:{backend.port}"\n')
        status = written()
        assert set(status["backends"]) == {"app", "one", "three"}
        assert str(one) in status["degraded"][0]
        assert f'lbd_config_file_refused{{file="{one}"}} 1' in lbd.metrics()
        one.unlink()
        assert (written()["degraded"], set(lbd.status()["backends"])) == ([], {"app", "three"})


def test_every_server_is_replaced_under_load_and_no_request_fails(text):
    with ExitStack() as stack:
        origins = [stack.enter_context(Origin(name)) for name in "abcd"]
        pairs = [text[:text.index("servers =")] + "servers = { " + ", ".join(
            f'{origin.name} = "127.0.0.1:{origin.port}"' for origin in pair) + " }\n"
            for pair in (origins[:2], origins[2:])]
        lbd = stack.enter_context(Lbd(pairs[0], settings="watch = false"))
        once = stack.enter_context(Load(lbd.port("web"), 4, once=True))
        kept = stack.enter_context(Load(lbd.port("web"), 8))
        for number in range(1, 7):
            lbd.write(pairs[number % 2])
            assert lbd.admin("POST", "/v1/reload")[0] == 200
            served = sum(origin.requests for origin in origins[2 * (number % 2):][:2])
            until(lambda served=served, now=origins[2 * (number % 2):][:2]: sum(
                origin.requests for origin in now) > served + 50, "the new ones serve")
    for load in (once, kept):
        assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})


@pytest.mark.parametrize("algorithm", ["least-connections", "least-time"])
def test_servers_that_stay_keep_their_state_and_a_new_one_is_not_flooded(algorithm):
    with ExitStack() as stack:
        busy, other, new = (stack.enter_context(Origin(name)) for name in ("busy", "other", "new"))
        head = f"""
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = "{algorithm}"
health = {{ type = "http", path = "/healthz", interval = "60s" }}
[backends.app.servers]
"""
        listed = "".join(f'{origin.name} = "127.0.0.1:{origin.port}"\n' for origin in (busy, other))
        lbd = stack.enter_context(Lbd(head + listed, settings="watch = false"))
        for _ in range(20):
            assert lbd.get("web")[0] == 200
        held = [stack.enter_context(closing(connect(lbd.port("web")))) for _ in range(6)]
        for sock in held:
            send(sock, "/held")
        for place in range(len(held)):
            until(lambda: any(origin.held.acquire(blocking=False) for origin in (busy, other)), f"{place} is held")
        before = lbd.status()["backends"]["app"]["servers"]
        assert sum(server["in_flight"] for server in before.values()) == len(held)
        lbd.write(head + listed + f'new = "127.0.0.1:{new.port}"\n')
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        after = lbd.status()["backends"]["app"]["servers"]
        for name in ("busy", "other"):
            for key in ("in_flight", "requests", "latency_seconds", "health", "reason"):
                assert after[name][key] == before[name][key], (name, key)
        asked = [origin.requests for origin in (busy, other, new)]
        with Load(lbd.port("web"), 12) as load:
            until(lambda: load.total > 300, "many answers")
        shares = [(origin.requests - at) / load.total for origin, at in zip((busy, other, new), asked, strict=True)]
        assert shares[2] < 0.9, shares     # the others have work in hand, so it gets the most, but not all
        assert min(shares) > 0, shares
        for origin in (busy, other):
            origin.release.set()
        assert {answer(sock)[0] for sock in held} == {200}
