"""The generation in force, and its endpoints as the workers know them."""

import pytest

from lbd.backend.snapshot import Endpoint, Generation
from lbd.errors import NotReady
from lbd.generation.in_force import InForce
from lbd.schema import BackendConfig, Config, ServerConfig
from lbd.schema.units import Address

A = Endpoint("app", "a", Address("10.0.0.1", 80), 0)


def test_before_the_first_generation():
    with pytest.raises(NotReady, match="still starting"):
        InForce().require_generation()
    assert not InForce().in_files("app", "a")


def test_endpoints_are_those_of_the_generation_until_others_are_noted():
    in_force = InForce()
    in_force.put_generation(generation := Generation(1, Config(), {"app": (A,)}, {}, {}, {}))
    assert in_force.require_generation() is generation
    assert in_force.has_server(("app", "a"))
    in_force.note_endpoints([A._replace(mode="drain")])
    assert in_force.endpoints["app", "a"].mode == "drain"
    assert generation.endpoints["app"] == (A,)


def test_the_servers_of_the_files():
    in_force = InForce()
    in_force.file_config = Config(backends={"app": BackendConfig(servers={"a": ServerConfig(Address("10.0.0.1", 80))})})
    assert [in_force.in_files(*path) for path in (("app", "a"), ("app", "b"), ("other", "a"))] == [True, False, False]
