"""`lbd events`."""

import json

import pytest

from lbd.cli.command_line import main
from lbd.cli.commands.events import line

EVENTS = {"events": [
    {"number": 1, "timestamp": "2026-11-22T17:12:35.123Z", "level": "info", "event": "ready", "workers": 2,
     "requests": None},
    {"number": 2, "timestamp": "2026-11-22T17:12:36.123Z", "level": "warning", "event": "server down",
     "reason": "connect: \x1b[31mrefused"}], "last": 2}


def test_one_line_each_in_order_and_nothing_that_a_terminal_obeys(fake_daemon, capsys):
    fake_daemon.answers["GET", "/v1/events?since=0"] = (200, EVENTS)
    assert main(["events", "--admin", fake_daemon.bind]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "2026-11-22 17:12:35  ready  workers=2"
    assert second.startswith("2026-11-22 17:12:36  server down  reason=connect: ")
    assert "\x1b" not in second


def test_lists_and_tables_are_written_for_people_and_what_is_empty_is_left_out():
    event = {"timestamp": "2026-11-22T17:12:35.123Z", "event": "ready", "admin": ["unix:/a", "127.0.0.1:1"], "days": 0,
             "listeners": {"web": ["127.0.0.1:80", "[::1]:80"], "db": []}, "reason": "", "tags": []}
    assert line(event).plain == ("2026-11-22 17:12:35  ready  admin=unix:/a, 127.0.0.1:1  days=0  "
                                 "listeners=web: 127.0.0.1:80, [::1]:80; db: ")


def test_as_json(fake_daemon, capsys):
    fake_daemon.answers["GET", "/v1/events?since=0"] = (200, EVENTS)
    assert main(["events", "--admin", fake_daemon.bind, "--json"]) == 0
    assert [json.loads(line)["number"] for line in capsys.readouterr().out.splitlines()] == [1, 2]


def test_following_asks_from_the_last_one_on(fake_daemon, capsys):
    fake_daemon.answers["GET", "/v1/events?since=0"] = (200, EVENTS)
    assert main(["events", "--admin", fake_daemon.bind, "--follow"]) == 1
    assert [path for _, path, *_ in fake_daemon.seen] == ["/v1/events?since=0", "/v1/events?since=2&wait=30s"]
    assert "no events" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [(404, {"detail": "no such page"}), (200, [])])
def test_a_daemon_that_has_none(fake_daemon, capsys, answer):
    fake_daemon.answers["GET", "/v1/events?since=0"] = answer
    assert main(["events", "--admin", fake_daemon.bind]) == 1
    assert "no events from" in capsys.readouterr().err
