"""The outputs of access log and traces: opened before a change, used after it, closed if there is none."""

import dataclasses
from types import SimpleNamespace

import pytest

from lbd.errors import LbdError
from lbd.generation import log_outputs
from lbd.generation.log_outputs import AccessLogOutput, TracingOutput
from lbd.schema import Config, Log, TracingConfig

OLD = Config()


def logging_to(path):
    return dataclasses.replace(OLD, log=dataclasses.replace(Log(), access=str(path)))


class Used:
    """A collector that notes the sinks that it is to use."""

    def __init__(self):
        self.sinks = []

    def use(self, sink, *_workers):
        self.sinks.append(sink)


async def test_a_new_file_is_used_from_the_commit_on(tmp_path):
    used = Used()
    output = AccessLogOutput(used)
    await output.stage(OLD, logging_to(tmp_path / "access.log"))
    assert (tmp_path / "access.log").exists()
    assert used.sinks == []
    await output.commit()
    assert len(used.sinks) == 1
    used.sinks[0].close()


async def test_the_same_file_is_not_opened_again(tmp_path):
    used = Used()
    output = AccessLogOutput(used)
    await output.stage(logging_to(tmp_path / "access.log"), logging_to(tmp_path / "access.log"))
    await output.commit()
    assert used.sinks == []
    assert not (tmp_path / "access.log").exists()


async def test_a_file_that_cannot_be_opened_refuses_the_change(tmp_path):
    with pytest.raises(LbdError, match=r"log\.access"):
        await AccessLogOutput(Used()).stage(OLD, logging_to(tmp_path / "none" / "access.log"))


async def test_an_exporter_is_closed_when_the_change_is_taken_back(monkeypatch):
    closed = []
    monkeypatch.setattr(log_outputs, "spans", lambda settings: SimpleNamespace(close=lambda: closed.append(settings)))
    used = Used()
    output = TracingOutput(used, SimpleNamespace(processes=list))
    new = dataclasses.replace(OLD, tracing=TracingConfig(enabled=True))
    await output.stage(OLD, new)
    await output.rollback()
    assert closed == [new.tracing]
    await output.stage(OLD, new)
    await output.commit()
    assert len(used.sinks) == 1
    await output.stage(new, new)
    await output.commit()
    assert len(used.sinks) == 1
