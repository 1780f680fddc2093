"""The impact of a plan, from the scoreboard."""

import dataclasses
import time

from lbd.backend.snapshot import Endpoint, Generation
from lbd.config.plan import compare
from lbd.config.runtime import Override
from lbd.generation.in_force import InForce
from lbd.generation.overrides import Overrides
from lbd.reload.impact import Impact
from lbd.schema import BackendConfig, Config, ListenerConfig, ServerConfig
from lbd.schema.units import Address
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board


def in_force(generation):
    made = InForce()
    made.put_generation(generation)
    return made


def test_requests_and_connections():
    board = Board.create(2)
    address = Address("10.0.0.1", 80)
    config = Config(listeners={"web": ListenerConfig(bind=(address,), backend="app")},
                    backends={"app": BackendConfig(servers={"a": ServerConfig(address=address)})})
    endpoint = Endpoint("app", "a", address, 0)
    generation = Generation(1, config, {"app": (endpoint,)}, {"app": 0}, {"web": 0}, {})
    impact = Impact(board, in_force(generation), Overrides())
    board.row(0, scoreboard.SERVER, 0).add(fields.SERVER_IN_FLIGHT, 2)
    board.row(1, scoreboard.SERVER, 0).add(fields.SERVER_IN_FLIGHT, 1)
    board.row(1, scoreboard.SERVER, 0).add(fields.SERVER_CONNECTIONS, 5)
    board.row(1, scoreboard.LISTENER, 0).add(fields.LISTENER_CONNECTIONS, 7)
    plan = impact.add_impact(compare(config, dataclasses.replace(config, listeners={}, backends={})))
    assert [(change.path, change.requests, change.connections) for change in plan.changes] == [
        ("listeners.web", None, 7), ("backends.app", 3, 5)]
    plan = impact.add_impact(compare(Config(), config))
    assert {change.requests for change in plan.changes} == {None}
    plan = impact.add_impact(compare(config, dataclasses.replace(config, errors={"404": "gone"})))
    assert [(change.requests, change.connections) for change in plan.changes] == [(None, None)]
    assert Impact(board, InForce(), Overrides()).add_impact(plan) is plan


def test_what_an_override_hides():
    board = Board.create(2)
    address = Address("10.0.0.1", 80)
    old = Config(backends={"app": BackendConfig(servers={"a": ServerConfig(address=address)})})
    new = Config(backends={"app": BackendConfig(servers={"a": ServerConfig(address=address, weight=5)})})
    generation = Generation(1, old, {"app": (Endpoint("app", "a", address, 0),)}, {"app": 0}, {}, {})
    overrides = Overrides()
    overrides.put_override(("app", "a"), Override("app", "a", weight=3, mode="drain", who="me"))
    impact = Impact(board, in_force(generation), overrides)
    change, = impact.add_impact(compare(old, new)).changes
    assert change.state.endswith("; weight stays 3: an override by me")


def test_thousands_of_servers_are_no_burden():
    address, names = Address("10.0.0.1", 80), [f"s{number}" for number in range(10_000)]
    old = Config(backends={"app": BackendConfig(servers={name: ServerConfig(address=address) for name in names})})
    new = dataclasses.replace(old, backends={"app": BackendConfig()})
    generation = Generation(1, old, {"app": tuple(Endpoint("app", name, address, 0) for name in names)}, {}, {}, {})
    impact = Impact(Board.create(2), in_force(generation), Overrides())
    plan, began = compare(old, new), time.process_time()
    assert {change.requests for change in impact.add_impact(plan).changes} == {0}
    assert time.process_time() - began < 3.0      # a search of all for each takes tens of seconds
