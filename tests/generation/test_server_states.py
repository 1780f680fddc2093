"""The states of servers: operators, registrations, planned cuts and checks together."""

import pytest

from lbd.config.runtime import Override, RegistrationRequest, SavedRegistration
from lbd.generation.certificates import Certificates
from lbd.generation.server_states import ServerStates
from lbd.health.schedule import Judgement
from lbd.net.tasks import Tasks
from lbd.schema import BackendConfig, Config, Registration, ServerConfig
from lbd.schema.units import Address
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots

HERE = Address("10.0.0.1", 80)
CONFIG = Config(backends={"app": BackendConfig(servers={"a": ServerConfig(HERE)}, registration=Registration())})


@pytest.fixture
async def servers():
    board = Board.create(2)
    return ServerStates(Tasks(lambda name, error: None), board, Slots(board), Certificates())


async def test_an_override_and_a_planned_cut_are_in_the_endpoint(servers):
    servers.overrides.put_override(("app", "a"), Override("app", "a", mode="drain"))
    servers.cuts.plan_cut(servers.all_endpoints(CONFIG), 3600.0)
    endpoint, = servers.all_endpoints(CONFIG)
    assert endpoint.mode == "drain"
    assert endpoint.cut > 0.0
    servers.overrides.put_override(("app", "a"), None)
    servers.forget_cuts(CONFIG)
    assert servers.cuts.planned() == []


async def test_a_registered_server_that_leaves_drains_whatever_an_override_says(servers):
    saved = SavedRegistration("app", "b", RegistrationRequest(Address("10.0.0.2", 80)), "me")
    servers.registry.register(saved, 0.0)
    servers.registry.entry_of(("app", "b")).leaving = 1.0
    servers.overrides.put_override(("app", "b"), Override("app", "b", mode="ready"))
    modes = {endpoint.name: endpoint.mode for endpoint in servers.all_endpoints(servers.registry.merged_into(CONFIG))}
    assert modes == {"a": "ready", "b": "drain"}


async def test_registrations_without_a_place_in_the_files(servers):
    servers.registry.register(SavedRegistration("app", "b", RegistrationRequest(Address("10.0.0.2", 80)), "me"), 0.0)
    assert servers.unwanted_registrations(None) == servers.unwanted_registrations(CONFIG) == []
    assert [path for path, _ in servers.unwanted_registrations(Config())] == [("app", "b")]


async def test_a_judgement_is_a_change(servers):
    changes = []
    servers.on_state_change = lambda: changes.append(1)
    servers._judged(("app", "a", str(HERE)), Judgement("down"))
    assert changes == [1]
