"""No process outlives its test."""

import asyncio
import socket

import pytest

from lbd.net.tasks import Tasks
from lbd.process.sockets import Sockets
from lbd.workers.fleet import Fleet
from tests.children import no_child_is_left as no_child_is_left
from tests.workers.channel_end import End
from tests.workers.owner import Owner


@pytest.fixture
async def make():
    made = []

    def make(layout=None, lanes=6):
        owner, tasks = Owner(lanes), Tasks(lambda name, error: None)
        fleet = Fleet(tasks, Sockets(), owner.board, "json", owner.callbacks())
        if layout is not None:
            fleet._starter.layout = layout
        made.append((fleet, tasks, owner.board))
        return fleet, owner

    yield make
    async with asyncio.timeout(40):
        for fleet, tasks, _ in made:
            await fleet.stop(0.0)
            await tasks.cancel()


@pytest.fixture
async def ends():
    left, right = socket.socketpair()
    pair = End(left), End(right)
    yield pair
    for end in pair:
        end.channel.close()
