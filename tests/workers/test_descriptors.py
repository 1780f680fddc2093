"""Descriptors beside messages: taken from control messages, duplicated all or none."""

import os
import socket
from array import array

import pytest

from lbd.workers.descriptors import close_all, duplicates, of_control_message
from tests.workers.channel_end import descriptors


@pytest.mark.parametrize(("level", "kind", "payload", "fds"), [
    (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [3, 4]).tobytes(), [3, 4]),
    (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [3]).tobytes() + b"xx", [3]),     # cut by the kernel
    (socket.SOL_SOCKET, socket.SCM_CREDENTIALS, bytes(12), [])])
def test_those_of_a_control_message(level, kind, payload, fds):
    assert list(of_control_message(level, kind, payload)) == fds


def test_duplicates_are_all_or_none():
    before = descriptors()
    copies = duplicates([0, 0])
    assert len(copies) == 2
    close_all(copies)
    with pytest.raises(OSError, match="Bad file descriptor"):
        duplicates([0, 10**6])
    assert descriptors() == before


def test_closing():
    pipe = os.pipe()
    close_all(pipe)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(pipe[0])
