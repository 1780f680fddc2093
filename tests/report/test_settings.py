"""The settings in force: files, overrides, registrations."""

from types import SimpleNamespace

from lbd.backend.snapshot import Endpoint, Generation
from lbd.config.runtime import Override, RegistrationRequest, SavedRegistration
from lbd.discovery.registry import Registry
from lbd.generation.in_force import InForce
from lbd.generation.overrides import Overrides
from lbd.report.settings import describe
from lbd.schema import BackendConfig, Config, Registration, ServerConfig
from lbd.schema.units import Address

HERE = Address("10.0.0.1", 80)


def plane():
    overrides, registry = Overrides(), Registry()
    overrides.put_override(("app", ""), Override("app", mode="drain", who="me"))
    registry.register(SavedRegistration("app", "b", RegistrationRequest(HERE), "them"), 1.0)
    backend = BackendConfig(servers={"a": ServerConfig(HERE)}, registration=Registration())
    config = registry.merged_into(Config(backends={"app": backend}))
    endpoints = {"app": tuple(overrides.apply_to(Endpoint("app", name, HERE, 0)) for name in "ab")}
    servers = SimpleNamespace(overrides=overrides, registry=registry,
                              endpoints=SimpleNamespace(by_backend=lambda config: endpoints))
    generation = Generation(2, config, endpoints, {}, {}, {})
    return SimpleNamespace(servers=servers, in_force=SimpleNamespace(generation=generation))


def test_where_each_value_is_from():
    path = ("backends", "app", "servers", "a")
    described = describe(plane(), {path: ("lbd.toml", 7, 1), ("backends", "app"): ("lbd.toml", 5, 1)})
    found = {one["key"]: (one["value"], one["origin"]) for one in described["settings"]}
    assert described["generation"] == 2
    assert found["backends.app.servers.a.address"] == ("10.0.0.1:80", "lbd.toml:7")
    assert found["backends.app.servers.a.mode"] == ("drain", "override by me")
    assert found["backends.app.servers.b.address"] == ("10.0.0.1:80", "registration by them")
    assert found["log.level"] == ("info", "default")


def test_nothing_before_the_first_generation():
    assert describe(SimpleNamespace(in_force=InForce()), {}) == {"generation": 0, "settings": []}
