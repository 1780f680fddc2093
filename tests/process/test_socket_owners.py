"""The owners of a port."""

import os
import socket
import subprocess
import sys

import pytest

from lbd.process import socket_owners

# Listens, calls itself as told, says so, and waits.
CHILD = """
import socket, sys
from lbd.process import socket_owners
sock = socket.socket(); sock.bind(("127.0.0.1", 0)); sock.listen()
unix = socket.socket(socket.AF_UNIX); unix.bind(sys.argv[2]); unix.listen()
if sys.argv[1] == "orphan": socket_owners.become_orphan()
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def child(request, tmp_path):
    path = str(tmp_path / "with blanks.sock")
    process = subprocess.Popen([sys.executable, "-c", CHILD, request.param, path], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()})
    yield process.pid, int(process.stdout.readline()), path
    process.communicate()


@pytest.mark.parametrize("child", ["orphan"], indirect=True)
def test_an_orphan_is_told_from_others(child):
    pid, port, path = child
    for found in (socket_owners.owners_of_port(port), socket_owners.owners_of_path(path)):
        assert found == [socket_owners.SocketOwner(pid, socket_owners.ORPHAN)]
        assert socket_owners.are_left_behind(found)
    assert socket_owners.find_orphans({port}, set()) == socket_owners.find_orphans(set(), {path}) == [pid]


@pytest.mark.parametrize("child", ["other"], indirect=True)
def test_another_process_is_no_orphan(child):
    pid, port, path = child
    for found in (socket_owners.owners_of_port(port), socket_owners.owners_of_path(path)):
        assert [holder.pid for holder in found] == [pid]
        assert not socket_owners.are_left_behind(found)
    assert socket_owners.find_orphans({port}, {path}) == []


def test_nobody(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket() as sock, socket.socket(socket.AF_UNIX) as unix:
        sock.bind(("127.0.0.1", 0))
        unix.bind(path)
        assert socket_owners.owners_of_port(sock.getsockname()[1]) == socket_owners.owners_of_path(path) == []
        assert not socket_owners.are_left_behind([])
