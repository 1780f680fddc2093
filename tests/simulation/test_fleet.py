"""lbd.simulation.fleet: servers from words, from a configuration and from a log."""

import pytest

from lbd import schema
from lbd.errors import UsageError
from lbd.schema import BackendConfig, Config, HealthPolicy, ServerConfig
from lbd.schema.units import Address
from lbd.simulation import fleet
from lbd.simulation.fleet import ServerTiming


def config(**backends: BackendConfig) -> Config:
    return Config(backends=backends, health={"web": HealthPolicy(interval=1.0, timeout=0.5, rise=2, fall=3)})


def backend(**more: object) -> BackendConfig:
    servers = {name: ServerConfig(Address("app.internal", 80), weight) for name, weight in (("one", 1), ("two", 3))}
    return BackendConfig(servers=servers, **more)  # type: ignore[arg-type]


def test_words() -> None:
    made = fleet.from_words(fleet.parse("5ms, 0.5sx3,slow=2s"), 4)
    assert dict(made.seconds) == {"a": 0.005, "b": 0.5, "slow": 2.0}
    assert [(one.name, one.slot, one.weight) for one in made.endpoints] == [("a", 0, 1), ("b", 1, 3), ("slow", 2, 1)]
    assert made.capacity == 4 / 0.005 + 4 / 0.5 + 4 / 2
    assert made.weighted
    assert (made.detect, made.recover) == (7.0, 4.0)       # by the default policy


def test_many_servers_have_names() -> None:
    assert [fleet.label(place) for place in (0, 25, 26, 701, 702)] == ["a", "z", "aa", "zz", "aaa"]


@pytest.mark.parametrize(("text", "message"), [
    ("", '--servers: "" is not TIME, TIMExWEIGHT or NAME=TIME, like 5ms, 40msx2 or a=5ms'),
    ("5", '--servers: "5" is not TIME, TIMExWEIGHT or NAME=TIME, like 5ms, 40msx2 or a=5ms'),
    ("5parsecs", '--servers: "5parsecs" has no known unit (ms, s, m, h or d)'),
    ("1d", '--servers: "1d" is too long'),
    ("5msx1001", '--servers: "5msx1001" is out of range'),
    ("a b=5ms", '--servers: "a b=5ms" has a character that a name cannot have'),
    ("1ms," * 5000 + "1ms", "--servers: 5001 are too many; at most 5000"),
])
def test_wrong_words(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        fleet.parse(text)
    assert str(caught.value).startswith(message)


def test_a_name_twice() -> None:
    with pytest.raises(UsageError, match="is there twice"):
        fleet.from_words(fleet.parse("a=1ms,a=2ms"), 1)


def test_a_configuration() -> None:
    made = fleet.from_config(config(app=backend(health="web", retries=1)), None, [ServerTiming("two", 0.2, 5)], {}, 8)
    assert dict(made.seconds) == {"one": fleet.SECONDS, "two": 0.2}
    assert [(one.backend, one.name, one.weight) for one in made.endpoints] == [("app", "one", 1), ("app", "two", 5)]
    assert made.settings.retries == 1
    assert (made.detect, made.recover) == (3.5, 2.0)


def test_times_in_the_order_of_the_file_and_of_a_log() -> None:
    given = fleet.from_config(config(app=backend()), "app", fleet.parse("1ms,2ms"), {"one": 9.0}, 8)
    assert dict(given.seconds) == {"one": 0.001, "two": 0.002}
    assert given.detect is None
    logged = fleet.from_config(config(app=backend()), "app", [], {"one": 0.03, "gone": 0.01}, 8)
    assert dict(logged.seconds) == {"one": 0.03, "two": 0.02}
    assert dict(fleet.from_log({"x": 0.5, "y": 0.0}, 8).seconds) == {"x": 0.5, "y": 0.00001}


@pytest.mark.parametrize(("given", "name", "timings", "message"), [
    (config(), None, "", "the configuration has no backend: give --servers instead"),
    (config(app=backend(), api=backend()), None, "", "--backend: which one? There are app and api"),
    (config(app=backend()), "ap", "", '--backend: "ap" is no backend of the configuration; must be app; did you mean'),
    (config(app=BackendConfig()), "app", "", '--backend: "app" has no servers: give --servers instead'),
    (config(app=backend()), "app", "1ms", "--servers: without names, one time for each of the 2 servers of app"),
    (config(app=backend()), "app", "tow=1ms", '--servers: "tow" is no server of app; must be one or two; did you mean'),
])
def test_what_is_not_there(given: Config, name: str | None, timings: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        fleet.from_config(given, name, fleet.parse(timings) if timings else [], {}, 8)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(("words", "fair"), [
    ("5ms,5ms,40ms", "a 8, b 8, c 1"), ("5msx8,5msx7,40msx1", ""), ("5ms,6ms", ""), ("0.1ms,10m", "a 1000, b 1"),
    ("1msx0,2ms", "a 2, b 1"), (",".join(["1ms"] * 8) + ",9ms", "")])
def test_weights_that_fit(words: str, fair: str) -> None:
    assert fleet.from_words(fleet.parse(words), 8).fair == fair


def test_capacity_is_that_of_the_servers_in_use() -> None:
    servers = {"a": ServerConfig(Address("h", 1)), "b": ServerConfig(Address("h", 2), backup=True),
               "c": ServerConfig(Address("h", 3), mode="maint"), "d": ServerConfig(Address("h", 4), weight=0)}
    seconds = dict.fromkeys(servers, 0.1)
    settings = schema.BackendConfig(servers=servers)
    assert fleet.SimulatedFleet("x", settings, seconds, 2, None, None).capacity == 20
    assert fleet.SimulatedFleet("x", settings, seconds, 0, None, None).capacity == float("inf")
