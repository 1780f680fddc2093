"""The health policies: by name and in place, and the host names that have to be looked up."""

from lbd.discovery.health_policies import health_check_of, health_policy_of, host_names
from lbd.schema import BackendConfig, Config, HealthPolicy, ServerConfig
from lbd.schema.units import Address

TCP = HealthPolicy(type="tcp")


def test_policies_by_name_and_in_place():
    some = Config(health={"web": TCP})
    assert health_policy_of(some, BackendConfig(health="web")) is TCP
    assert health_policy_of(some, BackendConfig(health=TCP)) is TCP
    assert health_policy_of(some, BackendConfig()) is None


def test_a_name_is_looked_up_as_often_as_the_most_eager_backend_wants():
    server = {"a": ServerConfig(address=Address("x.test", 80))}
    assert host_names(Config(backends={"a": BackendConfig(servers=server, resolve=9.0),
                                  "b": BackendConfig(servers=server, resolve=4.0)})) == {"x.test": 4.0}


def test_a_server_may_be_checked_at_another_port_or_not_at_all():
    here = Address("10.0.0.1", 80)
    backend = BackendConfig(health=TCP)
    assert health_check_of(Config(), backend, ServerConfig(here)) is TCP
    assert health_check_of(Config(), backend, ServerConfig(here, check_port=81)).port == 81
    assert health_check_of(Config(), backend, ServerConfig(here, check=False)) is None
    assert health_check_of(Config(), BackendConfig(), ServerConfig(here)) is None
