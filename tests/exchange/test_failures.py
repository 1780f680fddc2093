"""Failures of servers, one rule at a time; the ways of whole requests are in test_retry.py."""

from typing import Any

import pytest

from lbd.exchange import failures
from lbd.exchange.streams import Peer, Requester
from lbd.http.message import Head
from tests import built


def requester(method: str) -> Requester:
    peer: Any = Peer.__new__(Peer)
    record: Any = None
    made = Requester(peer, record)
    made.request = Head(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    made.route = built.target()
    return made


@pytest.mark.parametrize(("method", "twice"), [
    ("GET", True), ("HEAD", True), ("PUT", True), ("DELETE", True), ("OPTIONS", True), ("TRACE", True),
    ("POST", False), ("PATCH", False), ("PROPFIND", False)])
def test_what_may_be_done_twice(method: str, twice: bool) -> None:
    assert failures.idempotent(requester(method)) is twice


def test_a_tcp_connection_is_never_repeated() -> None:
    made = requester("GET")
    made.request = None
    assert not failures.idempotent(made)


def test_the_tries_of_an_exchange_are_kept() -> None:
    made = requester("GET")
    context: Any = type("Context", (), {"now": 5.0})()
    tries = failures.retries(made, context)
    assert failures.retries(made, context) is tries is made.retries
