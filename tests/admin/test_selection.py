"""lbd.admin.selection: which servers are shown."""

import pytest

from lbd.admin.selection import FEW, MOST, Selection


def fleet(backends, servers):
    return {f"b{number}": [{"backend": f"b{number}", "name": f"s{place}", "address": f"10.0.{number}.{place}:80",
                            "health": "down" if place == 0 else "up", "mode": "ready"} for place in range(servers)]
            for number in range(backends)}


def counts(selection, groups):
    return {name: rows if rows is None else len(rows) for name, rows in selection.select(groups).items()}


def test_a_small_fleet_is_open_and_a_large_one_closed():
    assert counts(Selection(), fleet(2, FEW // 2)) == {"b0": FEW // 2, "b1": FEW // 2}
    assert counts(Selection(), fleet(2, FEW // 2 + 1)) == {"b0": None, "b1": None}


@pytest.mark.parametrize("servers", [3, FEW])
def test_what_was_asked_for_is_open(servers):
    assert counts(Selection(show=["b1", "gone"]), fleet(3, servers)) == {"b0": None, "b1": servers, "b2": None}
    assert counts(Selection(show=[""]), fleet(2, servers)) == {"b0": None, "b1": None}


def test_a_search_finds_in_all_backends_whatever_is_open():
    groups = fleet(3, 50)
    assert counts(Selection("DOWN", ["b1"]), groups) == {"b0": 1, "b1": 1, "b2": 1}
    assert counts(Selection("up 10.0.2.7:"), groups) == {"b2": 1}
    assert counts(Selection("nowhere"), groups) == {}
    assert counts(Selection("  ", ["b1"]), groups) == {"b0": None, "b1": 50, "b2": None}


def test_a_search_shows_no_more_than_a_browser_draws_at_once():
    found = Selection("s").select(fleet(5, MOST // 2))
    assert sum(len(rows) for rows in found.values()) == MOST
