"""The status as HTML."""

import re
from html.parser import HTMLParser

import pytest

from lbd.admin.markup import LOGIN, document, status_page

EVIL = '<script>alert(1)</script>"\'&'
STATUS = {
    "version": "1", "pid": 7, "state": "ready", "generation": 3, "time": "2026-01-01T00:05:30Z", "uptime_seconds": 61,
    "worker_restarts": 1,
    "last_reload": {"success": False, "time": "noon", "error": "no <such> key", "plan": ""},
    "backends": {"app": {"algorithm": "random", "requests_per_second": 12.0, "errors_per_second": 0.5,
                         "requests_waiting": 3, "servers": {
        "a": {"address": "127.0.0.1:1", "health": "down", "mode": "ready", "weight": 1, "in_flight": 2, "requests": 3,
              "codes": {"5xx": 4}, "latency_seconds": 0.0123, "reason": EVIL, "backup": True,
              "since": "2026-01-01T00:00:00Z", "checked": "2026-01-01T00:05:30Z",
              "history": {"latency_seconds": [0.01, 0.02], "errors_per_second": [0.0, 1.0]}},
        "b": {"address": "127.0.0.1:2", "health": "up", "mode": "drain", "weight": 1, "in_flight": 2,
              "override": {"mode": "drain", "who": "uid 0", "reason": "disk <full>", "until": None}}}}},
    "listeners": {"web": {"mode": "http", "bind": ["127.0.0.1:80"], "connections": 5, "accepted": 6}},
    "workers": [{"slot": 0, "pid": 8, "state": "serving", "generation": 3, "connections": 5, "requests": 6}],
    "draining": [{"backend": "old", "name": "x", "address": "127.0.0.1:3", "in_flight": 9}],
}
EVENTS = [{"number": 1, "timestamp": "2026-11-22T17:12:35Z", "level": "warning", "event": "server down", "reason": "x"}]


class Tags(HTMLParser):
    """Checks that what is opened is closed, and keeps all start tags."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def words(text):
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", text))


def test_everything_is_in_the_page_itself():
    text = words(status_page(STATUS, EVENTS, False))
    for part in ("a (backup)", "app/a down for 5 min 30 s", "12.3 ms", "127.0.0.1:80", "serving", "server down",
                 "1 worker restart", "no &lt;such&gt; key", "random, 0 of 2 usable, 12 req/s, 0.5 errors/s, 3 waiting",
                 "by uid 0: disk &lt;full&gt;", "old/x", "0 s ago", "noon: refused"):
        assert part in text, part
    assert "<title>1 not up - lbd</title>" in status_page(STATUS, EVENTS, False)


@pytest.mark.parametrize("operates", [True, False])
def test_it_is_well_formed(operates):
    assert Tags(status_page(STATUS, EVENTS, operates)).open == []
    assert Tags(document("lbd", LOGIN)).open == []


def test_nothing_that_a_server_says_is_markup():
    page = status_page(STATUS, EVENTS, True)
    assert "<script>alert" not in page
    assert [attributes for tag, attributes in Tags(page).found if tag == "script"] == [
        {"src": "page/live.js", "defer": None}]


def test_nothing_that_the_policy_forbids_is_used():
    for tag, attributes in Tags(status_page(STATUS, EVENTS, True)).found:
        assert tag != "style"
        assert not [name for name in attributes if name == "style" or name.startswith("on")], (tag, attributes)


def test_buttons_are_for_who_may_change_something():
    assert "data-do" not in status_page(STATUS, EVENTS, False)
    found = Tags(status_page(STATUS, EVENTS, True)).found
    buttons = [attributes for _, attributes in found if "data-do" in attributes]
    assert [(button["data-do"], button["data-target"]) for button in buttons] == [
        ("drain", "app/a"), ("maint", "app/a"), ("weight", "app/a"),
        ("ready", "app/b"), ("maint", "app/b"), ("weight", "app/b")]
    assert buttons[0]["aria-label"] == "Drain app/a"


def test_no_field_can_send_what_is_typed():
    for text in (document("lbd", LOGIN), status_page(STATUS, EVENTS, True)):
        assert not [tag for tag, attributes in Tags(text).found if tag in ("input", "button") and "name" in attributes]


def test_a_daemon_that_has_nothing_yet():
    text = status_page({"generation": 0}, [], False)
    assert Tags(text).open == []
    assert "What is wrong" not in text


def test_no_more_than_a_dozen_are_named_at_the_top():
    servers = {f"s{number}": {"health": "down", "mode": "ready"} for number in range(20)}
    text = status_page({"generation": 1, "backends": {"app": {"servers": servers}}}, [], False)
    assert "and 8 more" in text
    assert text.count("<li>") == 13
