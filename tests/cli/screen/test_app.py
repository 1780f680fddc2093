"""The table of `lbd top`: order, filter, steering, and what it does without an answer."""

import json

import pytest

from lbd.cli.screen.app import MAX_ROWS
from lbd.cli.screen.detail import DetailScreen
from lbd.cli.screen.server_table import SORTS, ServerTable


async def test_what_is_wrong_stands_first(driven):
    async with driven.run():
        assert driven.names() == ["b", "c", "a"]
        await driven.shows("lbd 1, pid 7, ready, generation 3", "1 of 3 servers usable · 15 req/s · 0.5 errors/s",
                           "down", "10.0 ms", "Detail", "Sort")


async def test_trouble_with_the_daemon_is_told(driven):
    driven.answer(degraded=["a.toml: x"])
    async with driven.run():
        await driven.shows("degraded: the last good version")


async def test_sorting_goes_through_the_columns_and_the_cursor_stays_with_its_server(driven):
    async with driven.run() as pilot:
        await pilot.press("down")
        assert driven.app.selected()["name"] == "c"
        await pilot.press("s")
        assert (SORTS[driven.app.sort], driven.names()) == ("in flight", ["c", "a", "b"])
        await pilot.press("s")
        assert (SORTS[driven.app.sort], driven.names()) == ("req/s", ["c", "a", "b"])
        driven.servers["a"]["requests_per_second"] = 7.5
        driven.answer()
        await driven.shows("7.5")
        driven.servers["a"]["requests_per_second"] = 100.0
        driven.answer()
        await driven.until(lambda: driven.names() == ["a", "c", "b"])
        assert driven.app.selected()["name"] == "c"


async def test_a_filter_leaves_what_it_says(driven):
    async with driven.run() as pilot:
        await pilot.press("slash", *"down", "enter")
        assert driven.names() == ["b"]
        await driven.shows("filter: down")
        await pilot.press("escape")
        assert len(driven.names()) == 3


@pytest.mark.parametrize(("key", "mode"), [("d", "drain"), ("m", "maint")])
async def test_a_server_is_changed_after_a_question(driven, key, mode):
    path = "/v1/backends/app/servers/b"
    driven.daemon.answers["PATCH", path] = 200, {"mode": mode}
    async with driven.run() as pilot:
        await pilot.press(key)
        await driven.shows(f"{mode} app/b?")
        await pilot.press("escape")
        assert not [seen for seen in driven.daemon.seen if seen[0] == "PATCH"]
        await pilot.press(key, *"why", "enter")
        await driven.until(lambda: [seen for seen in driven.daemon.seen if seen[0] == "PATCH"])
        [seen] = [seen for seen in driven.daemon.seen if seen[0] == "PATCH"]
        assert (seen[1], json.loads(seen[3])) == (path, {"mode": mode, "reason": "why"})


async def test_a_refused_change_says_why(driven):
    driven.daemon.answers["PATCH", "/v1/backends/app/servers/b"] = 409, {"detail": "there are too many [of] them"}
    async with driven.run() as pilot:
        await pilot.press("d", "enter")
        await driven.shows("too many [of] them")


async def test_a_daemon_that_stops_answering_leaves_the_last_figures(driven):
    async with driven.run():
        driven.daemon.answers["GET", "/v1/status?history=true"] = 503, {"detail": "lbd is still starting"}
        await driven.shows("lbd is still starting")
        assert driven.names() == ["b", "c", "a"]
        driven.answer()
        await driven.until(lambda: "lbd is still starting" not in driven.text())


async def test_columns_come_and_go_with_the_width(driven):
    async with driven.run() as pilot:
        assert "address" not in driven.text()
        await pilot.resize_terminal(150, 30)
        await driven.shows("127.0.0.1:9001")
        await pilot.resize_terminal(60, 10)
        await driven.until(lambda: "127.0.0.1:9001" not in driven.text())
        assert driven.app.query_one(ServerTable).row_count == 3


async def test_control_characters_do_not_reach_the_terminal(driven):
    driven.servers["b"]["reason"] = "\x1b]0;owned\x07[red]x"
    async with driven.run((200, 24)):
        await driven.shows("[red]x")
        assert "\x1b" not in driven.text()


async def test_enter_looks_into_a_server_and_q_leaves(driven):
    async with driven.run() as pilot:
        await pilot.press("enter")
        await driven.until(lambda: isinstance(driven.app.screen, DetailScreen))
        await pilot.press("q")
        await driven.until(lambda: not driven.app.is_running)
    assert driven.app.return_code == 0


async def test_of_a_large_fleet_the_first_are_drawn_and_a_filter_finds_the_others(driven):
    driven.servers.update({f"s{number:03}": dict(driven.servers["a"]) for number in range(MAX_ROWS)})
    driven.answer()
    async with driven.run((120, 24)) as pilot:
        assert (len(driven.names()), driven.names()[0]) == (MAX_ROWS, "b")
        await driven.shows("3 more, / finds them")
        await pilot.press("slash", *"s199", "enter")
        await driven.until(lambda: driven.names() == ["s199"])
        await driven.until(lambda: "more, /" not in driven.text())
