"""Candidates: figures and choices are those of the algorithms that serve."""

from dataclasses import replace

import pytest

from lbd.balance import ALGORITHMS
from lbd.cli.commands.explain import fresh
from lbd.config.reader import read_file
from lbd.report.explain import Question, explain
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board

CONFIG = """
[listeners.web]
bind = "127.0.0.1:8080"
backend = "app"
[backends.app]
algorithm = {}
{}
[backends.app.servers]
a = {{ address = "127.0.0.1:9001", weight = 1, max_conns = 4 }}
b = {{ address = "127.0.0.1:9002", weight = 2, max_conns = 4 }}
"""


@pytest.fixture
def ask(tmp_path):
    def ask(algorithm, *headers, loads=(0, 0), waiting=0, more=""):
        file = tmp_path / "lbd.toml"
        file.write_text(CONFIG.format(algorithm, more))
        generation, board = fresh(read_file(str(file), ALGORITHMS, {}).config), Board.create(1)
        for endpoint, load in zip(generation.endpoints["app"], loads, strict=True):
            board.row(0, scoreboard.SERVER, endpoint.slot).add(fields.SERVER_IN_FLIGHT, load)
        board.row(0, scoreboard.BACKEND, generation.backends["app"]).add(fields.BACKEND_IN_FLIGHT, sum(loads))
        return explain(Question("GET", "http://x:8080/p?q=1", headers), generation, board, 0)
    return ask


def scores(found):
    return {server["name"]: server["score"] for server in found["servers"]}


@pytest.mark.parametrize(("algorithm", "a", "b", "chosen"), [
    ("least-connections", 2.0, 2.0, None), ("random-two-choices", 1.0, 1.5, "a"), ("first", 0.25, 0.75, "a"),
    ("threshold", 1.0, 1.5, None), ("random", 0.333333, 0.666667, None),
    ("weighted-round-robin", 0.333333, 0.666667, None)])
def test_scores_are_those_that_the_algorithm_compares(ask, algorithm, a, b, chosen):
    found = ask(f'"{algorithm}"', loads=(1, 3))
    assert scores(found) == {"a": a, "b": b}
    assert found["score"]
    assert chosen in (None, found["chosen"])


def test_the_least_wins(ask):
    assert ask('"least-connections"', loads=(3, 1))["chosen"] == "b"
    assert ask('"least-connections"', loads=(0, 3))["chosen"] == "a"


def test_least_time_has_scores_in_seconds(ask):
    found = ask('"least-time"')
    assert all(score is not None and score >= 0 for score in scores(found).values())
    assert "seconds" in found["score"]


@pytest.mark.parametrize("algorithm", ['"round-robin"', '"url-hash"', '{ name = "consistent-hash", key = "path" }'])
def test_what_compares_nothing_has_no_scores(ask, algorithm):
    found = ask(algorithm)
    assert (found["score"], scores(found)) == ("", {"a": None, "b": None})


@pytest.mark.parametrize(("algorithm", "headers", "key"), [
    ('"url-hash"', (), "/p?q=1"), ('{ name = "consistent-hash", key = "header:X-T" }', ("X-T: blue",), "blue"),
    ('{ name = "maglev", key = "path" }', (), "/p"), ('{ name = "maglev", key = "header:X-T" }', (), "")])
def test_the_key_that_is_hashed(ask, algorithm, headers, key):
    found = ask(algorithm, *headers)
    assert found["key"]["value"] == key
    assert len(found["key"]["hash"]) == (16 if key else 0)
    assert ("no key" in found["why"]) is (key == "")


def test_bounded_load_is_scored(ask):
    found = ask('{ name = "consistent-hash", key = "path", balance_factor = 1.25 }', loads=(2, 2))
    assert scores(found) == {"a": 2.0, "b": 1.0}


def test_a_full_server_gives_way(ask):
    found = ask('"first"', loads=(4, 1))
    assert found["chosen"] == "b"
    found = ask('{ name = "maglev", key = "path" }', loads=(4, 4))
    assert found["chosen"] is None
    assert "waits in the queue, at most 5 s" in found["why"]
    assert found["servers"][0]["left_out"] == "full: 4 in flight"


def test_a_full_backend_refuses(ask):
    found = ask('"random"', loads=(1, 1), more="max_in_flight = 2")
    assert found["chosen"] is None
    assert found["why"] == "the backend has 2 requests in flight, as many as it may have: 503"


def test_nobody_is_there(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text(CONFIG.format('"random"', ""))
    generation = fresh(read_file(str(file), ALGORITHMS, {}).config)
    endpoints = {"app": tuple(endpoint._replace(health="down") for endpoint in generation.endpoints["app"])}
    found = explain(Question("GET", "http://x:8080/"), replace(generation, endpoints=endpoints), Board.create(1), 0)
    assert (found["chosen"], found["score"], found["key"]) == (None, "", None)
