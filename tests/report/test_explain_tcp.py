"""lbd.report.explain_tcp: where connections in tcp mode go, and why."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from lbd.balance import ALGORITHMS
from lbd.cli.commands.explain import fresh
from lbd.config.reader import read_file
from lbd.errors import LbdError
from lbd.exchange.streams import Peer
from lbd.report.explain import Question, explain
from lbd.report.explain_tcp import hello
from lbd.report.explained_choice import ExplainedRequest
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board, Record

CONFIG = """
[global]
trusted_proxies = ["10.0.0.0/8"]
[listeners.web]
bind = "127.0.0.1:8080"
backend = "db"
[listeners.plain]
bind = "127.0.0.1:5432"
mode = "tcp"
backend = "db"
deny = ["192.0.2.0/24"]
proxy_protocol = true
[listeners.names]
bind = "127.0.0.1:8443"
mode = "tcp"
[[listeners.names.routes]]
sni = "*.example.com"
alpn = ["h2"]
backend = "mail"
[[listeners.names.routes]]
sni = "db.example.com"
backend = "db"
[backends.db]
algorithm = "source-ip-hash"
servers = { one = "127.0.0.1:9001", two = "127.0.0.1:9002", three = { address = "127.0.0.1:9003", mode = "drain" } }
[backends.mail]
sticky = {}
servers = { four = "127.0.0.1:9004" }
"""


@pytest.fixture
def ask(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text(CONFIG)
    generation, board = fresh(read_file(str(file), ALGORITHMS, {}).config), Board.create(1)
    return lambda url, client="127.0.0.1", listener="": explain(
        Question("GET", url, (), client, listener), generation, board, 0)


def test_the_listener_by_its_port_and_the_server_by_the_address(ask):
    found = ask("tcp://h:5432", "10.1.2.3")
    assert (found["listener"], found["backend"], found["introduced"]) == ("plain", "db", True)
    assert found["chosen"] in ("one", "two")
    assert {ask("tcp://h:5432", "10.1.2.3")["chosen"] for _ in range(5)} == {found["chosen"]}
    assert {ask("tcp://h:5432", f"10.1.2.{number}")["chosen"] for number in range(20)} == {"one", "two"}
    assert [row["left_out"] for row in found["servers"] if row["name"] == "three"] == ["mode is drain"]
    assert "sends" not in found


def test_addresses_that_may_not_connect(ask):
    assert ask("tcp://h:5432", "192.0.2.7")["admitted"] is False


def test_routes_by_name_and_protocol_with_what_does_not_match(ask):
    found = ask("tls://DB.example.com:8443?alpn=http/1.1")
    assert (found["listener"], found["route"], found["backend"]) == ("names", 1, "db")
    assert found["routes"][0]["mismatch"] == "protocols http/1.1: none of h2"
    assert ask("tls://db.example.com:8443?alpn=h2")["backend"] == "mail"
    other = ask("tls://other.org:8443")
    assert [route["mismatch"] for route in other["routes"]] == [
        "name other.org is not *.example.com; protocols none: none of h2", "name other.org is not db.example.com"]
    assert other["refused"]["reason"].startswith("no route takes it")
    assert "begin with TLS" in ask("tcp://h:8443")["routes"][0]["mismatch"]


def test_an_address_that_has_no_server_yet(ask):
    found = ask("tls://mail.example.com:8443?alpn=h2", "10.9.9.9")
    assert found["sticky"] == {"source": "10.9.9.9", "server": None}
    assert found["chosen"] == "four"


@pytest.mark.parametrize(("url", "listener"), [("tcp://h:1", "web"), ("http://h:1", "plain"), ("tcp:///", "")])
def test_questions_that_mean_nothing(ask, url, listener):
    with pytest.raises(LbdError):
        ask(url, listener=listener)


def test_what_is_known_of_a_caller():
    nothing: Any = None
    peer = Peer(nothing)
    peer.address = b"10.0.0.1"
    caller = ExplainedRequest(peer, Record(Board.create(1).row(0, scoreboard.PROCESS, 0)), nothing, None)
    assert (caller.source, caller.method, caller.field(b"host")) == (b"10.0.0.1", b"", b"")
    assert hello(urlsplit("tls://A.b?alpn=h2,x")) == ("a.b", (b"h2", b"x"))
