"""Clients that stay with their server in the real daemon, over both workers: by cookie in http, by address in tcp."""

import http.client
import json
import socket
from collections import Counter
from typing import NamedTuple

import pytest
from lbd_process import Lbd, borrowed, until
from origin import Origin

from lbd.cli.command_line import main

TEXT = """
[timeouts]
connect = "1s"
[health.fast]
type = "http"
path = "/healthz"
interval = "50ms"
timeout = "5s"
rise = 1
fall = 3
[listeners.implied]
bind = "127.0.0.1:$implied"
backend = "implied"
[listeners.added]
bind = "127.0.0.1:$added"
backend = "added"
[listeners.implied-tcp]
mode = "tcp"
bind = "127.0.0.1:$implied-tcp"
backend = "implied"
[listeners.added-tcp]
mode = "tcp"
bind = "127.0.0.1:$added-tcp"
backend = "added"
[backends.implied]
algorithm = "sticky-round-robin"
health = "fast"
servers = { a = "127.0.0.1:%(a)d", b = "127.0.0.1:%(b)d", c = "127.0.0.1:%(c)d" }
[backends.added]
algorithm = "least-connections"
health = "fast"
sticky = { cookie = "STAY", max_age = "1h", secure = true, domain = "example.com" }
servers = { a = "127.0.0.1:%(a)d", b = "127.0.0.1:%(b)d", c = "127.0.0.1:%(c)d" }
"""
# Backend: its cookie, and what that has after its value.
COOKIES = {
    "implied": ("LBD", "Path=/; SameSite=Lax; HttpOnly"),
    "added": ("STAY", "Path=/; Domain=example.com; Max-Age=3600; SameSite=Lax; HttpOnly; Secure"),
}
APPLICATION = ["theme=dark; Path=/", "session=s1; HttpOnly"]      # what the servers set themselves
ENOUGH = 24      # connections, so that each of two workers gets some of them


class Got(NamedTuple):
    """The parts of an answer: its server, the Cookie that reached the server, and the cookies that were set."""

    server: str
    cookie: str | None
    set: list[str]


@pytest.fixture(scope="module")
def origins():
    with Origin("a") as a, Origin("b") as b, Origin("c") as c:
        yield {"a": a, "b": b, "c": c}


@pytest.fixture(scope="module")
def daemon(origins):
    with Lbd(TEXT % {name: origin.port for name, origin in origins.items()}) as lbd:
        yield lbd


@pytest.fixture
def lbd(daemon, origins):
    """All servers are well and ready, before and after."""
    yield daemon
    for origin in origins.values():
        origin.healthy = True
    for name in COOKIES:
        for server in origins:
            command(daemon, "ready", f"{name}/{server}")
    until(lambda: all(state(daemon, name, server)["health"] == "up" for name in COOKIES for server in origins), "up")


def command(lbd, *words):
    assert main([*words, "--admin", f"unix:{lbd.path}/admin.sock"]) == 0


def state(lbd, backend, server):
    return lbd.status()["backends"][backend]["servers"][server]


def fetch(lbd, name, cookie=None, source="127.0.0.1"):
    """Make a request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", lbd.port(name), timeout=20, source_address=(source, 0))
    try:
        connection.request("GET", "/cookies", headers={} if cookie is None else {"Cookie": cookie})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        assert answer.status == 200
        return Got(body["server"], body["cookie"], answer.msg.get_all("Set-Cookie"))
    finally:
        connection.close()


def fetches(lbd, name, cookie=None, source="127.0.0.1"):
    """Enough of them, some through each worker."""
    until(lambda: [worker["state"] for worker in lbd.status()["workers"]] == ["serving"] * 2, "two workers")
    before = [worker["requests"] for worker in lbd.status()["workers"]]
    found = []

    def through_both():
        found.extend(fetch(lbd, name, cookie, source) for _ in range(ENOUGH))
        after = [worker["requests"] for worker in lbd.status()["workers"]]
        return all(now > then for now, then in zip(after, before, strict=True))

    until(through_both, "some through each worker")
    return found


def new_client(lbd, name):
    """Its server, and the cookie that it sends from now on."""
    got = fetch(lbd, name)
    made, *rest = [line for line in got.set if line not in APPLICATION]
    assert not rest
    cookie, _, attributes = made.partition("; ")
    assert (cookie.partition("=")[0], attributes) == COOKIES[name]
    return got.server, cookie


@pytest.mark.parametrize("name", COOKIES)
def test_a_client_has_its_server_through_both_workers(lbd, name):
    clients = [new_client(lbd, name) for _ in range(12)]
    assert {server for server, _ in clients} == set("abc")
    for server, cookie in dict(clients).items():
        for got in fetches(lbd, name, f"first=1; {cookie}; last=2"):
            assert got.server == server
            assert got.set == APPLICATION                   # both of the application, and no other
            assert got.cookie == "first=1; last=2"          # ours stays here


@pytest.mark.parametrize("name", COOKIES)
def test_a_cookie_says_nothing_and_cannot_be_made_up(lbd, name, origins):
    key = COOKIES[name][0]
    _, cookie = new_client(lbd, name)
    assert len(cookie) == len(key) + 1 + 24
    mine = {new_client(lbd, name)[1] for _ in range(6)}
    others = {new_client(lbd, other)[1].partition("=")[2] for other in COOKIES if other != name}
    last = "A" if cookie[-1] != "A" else "B"
    for value in ("", "a", str(origins["a"].port), cookie.partition("=")[2][:-1] + last, *others):
        got = fetch(lbd, name, f"{key}={value}")
        assert next(line.partition(";")[0] for line in got.set if line not in APPLICATION) in mine | {cookie}
        assert got.cookie is None


@pytest.mark.parametrize("name", COOKIES)
def test_a_server_that_is_down_is_replaced_for_good(lbd, name, origins):
    server, cookie = new_client(lbd, name)
    origins[server].healthy = False
    until(lambda: state(lbd, name, server)["health"] == "down", "down")
    got = until(lambda: (found := fetch(lbd, name, cookie)).server != server and found, "every worker knows")
    renewed = next(line for line in got.set if line not in APPLICATION).partition(";")[0]
    assert renewed != cookie
    assert {again.server for again in fetches(lbd, name, renewed)} == {got.server}
    origins[server].healthy = True
    until(lambda: state(lbd, name, server)["health"] == "up", "up")
    assert {again.server for again in fetches(lbd, name, renewed)} == {got.server}
    until(lambda: {again.server for again in fetches(lbd, name, cookie)} == {server}, "every worker knows")


@pytest.mark.parametrize("name", COOKIES)
def test_a_server_that_is_drained_keeps_its_clients_and_gets_no_others(lbd, name):
    server, cookie = new_client(lbd, name)
    command(lbd, "drain", f"{name}/{server}")
    until(lambda: server not in {fetch(lbd, name).server for _ in range(ENOUGH)}, "no new clients in either worker")
    for got in fetches(lbd, name, cookie):
        assert got.server == server
        assert got.set == APPLICATION
    command(lbd, "maint", f"{name}/{server}")
    until(lambda: server not in {fetch(lbd, name, cookie).server for _ in range(ENOUGH)}, "its clients leave")


@pytest.mark.parametrize("name", COOKIES)
def test_a_source_address_has_its_server_through_both_workers(lbd, name):
    port = f"{name}-tcp"
    sources = [f"127.0.0.{number}" for number in range(20, 32)]
    chosen = {source: fetch(lbd, port, source=source).server for source in sources}
    if name == "implied":           # least-connections need not use all when one connection ends before the next
        assert set(chosen.values()) == set("abc")
    for source in sources[:3]:
        found = fetches(lbd, port, source=source)
        assert {got.server for got in found} == {chosen[source]}
        assert all(got.set == APPLICATION for got in found)         # nobody touches what passes


def test_a_source_whose_server_is_down_or_gone_gets_another_and_keeps_it(lbd, origins):
    source = "127.0.0.40"
    server = fetch(lbd, "implied-tcp", source=source).server
    command(lbd, "drain", f"implied/{server}")
    until(lambda: state(lbd, "implied", server)["mode"] == "drain", "drained")
    assert {got.server for got in fetches(lbd, "implied-tcp", source=source)} == {server}
    origins[server].healthy = False
    until(lambda: state(lbd, "implied", server)["health"] == "down", "down")
    until(lambda: server not in {got.server for got in fetches(lbd, "implied-tcp", source=source)}, "all know")
    found = Counter(got.server for got in fetches(lbd, "implied-tcp", source=source))
    assert len(found) == 1
    origins[server].healthy = True
    until(lambda: state(lbd, "implied", server)["health"] == "up", "up")
    assert {got.server for got in fetches(lbd, "implied-tcp", source=source)} == set(found)


def test_a_stopped_server_is_replaced_before_any_check_says_so(origins):
    with Origin("dead") as dead:
        text = TEXT.replace('interval = "50ms"', 'interval = "1h"') % {
            name: origin.port for name, origin in {**origins, "a": dead}.items()}
        with borrowed(text) as lbd:
            cookies = dict(new_client(lbd, "implied") for _ in range(8))
            dead.stop()
            got = fetch(lbd, "implied", cookies["dead"])
            assert got.server in "bc"
            assert any(cookies[got.server] == line.partition(";")[0] for line in got.set)


def test_cookies_outlive_the_daemon(lbd):
    clients = {name: new_client(lbd, name) for name in COOKIES}
    assert lbd.stop() == 0
    lbd.start()
    for name, (server, cookie) in clients.items():
        for got in fetches(lbd, name, cookie):
            assert got.server == server
            assert got.set == APPLICATION


def test_machines_with_one_secret_believe_each_other(origins):
    text = TEXT % {name: origin.port for name, origin in origins.items()}
    secret = 'sticky_secret = "one for all machines"'
    with Lbd(text, settings=secret) as one, Lbd(text, settings=secret) as other, Lbd(text) as stranger:
        server, cookie = new_client(one, "implied")
        for got in fetches(other, "implied", cookie):
            assert (got.server, got.set) == (server, APPLICATION)
        assert fetch(stranger, "implied", cookie).set != APPLICATION


def test_a_kept_connection_may_carry_many_clients(lbd):
    """A proxy before lbd does that: the cookie of each request counts, not the connection."""
    clients = dict(new_client(lbd, "implied") for _ in range(9))
    with socket.create_connection(("127.0.0.1", lbd.port("implied")), timeout=20) as sock:
        for server, cookie in [*clients.items(), *reversed(clients.items())]:
            connection = http.client.HTTPConnection("127.0.0.1")
            connection.sock = sock
            connection.request("GET", "/cookies", headers={"Cookie": cookie})
            answer = connection.getresponse()
            assert json.loads(answer.read())["server"] == server
