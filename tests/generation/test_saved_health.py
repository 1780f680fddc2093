"""Health and ejections as data: there and back, and what cannot be read costs nothing."""

import json

import pytest

from lbd.backend.outlier import Case
from lbd.backend.snapshot import Endpoint
from lbd.generation import saved_health
from lbd.generation.cuts import Cuts
from lbd.generation.ejection import Ejection
from lbd.health.check import Result
from lbd.health.schedule import Judgement, Schedule
from lbd.net.tasks import Tasks
from lbd.schema import BackendConfig, Config, Outlier, ServerConfig
from lbd.schema.units import Address
from lbd.stats.scoreboard import Board

KEY = ("app", "a", "10.0.0.1:80")
CONFIG = Config(backends={"app": BackendConfig(servers={"a": ServerConfig(address=Address("10.0.0.1", 80))},
                                               outlier=Outlier())})


@pytest.fixture
async def parts():
    tasks = Tasks(lambda name, error: None)
    yield (Schedule(tasks, {}, lambda key, judgement: None), Ejection(tasks, Board.create(1), lambda: None), Cuts())
    await tasks.cancel()


async def test_there_and_back(parts, monkeypatch):
    schedule, ejection, cuts = parts
    judgement = Judgement("up", Result(False, "refused", 0.5), 2, 3, 10, 2)
    case = Case(until=1e12, times=2, seconds=60.0, failures=5, counts={"ejected": 2})
    case.streak._before = [1.0, 2.0]
    monkeypatch.setattr(schedule, "judgements", lambda: {KEY: judgement})
    monkeypatch.setattr(ejection, "cases", lambda: {KEY: case})
    cuts.plan_cut([Endpoint("app", "a", Address("10.0.0.1", 80), 0)], 30.0)
    planned = cuts.planned()
    data = json.loads(json.dumps(saved_health.describe(schedule, ejection, cuts)))
    monkeypatch.undo()
    cuts.restore_plans({})
    data["health"][0][1]["of another version"] = 1
    data["ejections"][0][1]["of another version"] = 1
    saved_health.restore(data, schedule, ejection, cuts)
    ejection.follow_config(CONFIG)
    assert ejection.reason_of(KEY) == "5 failures in a row: left out for 60 s"
    assert ejection.cases()[KEY].streak._before == [1.0, 2.0]
    assert schedule._before == {KEY: judgement}
    assert cuts.planned() == planned


@pytest.mark.parametrize("data", [{"health": [1]}, {"health": [[KEY, {"last": {}}]]}, {"ejections": [[KEY, {}]]},
                                  {"cuts": [["app"]]}, {}])
async def test_what_cannot_be_read_is_left_out(parts, data):
    schedule, ejection, cuts = parts
    saved_health.restore(data, schedule, ejection, cuts)
    ejection.follow_config(CONFIG)
    assert ejection.reason_of(KEY) == ""


async def test_cases_go_to_their_own_backends(parts):
    _, ejection, _ = parts
    ejection.restore_cases({KEY: Case(until=1e12), ("other", "a", "10.0.0.1:80"): Case(until=1e12)})
    ejection.follow_config(CONFIG)
    assert list(ejection.cases()) == [KEY]
