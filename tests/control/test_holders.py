"""Who holds a port."""

import os
import socket
import subprocess
import sys

import pytest

from lbd.control import holders

# Listens, calls itself as told, says so, and waits.
CHILD = """
import socket, sys
from lbd.control import holders
sock = socket.socket(); sock.bind(("127.0.0.1", 0)); sock.listen()
if sys.argv[1] == "orphan": holders.become_orphan()
print(sock.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def child(request):
    process = subprocess.Popen([sys.executable, "-c", CHILD, request.param], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()})
    yield process.pid, int(process.stdout.readline())
    process.communicate()


@pytest.mark.parametrize("child", ["orphan"], indirect=True)
def test_an_orphan_is_told_from_others(child):
    pid, port = child
    assert holders.of_port(port) == [holders.Holder(pid, holders.ORPHAN)]
    assert holders.left_behind(port)
    assert holders.orphans({port}) == [pid]


@pytest.mark.parametrize("child", ["other"], indirect=True)
def test_another_process_is_no_orphan(child):
    pid, port = child
    assert [holder.pid for holder in holders.of_port(port)] == [pid]
    assert not holders.left_behind(port)
    assert holders.orphans({port}) == []


def test_nobody():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        assert holders.of_port(port) == []
        assert not holders.left_behind(port)
