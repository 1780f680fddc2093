"""The handover from one image to the next, within one process."""

import json
import os
import socket

from lbd.generation import handover
from lbd.generation.old_scoreboard import described
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots


def left(sockets, board, **more):
    data = {"version": "1", "generation": 4, "restarts": 2, "upgrades": 0, "sockets": sockets, "board": board,
            "workers": [[70, 3]], "slots": [[0, ["app", "a", "10.0.0.1:80"], 5], [2, "app", 1]],
            "doors": {}, "pipes": [], "logs": [], **more}
    fds = handover.descriptors(data)
    for fd in fds:
        os.set_inheritable(fd, True)   # as the upgrade does
    return handover.write(data), fds


def test_there_and_back():
    board = Board.create(4)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        name = sock.getsockname()
        pipe, log = os.pipe(), os.pipe()
        memory, fds = left([["web", True, os.dup(sock.fileno())]], os.dup(board.fd),
                           doors={"admin": os.dup(sock.fileno())}, pipes=[(pipe[0], b"half a l\xc3")], logs=[log[0]])
        assert len(fds) == 5
        environment = {handover.VARIABLE: f"7:{memory}", "KEPT": "1"}
        found = handover.receive(environment, 7)
    assert environment == {"KEPT": "1"}
    assert not any(map(os.get_inheritable, fds))
    ((listener, own, taken),) = found.sockets
    assert (listener, own, taken.getsockname()) == ("web", True, name)
    taken.close()
    assert found.api_sockets["admin"].getsockname() == name
    found.api_sockets["admin"].close()
    assert (found.pipes, found.logs) == (((pipe[0], b"half a l\xc3"),), (log[0],))
    for fd in (*pipe, *log):
        os.close(fd)
    assert found.board.layout == board.layout
    assert (found.generation, found.restarts, found.upgrades, found.workers) == (4, 2, 1, {70: 3})
    assert found.slots == ((0, ("app", "a", "10.0.0.1:80"), 5), (2, "app", 1))


def test_a_scoreboard_of_another_layout_begins_anew():
    board = Board.create(2)
    about = described(board, Slots(board))
    memory = os.memfd_create("other")
    os.truncate(memory, about["page"] + about["lanes"] * about["lane"])
    text, _ = left([], memory, counted=about)
    found = handover.receive({handover.VARIABLE: f"7:{text}"}, 7)
    assert found.board is None
    assert found.past is not None
    assert found.slots == ()
    unknown, _ = left([], os.memfd_create("unknown"))   # by a version that does not tell its layout
    assert handover.receive({handover.VARIABLE: f"7:{unknown}"}, 7).past is None


def test_nothing_for_this_process():
    assert handover.receive({}, 7) is None
    assert handover.receive({handover.VARIABLE: "8:3"}, 7) is None
    memory = os.memfd_create("broken")
    os.write(memory, json.dumps({}).encode()[:1])
    assert handover.receive({handover.VARIABLE: f"7:{memory}"}, 7) is None
    incomplete = handover.write({"version": "1"})
    assert handover.receive({handover.VARIABLE: f"7:{incomplete}"}, 7) is None
