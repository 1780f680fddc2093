"""Tracing in the supervisor: nothing before it is wanted, then a pipe for every worker."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from lbd.errors import LbdError
from lbd.generation import tracing
from lbd.generation.tracing import Tracing, spans
from lbd.schema import TracingConfig as Settings
from lbd.workers.messages import TraceTo


class Worker:
    """Keeps the pipes that it gets."""

    def __init__(self) -> None:
        self.pipes: list[int] = []

    def send(self, message: object, fds: tuple[int, ...]) -> None:
        assert message == TraceTo()
        self.pipes += map(os.dup, fds)


class Sink:
    """Keeps nothing and is never there again."""

    def __init__(self) -> None:
        self.closed = False

    def write(self, data: bytes) -> None:
        raise OSError("gone")

    def reopen(self) -> None:
        return

    def close(self) -> None:
        self.closed = True


def test_without_the_extra_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spans(Settings()) is None
    monkeypatch.setattr(tracing, "SPANS", "lbd.control.no_such_module")
    with pytest.raises(LbdError, match=r"tracing.enabled: OpenTelemetry is not installed .*pip install 'lbd\[otel\]'"):
        spans(Settings(enabled=True))


def test_the_sdk_is_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "SPANS", "fake_spans")
    monkeypatch.setitem(__import__("sys").modules, "fake_spans", SimpleNamespace(Spans=lambda settings: "made"))
    assert spans(Settings(enabled=True)) == "made"


def test_workers_get_pipes_from_the_first_time_on() -> None:
    made, old, new = Tracing(), Worker(), Worker()
    workers: Any = [old]
    made.use(None, workers)
    made.give_pipe(old)  # type: ignore[arg-type]
    assert (old.pipes, made.lost) == ([], 0)
    sink = Sink()
    made.use(sink, workers)
    made.give_pipe(new)  # type: ignore[arg-type]
    made.use(sink, workers)
    assert (len(old.pipes), len(new.pipes)) == (1, 1)
    os.write(new.pipes[0], b"1\n2\n")
    for pipe in (*old.pipes, *new.pipes):
        os.close(pipe)
    made.close(10.0)
    assert made.lost == 2
    assert sink.closed
