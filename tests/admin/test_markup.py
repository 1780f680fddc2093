"""The status as HTML."""

import re
from html.parser import HTMLParser

import pytest

from lbd.admin import markup
from lbd.admin.markup import login_page
from lbd.admin.selection import Selection

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


def fleet(servers):
    rows = {f"s{number}": {"address": f"10.0.0.{number}:80", "health": "up", "mode": "ready", "weight": 1}
            for number in range(servers)}
    rows["s7"]["health"] = "down"
    return {**STATUS, "backends": {"app": {"algorithm": "random", "servers": rows}, "o'<": {"servers": {}}}}


def status_page(*facts):
    """The page in one piece."""
    return "".join(markup.status_page(*facts))


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
    assert Tags(login_page()).open == []


def test_nothing_that_a_server_says_is_markup():
    page = status_page(STATUS, EVENTS, True)
    assert "<script>alert" not in page
    assert [attributes for tag, attributes in Tags(page).found if tag == "script"] == [
        {"src": "page/live.js", "defer": None}]


def evil(facts):
    """The same facts with markup in each name and text; words of state stay, as they choose what is shown."""
    if isinstance(facts, dict):
        named = {"backends", "servers", "listeners"}
        return {name: {f"{EVIL}{key}": evil(value) for key, value in part.items()} if name in named else evil(part)
                for name, part in facts.items()}
    if isinstance(facts, list):
        return [evil(part) for part in facts]
    return f"{EVIL}{facts}" if isinstance(facts, str) and facts not in ("down", "up", "ready", "drain") else facts


@pytest.mark.parametrize("selection", [Selection(), Selection(EVIL), Selection(show=["none"])])
def test_no_name_and_no_reason_is_markup(selection):
    change = {"generation": 4, "time": "noon", "plan": "2 servers added", "changes": ["a added"], "more": 3}
    more = {"last_change": change, "unkept": "disk full", "degraded": ["a file"]}
    servers = {f"s{number}": {"health": "down", "mode": "ready", "reason": "no answer"} for number in range(9)}
    backends = {**STATUS["backends"], "many": {"algorithm": "random", "servers": servers}}
    facts = {**STATUS, **more, "backends": backends}
    page = status_page(evil(facts), evil(EVENTS), True, selection)
    assert Tags(page).open == []
    plain = "".join(status_page(facts, EVENTS, True, chosen) for chosen in (Selection(), Selection("app"), selection))
    allowed = {(tag, *attributes) for tag, attributes in Tags(plain).found}
    found = Tags(page).found
    assert {tag for tag, _ in found} <= {tag for tag, *_ in allowed}
    assert [attributes for tag, attributes in found if tag == "script"] == [{"src": "page/live.js", "defer": None}]
    assert {(tag, *attributes) for tag, attributes in found} <= allowed
    if not selection.find:
        assert any(attributes.get("data-backend") == f"{EVIL}app" for _, attributes in found)


def test_what_is_unknown_is_a_dash():
    page = status_page({"generation": 1, "backends": {"app": {"servers": {"a": {"health": "up"}}}},
                        "last_reload": {"success": False}}, [], True)
    assert "None" not in words(page).replace("None, 0 of 1 usable", "")
    assert 'data-in-flight="-"' in page
    assert "<p>-: refused</p>" in page


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
    for text in (login_page(), status_page(STATUS, EVENTS, True)):
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


def test_a_large_fleet_is_closed_until_it_is_asked_for():
    closed = status_page(fleet(150), EVENTS, True)
    assert "s99" not in closed
    assert "149 of 150 usable" in closed
    assert "1 not up" in closed
    assert Tags(closed).open == []
    assert ("a", {"href": "?show=app"}) in Tags(closed).found
    opened = status_page(fleet(150), EVENTS, True, Selection(show=["app"]))
    assert 'id="server-app/s99"' in opened
    assert Tags(opened).open == []


def test_what_is_searched_for_is_shown_and_stays_in_its_field():
    page = status_page(fleet(150), EVENTS, True, Selection('down "<'))
    assert ("input", 'down "<') in [(tag, attributes.get("value")) for tag, attributes in Tags(page).found]
    assert "no servers found" in page
    page = status_page(fleet(150), EVENTS, True, Selection("down"))
    assert "1 server found" in page
    assert ('id="server-app/s7"' in page, 'id="server-app/s8"' in page) == (True, False)
    assert "find" not in [attributes.get("id") for _, attributes in Tags(status_page(STATUS, EVENTS, True)).found]


def test_what_the_last_generation_changed_is_listed():
    change = {"generation": 4, "time": "noon", "plan": "2 servers added", "changes": ["a added <x>", "b added"],
              "more": 3}
    page = status_page({**STATUS, "last_change": change}, EVENTS, False)
    assert "Generation 4, since noon: 2 servers added" in page
    assert "<li>a added &lt;x&gt;</li><li>b added</li><li>and 3 more</li>" in page
    assert Tags(page).open == []
