"""A stage of a client connection before its first request: what all of them have in common."""

from types import SimpleNamespace
from typing import Any

import pytest

from lbd import schema
from lbd.downstream.stage import Stage
from lbd.exchange.streams import Peer
from lbd.stats import endings
from tests import built


class Admission:
    """Admits whom it is told to, and notes what it is asked."""

    def __init__(self, admits: bool = True) -> None:
        self.context = SimpleNamespace(now=5.0)
        self.admits = admits
        self.asked: list[Any] = []

    def connected(self, connection: Any, transport: Any) -> bool:
        self.asked.append(("connected", connection))
        return self.admits

    def enter(self, connection: Any) -> bool:
        self.asked.append(("enter", connection))
        return self.admits

    def replace(self, before: Any, after: Any) -> None:
        self.asked.append(("replace", before, after))

    def disconnected(self, connection: Any) -> None:
        self.asked.append(("disconnected", connection))


class Transport:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


def made(admits: bool = True) -> tuple[Any, Admission, Transport]:
    admission: Any = Admission(admits)
    nothing: Any = None
    return Stage(admission, Peer(built.listener(schema.ListenerConfig(()))), nothing), admission, Transport()


@pytest.mark.parametrize("admits", [True, False])
def test_who_may_not_connect_does_not_enter(admits: bool) -> None:
    stage, admission, transport = made(admits)
    stage.connection_made(transport)
    assert admission.asked == [("connected", stage), ("enter", stage)][:1 + admits]


def test_the_next_one_takes_its_place() -> None:
    stage, admission, transport = made()
    after, _, _ = made()
    after.peer = stage.peer
    assert stage.hand_over(after, transport, 3.0)
    assert stage.closed
    assert (after.transport, stage.peer.transport, after.deadline) == (transport, transport, 8.0)
    assert admission.asked == [("replace", stage, after), ("enter", after)]


def test_the_client_may_not_go_on() -> None:
    stage, _, transport = made(False)
    after, _, _ = made()
    assert not stage.hand_over(after, transport, 3.0)


def test_its_end() -> None:
    stage, admission, transport = made()
    stage.transport = transport
    assert not stage.eof_received()
    stage.expire()
    assert transport.aborted
    assert stage.closed
    stage.connection_lost(None)
    assert admission.asked == [("disconnected", stage)]


def test_an_operator_stops_it() -> None:
    stage, _, transport = made()
    stage.transport = transport
    stage.stop(endings.SHUTDOWN_CUT)
    assert transport.aborted


def test_it_is_never_between_two_requests() -> None:
    stage, _, _ = made()
    stage.dismiss()
    stage.pause_writing()
    stage.resume_writing()
    stage.admitted()
    assert stage.data_received(b"x") is None
    assert not stage.idle
    assert stage.requests() == []
