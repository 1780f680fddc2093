"""`lbd explain`, by a file and by a daemon."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from lbd.cli.command_line import main

CONFIG = """
[listeners.web]
bind = "127.0.0.1:8080"
backend = "app"
[[listeners.web.routes]]
path = "/old"
redirect = { to = "https://{host}/new" }
[backends.app.servers]
a = "127.0.0.1:9001"
b = { address = "127.0.0.1:9002", mode = "drain" }
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "lbd.toml"
    path.write_text(CONFIG)
    return str(path)


def test_by_a_file(file, capsys):
    assert main(["explain", "GET", "http://x/y", "-c", file, "-H", "A: b", "--from", "10.0.0.1"]) == 0
    out = capsys.readouterr().out
    for text in ("listener web", "route 0: path /y is not /old", "mode is drain",
                 "server a: weighted-round-robin picks", "+ X-Forwarded-For: 10.0.0.1", "share of the requests",
                 "to the server: GET /y HTTP/1.1", "client 10.0.0.1", "connect 5 s"):
        assert text in out


def test_what_lbd_answers(file, capsys):
    assert main(["explain", "GET", "http://x/old", "-c", file]) == 0
    assert "lbd answers itself: 302" in capsys.readouterr().out


def test_a_refused_head_is_no_success(file, capsys):
    assert main(["explain", "GET", "http://x/", "-c", file, "-H", "Host : y"]) == 1
    assert "refused with 400" in capsys.readouterr().out


def test_as_json(file, capsys):
    assert main(["explain", "GET", "http://x/", "-c", file, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["chosen"] == "a"


def test_a_daemon_is_asked(fake_daemon, capsys):
    assert main(["explain", "PUT", "http://x/", "-H", "A: b", "-H", "C: d", "--admin", fake_daemon.bind]) == 1
    parts = urlsplit(fake_daemon.seen[0][1])
    assert parts.path == "/v1/explain"
    assert parse_qsl(parts.query) == [("method", "PUT"), ("url", "http://x/"), ("from", "127.0.0.1"),
                                      ("header", "A: b"), ("header", "C: d")]
    assert "not explained by" in capsys.readouterr().err


def test_a_live_request_is_one_of_a_daemon(file, capsys):
    assert main(["explain", "GET", "http://x/", "-c", file, "--live"]) == 2
    assert "--live asks the daemon" in capsys.readouterr().err


def test_a_connection_in_tcp_mode(tmp_path, capsys):
    (tmp_path / "tcp.toml").write_text('''
[listeners.db]
bind = "127.0.0.1:5432"
mode = "tcp"
backend = "db"
deny = ["192.0.2.0/24"]
[[listeners.db.routes]]
sni = "mail.example.com"
backend = "mail"
[listeners.mail]
bind = "127.0.0.1:25"
mode = "tcp"
[[listeners.mail.routes]]
sni = "mail.example.com"
backend = "mail"
[backends.db]
sticky = {}
servers = { one = "127.0.0.1:9001" }
[backends.mail.servers]
two = "127.0.0.1:9002"
''')
    words = ["--from", "192.0.2.7", "-c", str(tmp_path / "tcp.toml")]
    assert main(["explain", "tls://x.example.com:5432", *words]) == 0
    out = capsys.readouterr().out
    for part in ("listener db", "closes connections from this address", "name x.example.com is not mail.example.com",
                 "backend db", "source 192.0.2.7: it has no server", "server one"):
        assert part in out, part
    assert "to the server:" not in out
    assert main(["explain", "tcp://x:25", *words]) == 1
    assert "refused: no route takes it" in capsys.readouterr().out
    assert main(["explain", "tcp://x:25", "--live"]) == 2
