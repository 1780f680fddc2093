"""The daemon's own log: its level is that of the configuration in force."""

import dataclasses

import pytest
import structlog

from lbd.control.daemon_log import DaemonLog
from lbd.log.logger import logger
from lbd.schema import Config, Log

QUIET, LOUD = Config(log=Log(level="error")), Config(log=dataclasses.replace(Log(), level="info"))


@pytest.fixture
def lines(monkeypatch):
    lines = []
    monkeypatch.setattr("lbd.log.output.LogOutput.write", lambda self, line: lines.append(line))
    yield lines
    structlog.reset_defaults()


async def test_the_level_follows_the_generation_in_force(lines):
    log = DaemonLog(QUIET)
    logger.info("one")
    await log.stage(QUIET, LOUD)
    await log.rollback()
    logger.info("two")
    assert lines == []
    await log.stage(QUIET, LOUD)
    await log.commit()
    logger.info("three")
    assert len(lines) == 1
    assert "three" in lines[0]


def test_a_workers_line_is_written_as_it_is(lines):
    DaemonLog(QUIET).write_line('{"event": "of a worker"}')
    assert lines == ['{"event": "of a worker"}\n']
