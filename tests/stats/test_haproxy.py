"""HAProxy's names for the same figures."""

import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lbd.stats import fields
from lbd.stats.scoreboard import LISTENER, Board
from lbd.stats.scrape import scrape
from lbd.stats.view import ServerView, View

VIEW = View(generation=1, servers=(ServerView("app", "a", 3, weight=5.0, check_seconds=0.25, checks={"failed": 2}),
                                   ServerView("app", "b", 9, "down", False)),
            listeners={"web": 1}, backends={"app": 0}, routes={("web", "app"): 0}, build={"version": "1"})
QUERY = {"compat": "haproxy"}


@pytest.fixture
def text(board: Board, lane_of) -> str:
    for number in (0, 1):
        lane = lane_of(number)
        lane.answer(3, 100.0, 0.02)
        lane.take(3, 100.0)
        board.row(number, LISTENER, 1).set(fields.LISTENER_CONNECTIONS, 11)
    return scrape(VIEW, board, "", QUERY, 10**6)[0].decode()


def test_the_names_that_dashboards_ask_for(text):
    found = {(sample.name, frozenset(sample.labels.items())): sample.value
             for family in text_string_to_metric_families(text) for sample in family.samples}

    def value(name, **labels):
        return found.get((name, frozenset(labels.items())))

    a, b = {"proxy": "app", "server": "a"}, {"proxy": "app", "server": "b"}
    assert value("haproxy_server_status", **a, state="UP") == 1
    assert value("haproxy_server_status", **b, state="UP") == 0
    assert value("haproxy_server_status", **b, state="DOWN") == 1
    assert value("haproxy_server_current_sessions", **a) == 2
    assert value("haproxy_server_http_responses_total", **a, code="2xx") == 2
    assert value("haproxy_server_weight", **a) == 5
    assert value("haproxy_server_check_failures_total", **a) == 2
    assert value("haproxy_server_check_duration_seconds", **b) is None
    assert value("haproxy_backend_active_servers", proxy="app") == 1
    assert value("haproxy_backend_status", proxy="app", state="UP") == 1
    assert value("haproxy_backend_http_requests_total", proxy="app") == 2
    assert value("haproxy_frontend_current_sessions", proxy="web") == 22
    assert value("haproxy_frontend_http_responses_total", proxy="web", code="2xx") == 2


def test_promtool_finds_nothing_to_complain_of(text):
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run([promtool, "check", "metrics"], input=text.encode(), capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
