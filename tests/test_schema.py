"""Tests of lbd.schema: the table of keys is whole, and its classes can be made without a file."""

import dataclasses
import pickle
from collections.abc import Iterator

import pytest

from lbd import schema
from lbd.schema import (
    REQUIRED,
    BackendConfig,
    Config,
    HealthPolicy,
    Key,
    ListenerConfig,
    RouteConfig,
    ServerConfig,
    keys,
)
from lbd.schema.units import Address

SECTIONS = [item for item in vars(schema).values()
            if isinstance(item, type) and dataclasses.is_dataclass(item) and keys(item)]


def all_keys() -> Iterator[tuple[str, Key]]:
    for section in SECTIONS:
        for name, (_, about) in keys(section).items():
            yield f"{section.__name__}.{name}", about


KEYS = list(all_keys())


@pytest.mark.parametrize(("name", "about"), KEYS, ids=[name for name, _ in KEYS])
def test_each_key_is_whole(name: str, about: Key) -> None:
    assert about.text
    assert "\n" not in about.text
    assert (about.kind is None) is (about.section is not None)
    if about.kind is not None and about.default not in (None, REQUIRED):
        about.kind.parse(about.default)
    if about.kind is not None and about.example is not None:
        about.kind.parse(about.example)
    if about.default is REQUIRED:
        assert about.example is not None
    assert about.reload in ("live", "add", "drain", "rebind", "restart")


def test_every_class_is_reached_from_the_configuration() -> None:
    reached = {Config}
    waiting: list[type] = [Config]
    while waiting:
        for _, about in keys(waiting.pop()).values():
            if about.section is not None and about.section not in reached:
                reached.add(about.section)
                waiting.append(about.section)
    assert set(SECTIONS) - reached == set()


def test_keys_have_the_names_that_are_written() -> None:
    assert keys(Config)["global"][0] == "global_"
    assert "options" not in keys(HealthPolicy)


def test_defaults() -> None:
    config = Config()
    assert config.timeouts.tunnel == 3600.0
    assert config.admin.bind == Address(path="/run/lbd/admin.sock")
    assert BackendConfig().algorithm.name == "weighted-round-robin"
    assert ListenerConfig(bind=()).max_head == 32768
    assert ServerConfig(address=Address("10.0.0.1", 80)).weight == 1
    assert RouteConfig().method == ()


def test_instances_are_values() -> None:
    config = Config(backends={"app": BackendConfig(servers={"a": ServerConfig(address=Address("10.0.0.1", 80))})})
    assert pickle.loads(pickle.dumps(config)) == config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.log = schema.Log()  # type: ignore[misc]
