"""The defaults of every algorithm."""

from random import Random
from typing import Any

import pytest

from lbd.backend.algorithm import Algorithm, Context
from lbd.stats.scoreboard import Board


def test_the_least_that_an_algorithm_is() -> None:
    context = Context(Board.create(2), 1, Random(1))
    algorithm = Algorithm("options", context)
    assert algorithm.options == "options"
    assert algorithm.context is context
    assert algorithm.took is None
    assert algorithm.dropped is None
    assert algorithm.Options is None
    algorithm.inherit(algorithm)
    request: Any = None
    with pytest.raises(NotImplementedError):
        algorithm.rebuild([])
    with pytest.raises(NotImplementedError):
        algorithm.pick(request)
