"""lbd.cli.screen.server_table: the order of the rows."""

import pytest

from lbd.cli.screen.server_table import ordered, severity

ROWS = [{"backend": "app", "name": "a", "health": "up", "mode": "ready", "in_flight": 1},
        {"backend": "app", "name": "b", "health": "down", "mode": "ready", "in_flight": 0},
        {"backend": "app", "name": "c", "health": "down", "mode": "maint", "in_flight": 7},
        {"backend": "api", "name": "d", "health": "up", "mode": "ready", "in_flight": 7}]


@pytest.mark.parametrize(("by", "names"), [
    ("trouble", "bcda"), ("in flight", "dcab"), ("server", "abcd"), ("health", "bcda"), ("latency", "dabc")])
def test_orders(by, names):
    assert "".join(row["name"] for row in ordered(ROWS, by)) == names


def test_severity():
    assert [severity(row) for row in ROWS] == [2, 0, 1, 2]
