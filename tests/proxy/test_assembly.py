"""From a generation to what serves it: what is built, what is kept, and what cannot be built."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from lbd import schema
from lbd.errors import LbdError
from lbd.proxy.assembly import Assembly
from lbd.stats import scoreboard
from lbd.stats.scoreboard import Board
from tests.rig import configuration, generation

CONFIG = """
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
[[listeners.web.routes]]
path = "/fixed"
respond = { body = "x" }
[[listeners.web.routes]]
path_prefix = "/other"
backend = "other"
[backends.app.servers]
a = "127.0.0.1:9"
[backends.other]
request_headers = { set = { X-A = "1" } }
servers = { b = "127.0.0.1:8" }
"""


def test_everything_is_built_and_nothing_is_changed(tmp_path: Path) -> None:
    assembly = Assembly(Board.create(2), 0)
    wanted = generation(configuration(CONFIG, tmp_path))
    prepared = assembly.prepare(wanted, {}, {})
    assert set(prepared.backends) == {"app", "other"}
    assert set(prepared.listeners) == {"web"}
    backend, _ = prepared.backends["app"]
    assert backend.pool is None
    assert not backend.servers


def test_what_is_there_is_used_again(tmp_path: Path) -> None:
    assembly = Assembly(Board.create(2), 0)
    first = assembly.prepare(generation(configuration(CONFIG, tmp_path)), {}, {})
    backends = {name: backend for name, (backend, _) in first.backends.items()}
    listeners = {name: listener for name, (listener, _) in first.listeners.items()}
    second = assembly.prepare(generation(configuration(CONFIG, tmp_path), 2), backends, listeners)
    assert second.backends["app"][0] is first.backends["app"][0]
    assert second.backends["app"][1] is not first.backends["app"][1]
    assert second.listeners["web"][0] is first.listeners["web"][0]
    assert second.listeners["web"][1] is not first.listeners["web"][1]


def test_an_algorithm_that_this_worker_does_not_know(tmp_path: Path) -> None:
    config = configuration(CONFIG, tmp_path)
    strange = replace(config.backends["app"], algorithm=schema.AlgorithmConfig("of-tomorrow"))
    wanted = generation(replace(config, backends={**config.backends, "app": strange}))
    with pytest.raises(LbdError, match=r"backends\.app\.algorithm.*of-tomorrow"):
        Assembly(Board.create(2), 0).prepare(wanted, {}, {})


def test_rows_are_of_the_own_lane() -> None:
    board = Board.create(3)
    for lane in (0, 1):
        Assembly(board, lane).row(scoreboard.SERVER, 4).add(0, 1)
    assert board.each(scoreboard.SERVER, 4, 0) == [1, 1]


def test_bodies_of_errors(tmp_path: Path) -> None:
    config = replace(configuration(CONFIG, tmp_path), bodies={"503": b"<p>Back soon</p>"})
    prepared = Assembly(Board.create(1), 0).prepare(generation(config), {}, {})
    assert prepared.error_bodies == {503: b"<p>Back soon</p>"}


def test_every_worker_throws_dice_of_its_own() -> None:
    board = Board.create(1)
    throws = [Assembly(board, 0).random.random() for _ in range(2)]
    assert throws[0] != throws[1]


def test_dice_that_fall_as_before() -> None:
    board = Board.create(1)
    throws = [Assembly(board, 0, random=Random(7)).random.random() for _ in range(2)]
    assert throws[0] == throws[1]
