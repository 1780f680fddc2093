"""The source of configurations: which files are read, watched and taken for the same."""

import dataclasses

import pytest

from lbd.config.reader import Loaded
from lbd.errors import ConfigError, LbdError, Problem
from lbd.reload.config_source import ConfigSource
from lbd.schema import Config, Global

FIRST = Loaded(Config(), [], ("main",), {})


@pytest.fixture
def calls():
    return []


@pytest.fixture
def source(calls):
    def load(file=None, documents=None):
        calls.append(file)
        return Loaded(Config(global_=Global(workers=2)), [], (file or "main",), {})
    return ConfigSource(load, FIRST)


async def test_what_may_be_read(source, calls):
    await source.read_files()
    await source.read_planned("/other")
    earlier = await source.read_earlier("/generations/1")
    assert calls == [None, "/other", "/generations/1"]
    assert earlier.files == ("main",), "an earlier generation is kept elsewhere, its files are watched on"


async def test_a_configuration_that_came_once_is_not_read_again(source, calls):
    source.accept(dataclasses.replace(FIRST, once="it came by standard input"))
    for read in (source.read_files(), source.read_planned(None)):
        with pytest.raises(LbdError, match="standard input"):
            await read
    assert (await source.read_earlier("/kept")).once == "it came by standard input"
    assert calls == ["/kept"]


def test_refused_files_are_watched_until_others_are_in_force(source):
    problem = Problem("broken", 1, 1, "k", "m")
    source.watch_refused(ConfigError([problem]))
    assert set(source.files) >= {"main"}
    source.accept(dataclasses.replace(FIRST, refused=[problem]))
    assert (source.files, source.refused) == (("main",), [str(problem)])


def test_another_way_to_include_is_no_change(source):
    assert source.is_in_force(dataclasses.replace(FIRST, config=Config(include=("*.toml",))))
    assert not source.is_in_force(dataclasses.replace(FIRST, config=Config(global_=Global(workers=2))))
