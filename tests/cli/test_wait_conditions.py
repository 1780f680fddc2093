"""lbd.cli.wait_conditions: the conditions, and how long one looks."""

from typing import Any

import pytest

from lbd.cli import wait_conditions
from lbd.cli.daemon_client import DaemonAnswer
from lbd.cli.wait_conditions import parse_condition, unmet, wait_for
from lbd.errors import LbdError

UP = {"mode": "ready", "health": "up", "weight": 1, "in_flight": 2}
OUT = {**UP, "mode": "drain", "in_flight": 0}
SICK = {**UP, "health": "down"}


@pytest.mark.parametrize(("text", "facts", "met"), [
    ("up", UP, True), ("up", SICK, False), ("up", OUT, False), ("down", SICK, True), ("down", UP, False),
    ("drained", OUT, True), ("drained", UP, False), ("drained", {**OUT, "in_flight": 1}, False),
    ("drained", {**UP, "weight": 0, "in_flight": 0}, True), ("usable=0", SICK, True),
    ("usable=1", {"servers": {"a": UP, "b": OUT}}, True), ("usable=2", {"servers": {"a": UP, "b": OUT}}, False),
    ("up", {"servers": {"a": UP, "b": SICK}}, False)])
def test_conditions(text: str, facts: dict[str, Any], met: bool) -> None:
    assert parse_condition(text)(facts) is met


@pytest.mark.parametrize("text", ["", "usable", "usable=", "usable=-1", "gone"])
def test_unknown_conditions(text: str) -> None:
    with pytest.raises(ValueError, match="must be drained, up, down or usable=N"):
        parse_condition(text)


class Daemon:
    """Answers one after the other, the last one for ever; time passes by the pauses alone."""

    address = "x"

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.now = 0.0

    def send_request(self, _method: str, _path: str) -> DaemonAnswer:
        return DaemonAnswer(200, self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def wait(self, text: str, seconds: float) -> Any:
        return wait_for(self, "app/a", parse_condition(text), seconds, self.pass_time, lambda: self.now)  # type: ignore[arg-type]

    def pass_time(self, seconds: float) -> None:
        self.now += seconds


def test_it_must_be_so_twice_in_a_row() -> None:
    daemon = Daemon(SICK, UP, SICK, UP, UP)
    assert daemon.wait("up", 60.0) == UP
    assert daemon.now == pytest.approx(4 * wait_conditions.PAUSE)


def test_it_ends_in_time() -> None:
    daemon = Daemon(SICK)
    assert daemon.wait("up", 1.0) is None
    assert daemon.now == pytest.approx(1.0, abs=wait_conditions.PAUSE)


def test_what_keeps_a_condition_from_being_met_is_told_of_at_most_five_servers() -> None:
    servers = {"a": UP, "b": OUT, "c": {**SICK, "in_flight": 1}}
    daemon: Any = Daemon({"servers": servers})
    assert unmet(daemon, "app", parse_condition("up")) == "b is drain, up, 0 in flight; c is ready, down, 1 in flight"
    text = "b is drain, up, 0 in flight; c is ready, down, 1 in flight"
    assert unmet(daemon, "app", parse_condition("usable=3")) == text
    many: Any = Daemon({"servers": {str(number): SICK for number in range(8)}})
    assert unmet(many, "app", parse_condition("up")).endswith("4 is ready, down, 2 in flight; 3 more")


def test_another_version() -> None:
    with pytest.raises(LbdError, match="another version"):
        Daemon({}).wait("up", 1.0)
