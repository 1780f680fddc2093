"""The codecs: what is sent is read again, and a worker's report is nothing but a known name and bounded scalars."""

import json
import os
import pickle
from dataclasses import fields

import pytest

from lbd.workers.codec import MOST_TEXT, ORDERS, REPORTS
from lbd.workers.messages import (
    Committed,
    Confirmed,
    ConnectFailed,
    Cut,
    ExplainReady,
    Listen,
    Ping,
    Pong,
    Ready,
    Veto,
    WorkerHello,
)

SAID = [WorkerHello("0.1.0", 2**64 - 1), WorkerHello("", -1), Ready(1), Veto(2, 'no: "a" \\ \x00 ü 🦆'),
        Committed(3), ExplainReady(), ConnectFailed("app", "a", "[::1]:80"), Confirmed(),
        Pong(7)]


class Command:
    """A command that a pickle runs when it is read."""

    def __init__(self, call, *words):
        self.call = call, words

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("message", SAID)
def test_a_report_is_read_as_it_was(message):
    assert REPORTS.decode(REPORTS.encode(message)) == message
    assert len(REPORTS.encode(message)) <= REPORTS.longest


@pytest.mark.parametrize("message", [Listen("web", True), Ping(1), Cut()])
def test_an_order_is_read_as_it_was(message):
    assert ORDERS.decode(ORDERS.encode(message)) == message
    with pytest.raises(TypeError, match=type(message).__name__):
        REPORTS.encode(message)


@pytest.mark.parametrize("letter", ["x", "\x01", "🦆", '"'])
def test_long_text_is_cut_to_fit(letter):
    sent = [Veto(1, letter * 1_000_000), ConnectFailed(*(letter * 5000 for _ in fields(ConnectFailed)))]
    for message in sent:
        data = REPORTS.encode(message)
        assert len(data) <= REPORTS.longest
        read = REPORTS.decode(data)
        assert isinstance(read, type(message))
    assert REPORTS.decode(REPORTS.encode(sent[0])).reason == letter * (MOST_TEXT - 1) + "…"


def test_text_that_is_no_unicode_is_replaced():
    assert REPORTS.decode(REPORTS.encode(Veto(1, "a\udc80b"))) == Veto(1, "a?b")


@pytest.mark.parametrize("found", [
    [], {}, None, "Pong", 7, [7], [[]], ["Pong"], ["Pong", 1, 2], ["Pong", "1"], ["Pong", True], ["Pong", 1.0],
    ["Pong", None], ["Pong", 2**64], ["Pong", float("nan")], ["Veto", 1, ["x"]], ["Veto", 1, "x" * (MOST_TEXT + 1)],
    ["Veto", 1, "\udc80"], ["Hello", {}, 1], ["Ping", 1], ["Cut"], ["Prepare", {}], ["system", "true"],
    ["ExplainReady", 0], {"Pong": 1},
])
def test_anything_else_is_refused(found):
    with pytest.raises(ValueError, match=r".") as caught:
        REPORTS.decode(json.dumps(found).encode())
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("data", [b"", b"\xff", b"[", b'["Pong",1]x', b"[" * 60_000, b"9" * 60_000,
                                  b'["Pong",' + b"9" * 60_000 + b"]", b'["' + b"P" * 60_000 + b'",1]'])
def test_bytes_that_are_no_report(data):
    with pytest.raises(ValueError, match=r".") as caught:
        REPORTS.decode(data)
    assert len(str(caught.value)) < 400


def test_a_pickle_that_runs_something_runs_nothing(tmp_path):
    made = tmp_path / "made"
    opening = Command(open, str(made), "w")
    for forged in (Command(os.system, f"touch {made}"), opening, Pong(opening)):
        with pytest.raises(ValueError, match=r"."):
            REPORTS.decode(pickle.dumps(forged))
    assert not made.exists()


def test_an_order_is_a_message():
    with pytest.raises(ValueError, match="int is no message"):
        ORDERS.decode(pickle.dumps(1))
