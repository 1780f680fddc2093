"""The health policies of backends and servers, and the host names that they and the servers need."""

from dataclasses import replace

from lbd.schema import BackendConfig, Config, HealthPolicy, ServerConfig
from lbd.schema.units import Address


def host_names(config: Config) -> dict[str, float]:
    """The host names that have to be looked up, and how often (seconds)."""
    names: dict[str, float] = {}
    for backend in config.backends.values():
        for server in backend.servers.values():
            if not server.address.literal:
                name = server.address.host
                names[name] = min(backend.resolve, names.get(name, backend.resolve))
        if name := checked_name_of(health_policy_of(config, backend)):
            names[name] = min(backend.resolve, names.get(name, backend.resolve))
    return names


def health_policy_of(config: Config, backend: BackendConfig) -> HealthPolicy | None:
    """The health policy of a backend, whether named or in place."""
    if isinstance(backend.health, str):
        return config.health[backend.health]
    return backend.health


def health_check_of(config: Config, backend: BackendConfig, server: ServerConfig) -> HealthPolicy | None:
    """The health policy by which one server of a backend is checked; None where it is not."""
    policy = health_policy_of(config, backend) if server.check else None
    return replace(policy, port=server.check_port) if policy is not None and server.check_port is not None else policy


def checked_name_of(policy: HealthPolicy | None) -> str:
    """The host name that a policy checks instead of the servers' own addresses; "" without one."""
    return policy.address if policy is not None and policy.address and not Address(policy.address).literal else ""
