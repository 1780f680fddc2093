"""Which part of the metrics a scrape wants."""

import pytest

from lbd.stats.exporter import Exporter
from lbd.stats.scope import Scope, part
from lbd.stats.scoreboard import Board
from lbd.stats.view import ServerView, View

VIEW = View(generation=1, servers=(ServerView("app", "a", 0), ServerView("app", "b", 1, "maint", False)),
            listeners={"web": 0}, backends={"app": 0}, routes={("web", "app"): 0}, build={"version": "1"})


def parts(board: Board, query: dict[str, str]) -> set[str]:
    scope = Scope(query)
    return {part(metric) for metric in scope.wanted(Exporter(scope.seen(VIEW), board).collect()) if metric.samples}


def test_everything_unless_asked_otherwise(board):
    assert parts(board, {}) == {"global", "frontend", "backend", "server"}


@pytest.mark.parametrize("wanted", ["global", "frontend", "backend", "server", "backend,server"])
def test_only_what_is_asked_for(board, wanted):
    assert parts(board, {"scope": wanted}) == set(wanted.split(","))


def test_servers_in_maintenance_can_be_left_out():
    assert [server.name for server in Scope({"no-maint": ""}).seen(VIEW).servers] == ["a"]
    assert len(Scope({}).seen(VIEW).servers) == 2


@pytest.mark.parametrize(("query", "text"), [
    ({"scope": "servers"}, "scope is global"), ({"compat": "nginx"}, "compat is")])
def test_what_means_nothing_is_refused(query, text):
    with pytest.raises(ValueError, match=text):
        Scope(query)
