"""The control plane: its objects are joined, and a predecessor's board and numbers go on."""

import pytest

from lbd.generation.control_plane import ControlPlane
from lbd.generation.handover import Handover
from lbd.net.tasks import Tasks
from lbd.stats.scoreboard import Board
from tests.waiting import until


@pytest.fixture
def tasks():
    return Tasks(lambda name, error: None)


async def test_changed_servers_reach_the_publisher_and_changed_names_the_coordinator(tasks, monkeypatch):
    plane = ControlPlane(tasks, "json", print)
    calls = []
    monkeypatch.setattr(plane.servers.endpoints, "by_backend", lambda config: calls.append(config))
    plane.servers.on_state_change()
    await until(lambda: not plane.publisher._next_batch)
    assert calls == [], "there is no generation yet"
    plane.servers.resolver._changed("a.example")
    await until(lambda: not len(tasks))
    assert plane.in_force.generation is None


async def test_a_predecessors_board_is_used(tasks):
    board = Board.create(130)
    plane = ControlPlane(tasks, "json", print, Handover("1.0", 4, 3, 1, board=board))
    assert plane.board is board
    assert plane.fleet.slots.restarts == 3
    assert plane.predecessor.next_generation == 5
