"""The status as a page."""

import re

import pytest

from lbd.admin import app
from lbd.admin.start_page import page

STATUS = {
    "version": "1", "pid": 7, "state": "ready", "generation": 3, "started": "now", "worker_restarts": 1,
    "last_reload": {"success": False, "time": "noon", "error": "no <such> key"},
    "backends": {"app": {"algorithm": "random", "servers": {
        "a": {"address": "127.0.0.1:1", "health": "down", "mode": "ready", "weight": 1, "in_flight": 2, "requests": 3,
              "codes": {"5xx": 4}, "latency_seconds": 0.0123, "reason": "<script>alert(1)</script>", "backup": True}}}},
    "listeners": {"web": {"mode": "http", "bind": ["127.0.0.1:80"], "connections": 5, "accepted": 6}},
    "workers": [{"slot": 0, "pid": 8, "state": "serving", "generation": 3, "connections": 5, "requests": 6}],
}
EVENTS = [{"number": 1, "timestamp": "2026-11-22T17:12:35Z", "level": "warning", "event": "server down", "reason": "x"}]


def test_everything_is_in_the_page_itself():
    text = re.sub("<[^>]+>", " ", page(STATUS, EVENTS))
    for part in ("a (backup)", "down", "12.3 ms", "127.0.0.1:80", "serving", "server down", "1 worker restart<"[:-1],
                 "no &lt;such&gt; key"):
        assert part in text


def test_nothing_that_a_server_says_is_markup():
    assert "<script>alert" not in page(STATUS, EVENTS)


def test_a_daemon_that_has_nothing_yet():
    assert "<main>" in page({"generation": 0}, [])


async def test_it_is_served_with_its_files_and_a_policy(daemon, ask):
    made = app.admin(daemon, None)
    status, headers, text = await ask(made, "GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    for link in re.findall(r'(?:href|src)="([^"]+)"', text):
        assert (await ask(app.admin(daemon, None), "GET", f"/{link}"))[0] == 200


@pytest.mark.parametrize("name", ["other.css", "..%2f..%2fapp.py", "..%2fstyle.css"])
async def test_no_other_file_is_served(daemon, ask, name):
    assert (await ask(app.admin(daemon, None), "GET", f"/page/{name}"))[0] in (400, 404)


async def test_it_is_not_where_prometheus_scrapes(daemon, ask):
    assert (await ask(app.metrics(daemon), "GET", "/"))[0] == 404
