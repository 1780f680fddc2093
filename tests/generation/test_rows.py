"""Rows: each part of a generation has one."""

import asyncio

import pytest

from lbd.backend.snapshot import Endpoint, Generation
from lbd.errors import LbdError
from lbd.generation import rows
from lbd.generation.in_force import InForce
from lbd.generation.rows import Rows, in_flight, of_generation, of_servers
from lbd.schema import Config
from lbd.schema.units import Address
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots
from tests.waiting import turn

MEMBER = Endpoint("app", "a", Address("10.0.0.1", 80), 0)
OWN = (scoreboard.SERVER, ("app", "a", "10.0.0.1:80"))


def test_a_server_has_one_for_its_address():
    assert of_servers([MEMBER, MEMBER]) == {OWN}


def test_a_generation_has_those_of_its_parts():
    generation = Generation(1, Config(), {"app": (MEMBER,)}, {"app": 0}, {"web": 0}, {("web", "app"): 0})
    assert of_generation(generation) == {OWN, (scoreboard.BACKEND, "app"), (scoreboard.LISTENER, "web"),
                                         (scoreboard.ROUTE, ("web", "app"))}


def test_requests_that_are_to_end():
    board = Board.create(3)
    slots = Slots(board)
    for owner, lane, open_now in (("stays", 1, 1), ("stays", 2, 2), ("goes", 1, 4)):
        slot = slots.allocate(scoreboard.SERVER, owner)
        board.row(lane, scoreboard.SERVER, slot).add(fields.SERVER_IN_FLIGHT, open_now)
    stay = {(scoreboard.SERVER, "stays")}
    assert in_flight(board, slots, stay, set()) == 4
    assert in_flight(board, slots, stay, {2}) == 6


class World:
    """A scoreboard whose generation in force has no server; `OWN` is drained."""

    def __init__(self):
        self.slots = Slots(Board.create(2))
        self.in_force = InForce()
        self.in_force.put_generation(Generation(1, Config(), {}, {}, {}, {}))
        self.rows = Rows(Board.create(2), self.slots, self.in_force)

    def build(self):
        self.slots.allocate(*OWN)
        self.slots.allocate(scoreboard.BACKEND, "app")
        return Generation(2, Config(), {"app": (MEMBER,)}, {"app": 0}, {}, {})

    def owned(self):
        return {owner for kind in (scoreboard.SERVER, scoreboard.BACKEND) for owner in self.slots.owners(kind)}


@pytest.mark.parametrize("comes", [True, False])
async def test_a_row_is_kept_while_workers_prepare_a_generation_that_has_it(monkeypatch, comes):
    monkeypatch.setattr(rows, "LINGER", 0.0)
    world = World()
    world.slots.allocate(*OWN)
    with world.rows.reserve(world.build) as new:
        world.rows.release_later({OWN}, 0.0)
        await turn(5)
        assert world.owned() == {OWN[1], "app"}
        if comes:
            world.in_force.put_generation(new)
    assert world.owned() == ({OWN[1], "app"} if comes else {OWN[1]})
    await turn(5)
    assert world.owned() == ({OWN[1], "app"} if comes else set())


@pytest.mark.parametrize("failure", [LbdError, RuntimeError, asyncio.CancelledError])
async def test_no_row_is_kept_for_a_generation_that_failed(monkeypatch, failure):
    monkeypatch.setattr(rows, "LINGER", 0.0)
    world = World()
    with pytest.raises(failure), world.rows.reserve(world.build):
        raise failure
    assert world.owned() == set()
    world.slots.allocate(*OWN)
    world.rows.release_later({OWN}, 0.0)
    await turn(5)
    assert world.owned() == set()
