"""Tests of lbd.stats.exporter: what a scrape shows, and what it must not."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from lbd.stats import endings, fields, scoreboard
from lbd.stats.exporter import Exporter, exposition
from lbd.stats.scoreboard import BACKEND, LISTENER, PROCESS, SERVER, Board
from lbd.stats.view import ProcessView, ServerView, View

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]

VIEW = View(
    generation=3,
    daemon={"lbd_workers": 2, "lbd_draining_requests": 4, "lbd_supervisor_tasks": 9, "lbd_names_unresolved": 2,
            "lbd_name_lookups": {("failed",): 7}, "lbd_config_last_reload_success": False,
            "lbd_config_last_reload_timestamp_seconds": 1.7e9, "lbd_config_reloads": {("refused",): 6},
            "lbd_worker_restarts": {("0",): 0, ("1",): 1}},
    processes=(ProcessView("supervisor", None, 30, 2 << 20, 1.5), ProcessView("1", 2, 12, 1 << 20, 9.25)),
    servers=(ServerView("app", "a", 3, weight=5.0, check_seconds=0.25, checks={"passed": 8, "failed": 2}),
             ServerView("app", "b", 9, "maint", False)),
    listeners={"web": 1}, backends={"app": 0}, routes={("web", "app"): 0, ("web", ""): 7},
    build={"version": "0.1.0", "python": "3.11.7"},
)


def samples(text: bytes) -> Samples:
    return {(sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text.decode()) for sample in family.samples}


def value(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


@pytest.fixture
def found(board: Board, lane_of: Callable[[int], Any]) -> Samples:
    for number in (0, 2):
        lane = lane_of(number)
        lane.answer(3, 100.0, 0.02)
        lane.answer(3, 100.0, 0.04, 404)
        lane.fail(9, 100.0, 3.0)
        lane.take(3, 100.0)
        lane.backend.add(fields.BACKEND_RETRIES_LOST, 2)
        lane.process.set(fields.PROCESS_LAG_MAX, 0.1 * (number + 1))
        board.row(number, LISTENER, 1).set(fields.LISTENER_CONNECTIONS, 11)
    return samples(exposition(VIEW, board, "")[0])


def test_figures_of_all_workers_are_summed(found: Samples) -> None:
    server = {"backend": "app", "server": "a"}
    assert value(found, "lbd_requests_total", listener="web", backend="app", code="2xx") == 2
    assert value(found, "lbd_requests_total", listener="web", backend="app", code="none") == 2
    assert value(found, "lbd_requests_total", listener="web", backend="app", code="1xx") is None
    assert value(found, "lbd_requests_total", listener="web", backend="", code="2xx") == 0
    assert value(found, "lbd_server_requests_total", **server, code="4xx") == 2
    assert value(found, "lbd_server_in_flight", **server) == 2
    assert value(found, "lbd_server_latency_seconds", **server) == pytest.approx(0.03)
    assert value(found, "lbd_retries_total", backend="app", reason="lost") == 4
    assert value(found, "lbd_endings_total", ending="server-timeout") == 2
    assert value(found, "lbd_endings_total", ending="shutdown-cut") == 0
    assert value(found, "lbd_listener_connections", listener="web") == 22


def test_the_histogram_is_cumulative(found: Samples) -> None:
    def bucket(bound: str) -> float | None:
        return value(found, "lbd_backend_response_seconds_bucket", backend="app", le=bound)

    assert [bucket(bound) for bound in ("0.01", "0.02", "0.05", "60.0", "+Inf")] == [0, 2, 4, 4, 4]
    assert value(found, "lbd_backend_response_seconds_count", backend="app") == 4
    assert value(found, "lbd_backend_response_seconds_sum", backend="app") == pytest.approx(0.12)


def test_what_the_supervisor_knows(found: Samples) -> None:
    server = {"backend": "app", "server": "a"}
    assert value(found, "lbd_server_up", **server) == 1
    assert value(found, "lbd_server_state", **server, state="up") == 1
    assert value(found, "lbd_server_up", backend="app", server="b") == 0
    assert value(found, "lbd_server_weight", **server) == 5
    assert value(found, "lbd_server_check_seconds", **server) == 0.25
    assert value(found, "lbd_server_checks_total", **server, result="failed") == 2
    assert value(found, "lbd_config_generation") == 3
    assert value(found, "lbd_config_last_reload_success") == 0
    assert value(found, "lbd_config_last_reload_timestamp_seconds") == 1.7e9
    assert value(found, "lbd_draining_requests") == 4
    assert value(found, "lbd_supervisor_tasks") == 9
    assert value(found, "lbd_name_lookups_total", result="failed") == 7
    assert value(found, "lbd_names_unresolved") == 2
    assert value(found, "lbd_config_reloads_total", result="refused") == 6
    assert value(found, "lbd_build_info", version="0.1.0", python="3.11.7") == 1


def test_processes_are_told_apart(found: Samples) -> None:
    assert value(found, "lbd_open_files", process="supervisor") == 30
    assert value(found, "lbd_resident_memory_bytes", process="1") == 1 << 20
    assert value(found, "lbd_cpu_seconds_total", process="1") == 9.25
    assert value(found, "lbd_loop_lag_max_seconds", worker="1") == pytest.approx(0.3)
    assert value(found, "lbd_worker_restarts_total", worker="1") == 1
    assert value(found, "lbd_worker_restarts_total", worker="0") == 0


def test_servers_have_histograms_when_they_are_wanted(board: Board, lane_of: Callable[[int], Any]) -> None:
    board.per_server = True
    lane_of(1).answer(3, 100.0, 0.02)
    without = samples(exposition(VIEW, board, "")[0])
    found = samples(exposition(replace(VIEW, histograms=True), board, "")[0])
    assert not any(name.startswith("lbd_server_response_seconds") for name, _ in without)
    server = {"backend": "app", "server": "a"}
    assert value(found, "lbd_server_response_seconds_bucket", **server, le="0.01") == 0
    assert value(found, "lbd_server_response_seconds_bucket", **server, le="0.02") == 1
    assert value(found, "lbd_server_response_seconds_count", backend="app", server="b") == 0


def test_bounds_are_those_of_the_board() -> None:
    board = Board.create(3, [0.25, 3.0])
    found = samples(exposition(VIEW, board, "")[0])
    assert {dict(labels)["le"] for name, labels in found if name.endswith("_bucket")} == {"0.25", "3.0", "+Inf"}


def test_a_state_is_shown_only_while_it_lasts(found: Samples) -> None:
    states = [labels for name, labels in found if name == "lbd_server_state"]
    assert sorted(dict(labels)["state"] for labels in states) == ["maint", "up"]


def test_what_is_gone_or_was_never_measured_has_no_series(board: Board, found: Samples) -> None:
    assert value(found, "lbd_server_check_seconds", backend="app", server="b") is None
    fresh = replace(VIEW, servers=(ServerView("app", "c", 4),), routes={}, listeners={}, backends={})
    later = samples(exposition(fresh, board, "")[0])
    assert value(later, "lbd_server_latency_seconds", backend="app", server="c") is None
    assert value(later, "lbd_server_in_flight", backend="app", server="c") == 0
    assert {dict(labels)["server"] for _, labels in later if "server" in dict(labels)} == {"c"}
    assert not any("listener" in dict(labels) for _, labels in later)
    assert value(later, "lbd_endings_total", ending="ok") == 4


def test_every_exported_field_is_there(found: Samples) -> None:
    names = {name for name, _ in found}
    for kind in fields.KINDS:
        for field in kind.fields:
            if field.metric and not field.rare:
                assert field.metric + ("" if field.gauge else "_total") in names


def test_an_empty_board_can_be_scraped(board: Board) -> None:
    assert value(samples(exposition(View(generation=1), board, "")[0]), "lbd_config_generation") == 1


def test_openmetrics_on_request(board: Board, found: Samples) -> None:
    body, kind = exposition(VIEW, board, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert kind.startswith("application/openmetrics-text")
    families = list(openmetrics_parser.text_string_to_metric_families(body.decode()))
    parsed = {(sample.name, frozenset(sample.labels.items())): sample.value
              for family in families for sample in family.samples}
    assert parsed == found
    assert exposition(VIEW, board, "*/*")[1].startswith("text/plain")


def test_the_collector_fits_any_registry(board: Board) -> None:
    registry = CollectorRegistry()
    registry.register(Exporter(VIEW, board))
    assert registry.get_sample_value("lbd_config_generation") == 3


def test_promtool_finds_nothing_to_complain_of(board: Board, found: Samples) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run([promtool, "check", "metrics"], input=exposition(VIEW, board, "")[0], capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_many_servers(board: Board) -> None:
    for slot in range(1000):
        board.row(slot % 2, SERVER, slot).add(fields.SERVER_IN_FLIGHT, slot)
    board.row(0, PROCESS, 0).add(fields.PROCESS_ENDINGS + endings.OK, 1)
    board.row(0, BACKEND, 0)
    view = View(generation=1, servers=[ServerView("app", f"s{slot}", slot) for slot in range(1000)])
    found = samples(exposition(view, board, "")[0])
    assert value(found, "lbd_server_in_flight", backend="app", server="s777") == 777
    assert board.layout == scoreboard.LAYOUT
