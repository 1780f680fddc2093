"""lbd.config.effective: what is written can be read again and means the same."""

from pathlib import Path

import pytest
import tomli_w

from lbd.balance import ALGORITHMS
from lbd.config.effective import masked, tables
from lbd.config.reader import read_file
from lbd.health import CHECKS

ROOT = Path(__file__).parents[2]
KNOWN = ALGORITHMS, CHECKS

MANY = """
[global]
workers = 3
drain_timeout = "1500ms"
trusted_proxies = ["10.0.0.0/8", "::1/128"]
[timeouts]
server = "7s"
[health.web]
type = "http"
path = "/up"
expect_status = [200, "300-399"]
[listeners.web]
bind = ["127.0.0.1:80", "unix:/tmp/x.sock"]
backend = "app"
max_head = "16KiB"
max_body = "10MB"
[listeners.web.timeouts]
server = "9s"
[[listeners.web.routes]]
host = "*.example.com"
method = ["GET", "POST"]
header = { X-A = "1" }
redirect = { to = "https://{host}{path}" }
[[listeners.web.routes]]
path_regex = "/a+"
backend = "app"
[backends.app]
health = "web"
sticky = { cookie = "S", max_age = "8h" }
response_headers = { set = { X-B = "2" }, remove = ["Server"] }
[backends.app.servers]
a = "10.0.0.1:80"
b = { address = "[::1]:81", weight = 0, backup = true, mode = "drain" }
c = "host.example:82"
[backends.other]
health = { type = "tcp", interval = "1s" }
servers = { a = "unix:/tmp/y.sock" }
[errors]
503 = "busy.html"
"""


@pytest.mark.parametrize("source", ["conf/lbd.toml", "conf/demo.toml", "conf/minimal.toml", MANY])
def test_it_reads_back(tmp_path, source):
    file = ROOT / source
    if source is MANY:
        file = tmp_path / "first.toml"
        file.write_text(MANY)
        (tmp_path / "busy.html").write_text("busy")
    config = read_file(str(file), *KNOWN).config
    again = tmp_path / "again.toml"
    again.write_text(tomli_w.dumps(tables(config)))
    assert read_file(str(again), *KNOWN).config == config


def test_secrets_are_masked():
    data = {"token_file": "/t", "set": {"X-Token": "abc", "Authorization": "b"}, "list": [{"password": "x"}]}
    assert masked("", data) == {"token_file": "/t", "set": {"X-Token": "(hidden)", "Authorization": "(hidden)"},
                                "list": [{"password": "(hidden)"}]}
