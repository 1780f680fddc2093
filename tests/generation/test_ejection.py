"""Ejection over a real scoreboard: what workers count makes servers go and come back."""


import pytest

from lbd.backend.snapshot import Endpoint
from lbd.generation.ejection import Ejection
from lbd.health.check import Result
from lbd.health.schedule import Judgement
from lbd.net.tasks import Tasks
from lbd.schema import BackendConfig, Config, Outlier
from lbd.schema.units import Address
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board

A = Endpoint("app", "a", Address("10.0.0.1", 80), 0)
B = Endpoint("app", "b", Address("10.0.0.2", 80), 1)


class World:
    def __init__(self, **settings):
        self.board = Board.create(2)
        self.changes = 0
        self.tasks = Tasks(lambda name, error: None)
        self.ejection = Ejection(self.tasks, self.board, self.changed)
        self.config(**settings)
        self.ejection.follow_endpoints([A, B])

    def changed(self):
        self.changes += 1

    def config(self, **settings):
        app = BackendConfig(outlier=Outlier(**settings))
        self.ejection.follow_config(Config(backends={"app": app, "other": BackendConfig()}))

    def fail(self, endpoint, times=5):
        """Requests fail, some in each worker."""
        for request in range(times):
            self.board.row(request % 2, scoreboard.SERVER, endpoint.slot).add(fields.SERVER_FAILURES, 1)
        self.ejection.judge_servers()


@pytest.fixture
async def make():
    scoreboard.freeze(1000.0)
    made = []

    def world(**settings):
        made.append(World(**settings))
        return made[-1]

    yield world
    scoreboard.freeze(None)
    for one in made:
        await one.tasks.cancel()


async def test_it_goes_and_comes_back(make):
    world = make()
    world.fail(A, 4)
    assert not world.ejection.reason_of(A.identity)
    world.fail(A, 1)
    assert world.ejection.reason_of(A.identity) == "5 failures in a row: left out for 30 s"
    assert world.changes == 1
    assert world.ejection.decisions_of(A.identity) == {"ejected": 1}
    scoreboard.freeze(1030.0)
    world.ejection.judge_servers()
    assert world.ejection.reason_of(A.identity) == ""
    assert world.changes == 2


async def test_only_servers_that_get_traffic_are_judged(make):
    world = make()
    world.ejection.follow_endpoints([A._replace(health="down"), B])
    world.fail(A)
    assert not world.ejection.reason_of(A.identity)


async def test_checks_that_pass_bring_it_back(make):
    world = make()
    world.fail(A)
    judgement = Judgement("up", Result(True, "GET /: 200", 0.01), streak=9, needed=2)
    world.ejection.on_check_passed(A.identity, judgement)
    assert world.ejection.reason_of(A.identity)
    world.ejection.on_check_passed(A.identity, judgement)
    assert not world.ejection.reason_of(A.identity)
    assert world.changes == 2
    world.ejection.on_check_passed(("other", "a", ""), judgement)


async def test_a_reload_keeps_what_is_known_and_may_end_it_all(make):
    world = make()
    world.fail(A)
    world.config(consecutive=9)
    assert world.ejection.reason_of(A.identity)
    world.ejection.follow_config(Config(backends={"app": BackendConfig()}))
    assert not world.ejection.reason_of(A.identity)
    assert world.ejection.decisions_of(A.identity) == {}
    world.fail(B)


async def test_without_enforcement_nothing_changes(make):
    world = make(enforce=False)
    world.fail(A)
    assert world.changes == 0
    assert world.ejection.decisions_of(A.identity) == {"not-enforced": 1}
