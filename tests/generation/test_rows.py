"""Rows: each part of a generation has one."""

from lbd.backend.snapshot import Endpoint, Generation
from lbd.generation.rows import in_flight, of_generation, of_servers
from lbd.schema import Config
from lbd.schema.units import Address
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots

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
        board.row(lane, scoreboard.SERVER, slots.take(scoreboard.SERVER, owner)).add(fields.SERVER_IN_FLIGHT, open_now)
    stay = {(scoreboard.SERVER, "stays")}
    assert in_flight(board, slots, stay, set()) == 4
    assert in_flight(board, slots, stay, {2}) == 6
