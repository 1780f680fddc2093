"""The supervisor in this process: it starts, reloads, refuses, and stops with the right exit code."""

import asyncio
import dataclasses
import time

import pytest
import structlog

from lbd.config.reader import Loaded
from lbd.control.supervisor import Supervisor
from lbd.errors import ConfigError, LbdError, Problem
from lbd.schema import Admin, BackendConfig, Config, Global, ListenerConfig, Log, ServerConfig
from lbd.schema.units import Address
from tests.waiting import until


class Files:
    """The configuration as the supervisor reads it."""

    def __init__(self, directory):
        self.error = None
        self.config = Config(
            global_=Global(workers=1, drain_timeout=0.0, state_dir=str(directory / "state")),
            log=Log(level="error"),
            admin=Admin(bind=Address(path=str(directory / "admin.sock"))),
            listeners={"web": ListenerConfig(bind=(Address("127.0.0.1", 0),), backend="app")},
            backends={"app": BackendConfig(servers={"a": ServerConfig(address=Address("127.0.0.1", 9))})})

    def load(self, file=None, good=None):
        if self.error is not None:
            raise self.error
        return Loaded(self.config, [], ("file",), {})


@pytest.fixture
async def files(tmp_path):
    yield Files(tmp_path)
    structlog.reset_defaults()


@pytest.fixture
async def running(files):
    supervisor = Supervisor(files.load, files.load())
    life = asyncio.ensure_future(supervisor.run())
    try:
        await until(lambda: life.done() or not supervisor.operations.ready, 30)
        assert not life.done()
        yield supervisor
    finally:
        supervisor.handle_term()
        async with asyncio.timeout(30):
            assert await life == 0
    assert supervisor.operations.ready == "stopping"


async def test_status_and_metrics(running):
    status = running.operations.status()
    assert (status["state"], status["generation"], len(status["workers"])) == ("ready", 1, 1)
    body, _ = running.operations.metrics("", {})
    assert b'lbd_server_up{backend="app",server="a"} 1' in body
    assert b"lbd_config_generation 1" in body


async def test_a_clock_that_is_set_makes_nothing_older(running, monkeypatch):
    before = running.operations.status()
    real = time.time
    for jump in (-20_000 * 86_400, 3650 * 86_400):
        with monkeypatch.context() as set_to:
            set_to.setattr(time, "time", lambda jump=jump: real() + jump)
            now = running.operations.status()
        for was, has in ((before, now), (before["workers"][0], now["workers"][0])):
            assert was["uptime_seconds"] <= has["uptime_seconds"] < was["uptime_seconds"] + 86_400


async def test_reloads(running, files):
    same = await running.operations.reload(False)
    assert (same["generation"], same["changed"], same["plan"]["changes"]) == (1, False, [])
    more = {"servers": {"b": ServerConfig(address=Address("127.0.0.1", 10))}}
    files.config = dataclasses.replace(files.config, backends={"app": BackendConfig(**more)})
    planned = await running.operations.plan(None)
    done = await running.operations.reload(False)
    assert (done["generation"], done["changed"]) == (2, True)
    assert [change["path"] for change in done["plan"]["changes"]] == [
        "backends.app.servers.a", "backends.app.servers.b"] == [change["path"] for change in planned["changes"]]
    assert running.operations.status()["last_reload"]["success"]


@pytest.mark.parametrize("error", [LbdError("no"), ConfigError([Problem("f", 1, 1, "k", "m")])])
async def test_a_reload_that_fails_changes_nothing(running, files, error):
    files.error = error
    with pytest.raises(type(error)):
        await running.operations.reload(False)
    assert running.operations.status()["last_reload"]["error"] == str(error)
    assert running.operations.status()["generation"] == 1
    assert b"lbd_config_last_reload_success 0" in running.operations.metrics("", {})[0]


async def test_it_does_not_start_on_an_address_that_is_not_there(files):
    files.config = dataclasses.replace(files.config, listeners={
        "web": ListenerConfig(bind=(Address("192.0.2.1", 80),), backend="app")})
    async with asyncio.timeout(30):
        assert await Supervisor(files.load, files.load()).run() == 1
