"""lbd.simulation.fault: how faults are written, and what is said of wrong ones."""

import pytest

from lbd.errors import UsageError
from lbd.simulation.fault import Fault, parse


@pytest.mark.parametrize(("kind", "text", "fault"), [
    ("slow", "a@50%:x10", Fault("slow", "a", 0.5, 1.0, 10.0)),
    ("slow", "b@12.5%-60%:x0.5", Fault("slow", "b", 0.125, 0.6, 0.5)),
    ("dies", "a@0%", Fault("dies", "a", 0.0)),
    ("hangs", "a@20%-100%", Fault("hangs", "a", 0.2)),
])
def test_read_and_written(kind: str, text: str, fault: Fault) -> None:
    assert parse(kind, text, ["a", "b"]) == fault
    assert str(fault) == f"{kind} {text}".replace("-100%", "")


@pytest.mark.parametrize(("kind", "text", "message"), [
    ("slow", "a@50%", '--slow: "a@50%" is not SERVER@WHEN%:xFACTOR, like a@50%:x10 or a@20%-60%:x10'),
    ("dies", "a@50%:x2", '--dies: "a@50%:x2" is not SERVER@WHEN%, like a@50% or a@20%-60%'),
    ("dies", "a", '--dies: "a" is not SERVER@WHEN%, like a@50% or a@20%-60%'),
    ("dies", "web@50%", '--dies: "web" is no server; must be a or web1; did you mean "web1"?'),
    ("hangs", "a@60%-20%", '--hangs: "a@60%-20%" ends before it begins, or after 100%'),
    ("hangs", "a@60%-120%", '--hangs: "a@60%-120%" ends before it begins, or after 100%'),
    ("hangs", "a@100%", '--hangs: "a@100%" ends before it begins, or after 100%'),
    ("slow", "a@1%:x0", '--slow: the factor of "a@1%:x0" must be above 0 and at most 10000'),
])
def test_wrong(kind: str, text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(kind, text, ["a", "web1"])
    assert str(caught.value) == message
