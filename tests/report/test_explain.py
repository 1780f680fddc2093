"""Explanations agree with what is configured, and change nothing."""

from dataclasses import replace

import pytest

from lbd.balance import ALGORITHMS
from lbd.cli.commands.explain import fresh
from lbd.config.reader import read_file
from lbd.errors import LbdError
from lbd.report.explain import Question, explain
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board

CONFIG = """
[listeners.web]
bind = "127.0.0.1:8080"
backend = "app"
deny = ["192.0.2.0/24"]
[[listeners.web.routes]]
host = "api.example.com"
path_prefix = "/v1/"
method = ["GET"]
header = { X-Beta = "*" }
backend = "api"
[[listeners.web.routes]]
path = "/old"
redirect = { to = "https://{host}/new" }
[listeners.second]
bind = "127.0.0.1:8081"
backend = "api"
[listeners.third]
bind = "127.0.0.1:8082"
backend = "kept"
max_body = "1KiB"
timeouts = { client_idle = "7s" }
[backends.kept]
sticky = {}
timeouts = { connect = "1s" }
servers = { one = "127.0.0.1:9006", two = "127.0.0.1:9007" }
[backends.app]
[backends.app.servers]
a = "127.0.0.1:9001"
b = { address = "127.0.0.1:9002", mode = "drain" }
c = { address = "127.0.0.1:9003", backup = true }
[backends.api]
algorithm = { name = "consistent-hash", key = "header:X-Tenant" }
host = "api.internal"
response_headers = { set = { X-Served = "lbd" }, remove = ["Server"] }
servers = { one = "127.0.0.1:9004", two = "127.0.0.1:9005" }
"""


@pytest.fixture
def ask(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text(CONFIG)
    generation, board = fresh(read_file(str(file), ALGORITHMS, {}).config), Board.create(1)

    def ask(method, url, *headers, health=None, **more):
        endpoints = {name: tuple(endpoint._replace(health=(health or {}).get(endpoint.name, "up"))
                                 for endpoint in group)
                     for name, group in generation.endpoints.items()}
        return explain(Question(method, url, headers, **more), replace(generation, endpoints=endpoints), board, 0)
    ask.board = board
    return ask


def test_a_route_with_every_condition_and_the_head_that_is_sent(ask):
    found = ask("GET", "http://api.example.com/v1/x?y=1", "X-Beta: 1", "X-Tenant: blue")
    assert (found["listener"], found["route"], found["backend"]) == ("web", 0, "api")
    assert found["routes"] == [{"route": 0, "backend": "api", "matches": True, "mismatch": ""}]
    assert found["sends"][0] == "GET /v1/x?y=1 HTTP/1.1"
    assert "Host: api.internal" in found["sends"]
    assert "X-Forwarded-For: 127.0.0.1" in found["sends"]


def test_a_hash_picks_the_same_server_again(ask):
    chosen = {ask("GET", "http://h:8081/", "X-Tenant: blue")["chosen"] for _ in range(10)}
    assert len(chosen) == 1
    assert {ask("GET", "http://h:8081/", f"X-Tenant: {number}")["chosen"] for number in range(20)} == {"one", "two"}


@pytest.mark.parametrize(("method", "url", "headers", "mismatch"), [
    ("POST", "http://api.example.com/v1/x", ["X-Beta: 1"], "method POST is none of GET"),
    ("GET", "http://x/v1/x", ["X-Beta: 1"], "host x is not api.example.com"),
    ("GET", "http://api.example.com/v2", ["X-Beta: 1"], "path /v2 is not below /v1/"),
    ("GET", "http://api.example.com/v1/%2e%2e/x", ["X-Beta: 1"], "path /x is not below /v1/"),
    ("GET", "http://api.example.com/v1/x", [], "field x-beta is not there"),
])
def test_why_a_route_does_not_match(ask, method, url, headers, mismatch):
    found = ask(method, url, *headers)
    assert found["routes"][0]["mismatch"] == mismatch
    assert (found["route"], found["backend"], found["chosen"]) == (None, "app", "a")


def test_who_was_left_out_and_why(ask):
    left_out = {server["name"]: server["left_out"] for server in ask("GET", "http://x/")["servers"]}
    assert left_out == {"a": "", "b": "mode is drain", "c": "a backup server, and others are usable"}
    found = ask("GET", "http://x/", health={"a": "down"})
    assert (found["chosen"], found["servers"][0]["left_out"]) == ("c", "health is down")


def test_no_server_at_all(ask):
    found = ask("GET", "http://x/", health={"a": "down", "c": "down"})
    assert (found["chosen"], found["why"]) == (None, "no server is usable: 503")


def test_what_is_changed_on_the_way_and_back(ask):
    found = ask("GET", "http://api.example.com/v1/x", "X-Beta: 1", "Connection: keep-alive, X-Hop", "X-Hop: 1")
    assert found["request_headers"]["removed"] == [
        "Host: api.example.com", "Connection: keep-alive, X-Hop", "X-Hop: 1"]
    assert {"X-Forwarded-For: 127.0.0.1", "Host: api.internal"} <= set(found["request_headers"]["added"])
    assert "X-Beta: 1" not in found["request_headers"]["added"]
    assert found["response_headers"] == {"removed": ["server", "x-served"], "added": ["X-Served: lbd"]}


def test_a_sticky_client(ask):
    first = ask("GET", "http://h:8082/")
    assert first["sticky"] == {"cookie": "LBD", "server": None}
    [cookie] = [line for line in first["response_headers"]["added"] if line.startswith("Set-Cookie: LBD=")]
    value = cookie.removeprefix("Set-Cookie: ").partition(";")[0]
    again = ask("GET", "http://h:8082/", f"Cookie: {value}; a=b")
    assert (again["sticky"]["server"], again["chosen"], again["why"]) == (
        first["chosen"], first["chosen"], "its cookie names this server")
    assert again["response_headers"]["added"] == []
    assert "Cookie: a=b" in again["sends"]


def test_timeouts_are_those_that_hold(ask):
    found = ask("GET", "http://h:8082/")["timeouts"]
    assert (found["client_idle"], found["connect"], found["queue"]) == (7.0, 1.0, 5.0)


def test_a_body_that_is_too_long(ask):
    found = ask("POST", "http://h:8082/", "Content-Length: 2000")
    assert found["refused"] == {"status": 413, "reason": "the body is longer than 1024 bytes"}


def test_what_lbd_answers_itself(ask):
    found = ask("GET", "http://x/old")
    assert found["answer"]["status"] == 302
    assert "Location: https://x/new" in found["answer"]["head"]


def test_a_client_that_may_not_connect(ask):
    assert ask("GET", "http://x/", client="192.0.2.7")["admitted"] is False


def test_a_head_that_is_refused(ask):
    found = ask("GET", "http://x/", "Host : y")
    assert found["refused"]["status"] == 400


@pytest.mark.parametrize(("url", "text"), [
    ("x", "is no URL"), ("ftp://x/", "is no URL"), ("http://x:99999/", "is no URL"), ("", "is no URL")])
def test_what_is_no_question(ask, url, text):
    with pytest.raises(LbdError, match=text):
        ask("GET", url)


def test_a_listener_that_there_is_not(ask):
    with pytest.raises(LbdError, match="no http listener is called 'x'"):
        ask("GET", "http://x/", listener="x")


def test_headers_cannot_smuggle_lines(ask):
    with pytest.raises(LbdError, match="one line"):
        ask("GET", "http://x/", "A: b\r\nC: d")


def test_nothing_is_counted(ask):
    ask("GET", "http://x/")
    for kind in (scoreboard.SERVER, scoreboard.ROUTE, scoreboard.BACKEND, scoreboard.LISTENER, scoreboard.PROCESS):
        assert not any(ask.board.totals(kind, 0))
