"""The successor gets everything that a handover can hold."""

import os

from lbd.generation import handover
from lbd.generation.successor import handover_data


async def test_a_handover_of_a_running_plane_can_be_taken(running):
    data = {**handover_data(running), "doors": {}, "upgrades": 0}
    running.access_log.stay()
    assert (data["generation"], data["restarts"], data["board"]) == (1, 0, running.board.fd)
    assert sorted(lane for _, lane in data["workers"]) == sorted(
        process.lane for process in running.fleet.processes())
    assert {name for name, _, _ in data["sockets"]} == {"web"}
    assert set(data["known"]) == {"health", "ejections", "cuts"}
    memory = handover.write(data)
    os.close(memory)
    assert running.board.fd in handover.descriptors(data)
