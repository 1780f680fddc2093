"""The columns: what people see of a status, and what becomes of one that lacks something."""

import pytest

from lbd.admin import columns
from lbd.admin.columns import milliseconds, rate, span

STATUS = {
    "generation": 3, "time": "2026-01-01T00:05:30Z", "version": "1", "pid": 7, "state": "ready", "uptime_seconds": 61,
    "worker_restarts": 2,
    "backends": {"app": {"servers": {"a": {"health": "down", "since": "2026-01-01T00:00:00Z", "backup": True},
                                     "b": {"health": "up"}}}},
}


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (3600, "1 h 0 min"), (90061, "1 d 1 h"), (-1, "0 s"), (None, None)])
def test_span(seconds, text):
    assert span(seconds) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.04, "0.0"), (9.94, "9.9"), (10, "10"), (3400.4, "3400"),
                                             (None, None)])
def test_rate(value, text):
    assert rate(value) == text


def test_milliseconds():
    assert (milliseconds(0.01234), milliseconds(None)) == ("12.3 ms", None)


def test_servers_know_how_long_they_are_as_they_are():
    a, b = columns.servers(STATUS)
    assert (a["backend"], a["name"], a["age"], b["age"]) == ("app", "a", 330.0, None)
    shown = {column.title: column.show(a) for column in columns.SERVERS}
    assert (shown["server"], shown["for"], shown["latency"]) == ("a (backup)", "5 min 30 s", None)


def test_headline():
    assert columns.headline(STATUS) == ["lbd 1", "pid 7", "ready", "generation 3", "up 1 min 1 s", "2 worker restarts"]


@pytest.mark.parametrize(("more", "found"), [
    ({}, []),
    ({"degraded": ["a.toml:1:1: x"]}, [("degraded: the last good version of these files stays in force",
                                        ["a.toml:1:1: x"])]),
    ({"last_reload": {"success": False, "time": "noon", "error": "one\ntwo"}},
     [("the reload of noon was refused; generation 3 serves on:", ["one", "two"])]),
    ({"last_reload": {"success": True, "confirm_within_seconds": 12.4}},
     [("generation 3 waits to be confirmed: without `lbd confirm` lbd goes back in 12 s", [])])])
def test_troubles(more, found):
    assert list(columns.troubles({**STATUS, **more})) == found


@pytest.mark.parametrize(("row", "text"), [
    ({}, ""),
    ({"mode": "drain", "override": {"mode": "drain", "who": "uid 0", "reason": "new disk", "until": None}},
     "by uid 0: new disk"),
    ({"mode": "ready", "override": {"weight": 5, "max_conns": 7, "who": "me", "until": "2026-01-01T00:00:00Z"}},
     "weight 5, max_conns 7 by me until 2026-01-01T00:00:00Z"),
    ({"registration": {"expires_in_seconds": 9.5, "leaving": False}}, "registered, 9 s left"),
    ({"registration": {"expires_in_seconds": 0.0, "leaving": True}}, "registered, leaving"),
    ({"host": "x.test", "addresses": ["10.0.0.1"], "lookup_failure": ""}, ""),
    ({"host": "x.test", "addresses": [], "lookup_failure": "no such name"}, ""),
    ({"host": "x.test", "addresses": ["::1", "10.0.0.1"], "lookup_failure": "no such name"},
     "one of 2 addresses of x.test; x.test keeps its last answer: no such name")])
def test_note(row, text):
    assert columns.note(row) == text


def test_who_ails():
    assert columns.ailing(STATUS) == []      # nobody says that it is wanted
    status = {**STATUS, "backends": {"app": {"servers": {
        "a": {"health": "down", "mode": "ready", "since": "2026-01-01T00:00:00Z", "reason": "GET /: 503"},
        "b": {"health": "down", "mode": "maint"}, "c": {"health": "up", "mode": "ready"}}}}}
    assert columns.ailing(status) == ["app/a down for 5 min 30 s: GET /: 503"]


@pytest.mark.parametrize(("value", "text"), [
    ({"web": ["127.0.0.1:80", "[::]:80"], "api": []}, "web: 127.0.0.1:80 [::]:80; api: none"), (["a"], "a"), (3, "3")])
def test_facts_of_events_are_written_plainly(value, text):
    assert columns.written(value) == text
