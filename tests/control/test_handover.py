"""What one image leaves to the next, within one process."""

import json
import os
import socket

from lbd.control import handover
from lbd.stats.scoreboard import Board


def left(sockets, board, **more):
    data = {"version": "1", "generation": 4, "restarts": 2, "upgrades": 0, "sockets": sockets, "board": board,
            "workers": [[70, 3]], "slots": [[0, ["app", "a", "10.0.0.1:80"], 5], [2, "app", 1]], **more}
    fds = [fd for _, _, fd in sockets] + [board]
    return handover.write(data, fds), fds


def test_there_and_back():
    board = Board.create(4)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        name = sock.getsockname()
        memory, fds = left([["web", True, os.dup(sock.fileno())]], os.dup(board.fd))
        assert all(map(os.get_inheritable, fds))
        environment = {handover.VARIABLE: f"7:{memory}", "KEPT": "1"}
        found = handover.take(environment, 7)
    assert environment == {"KEPT": "1"}
    assert not any(map(os.get_inheritable, fds))
    ((listener, own, taken),) = found.sockets
    assert (listener, own, taken.getsockname()) == ("web", True, name)
    taken.close()
    assert found.board.layout == board.layout
    assert (found.generation, found.restarts, found.upgrades, found.workers) == (4, 2, 1, {70: 3})
    assert found.slots == ((0, ("app", "a", "10.0.0.1:80"), 5), (2, "app", 1))


def test_a_scoreboard_of_another_layout_begins_anew():
    memory, _ = left([], os.memfd_create("other"))
    assert handover.take({handover.VARIABLE: f"7:{memory}"}, 7).board is None


def test_nothing_for_this_process():
    assert handover.take({}, 7) is None
    assert handover.take({handover.VARIABLE: "8:3"}, 7) is None
    memory = os.memfd_create("broken")
    os.write(memory, json.dumps({}).encode()[:1])
    assert handover.take({handover.VARIABLE: f"7:{memory}"}, 7) is None
