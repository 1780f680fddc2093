"""The endpoints: every server of a configuration with its address, slot and state as they are now."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from lbd.backend.snapshot import Endpoint, Generation
from lbd.backend.state import Identity, identity_of
from lbd.discovery.health_policies import checked_name_of, health_check_of, health_policy_of
from lbd.discovery.resolver import Resolver
from lbd.health.check import Secured
from lbd.health.schedule import Schedule, Target
from lbd.net import proxy_header
from lbd.schema import BackendConfig, Config, ServerConfig
from lbd.schema.units import Address
from lbd.stats import scoreboard
from lbd.stats.slots import Slots
from lbd.tls.credentials import Credentials, Place


class Endpoints:
    """Turns a configuration into endpoints. Keeps no state: resolver, schedule and slots have all of it.

    `ejection_reason` says why a server is left out because of failing requests, "" if it is not; `apply_changes` gives
    an endpoint the state that operators want it to have while lbd runs; `check_tls` is the TLS of a server's checks.
    """

    def __init__(self, slots: Slots, resolver: Resolver, schedule: Schedule,
                 ejection_reason: Callable[[Identity], str] = lambda key: "",
                 apply_changes: Callable[[Endpoint], Endpoint] = lambda endpoint: endpoint,
                 check_tls: Callable[[str, BackendConfig, Address, str], Secured | None] = lambda *_: None) -> None:
        self._ejection_reason = ejection_reason
        self._check_tls = check_tls
        self._apply_changes = apply_changes
        self._slots = slots
        self._resolver = resolver
        self._schedule = schedule

    def check_targets(self, config: Config) -> dict[Identity, Target]:
        """The targets of health checks, by identity."""
        targets: dict[Identity, Target] = {}
        for name, backend in config.backends.items():
            if (policy := health_policy_of(config, backend)) is None:
                continue
            at = next(iter(self._resolver.addresses_of(checked_name_of(policy))), "")
            for server, server_name, address in self._locations(name, backend):
                if address.literal and (check := health_check_of(config, backend, server)) is not None:
                    version = backend.send_proxy
                    greeting = proxy_header.local(proxy_header.VERSIONS[version]) if version is not None else b""
                    tls = self._check_tls(name, backend, address, server.address.host)
                    targets[identity_of(name, server_name, address)] = Target(address, check, greeting, tls, at)
        return targets

    def by_backend(self, config: Config) -> dict[str, tuple[Endpoint, ...]]:
        """Every server of every backend as it is now."""
        return {name: self.of_backend(config, name) for name in config.backends}

    def of_backend(self, config: Config, name: str) -> tuple[Endpoint, ...]:
        """Every server of one backend as it is now."""
        return tuple(self._endpoints(config, name, config.backends[name]))

    def make_generation(self, number: int, config: Config, max_connections: int, secret: bytes = b"",
                        credentials: Mapping[Place, Credentials] | None = None) -> Generation:
        """The generation as of now; raises `LbdError` when the scoreboard has no room, and then allocates no slot."""
        with self._slots.all_or_none():
            backends = {name: self._slots.allocate(scoreboard.BACKEND, name) for name in config.backends}
            listeners = {name: self._slots.allocate(scoreboard.LISTENER, name) for name in config.listeners}
            routes: dict[tuple[str, str], int] = {}
            for name, listener in config.listeners.items():
                for backend in {"", listener.backend or "", *(route.backend or "" for route in listener.routes)}:
                    routes[name, backend] = self._slots.allocate(scoreboard.ROUTE, (name, backend))
            return Generation(number, config, self.by_backend(config), backends, listeners, routes, max_connections,
                              secret, credentials or {})

    def changes_since(self, generation: Generation) -> tuple[Endpoint, ...]:
        """Endpoints of the generation that differ from what they were in it. An endpoint that came or went since (a
        name of `resolve_all`) needs a new generation and is not among them."""
        now = self.by_backend(generation.config)
        return tuple(endpoint for name, endpoints in generation.endpoints.items()
                     for endpoint, old in _pairs(now.get(name, ()), endpoints) if endpoint != old)

    def has_same_servers(self, generation: Generation) -> bool:
        """Whether the generation still has the right endpoints, whatever their state."""
        now = self.by_backend(generation.config)
        return all([endpoint.name for endpoint in endpoints] == [endpoint.name for endpoint in now[name]]
                   for name, endpoints in generation.endpoints.items())

    def health_reason(self, config: Config, endpoint: Endpoint) -> str:
        """The reason for the endpoint's health, in a few words; "" without checks."""
        if not endpoint.address.literal:
            return f"{endpoint.address.host} is not resolved: {self._resolver.failure_of(endpoint.address.host)}"
        key = endpoint.identity
        if reason := self._ejection_reason(key):
            return reason
        judgement = self._schedule.judgement_of(key)
        return judgement.reason if judgement is not None else ""

    def _endpoints(self, config: Config, name: str, backend: BackendConfig) -> Iterator[Endpoint]:
        checked = health_policy_of(config, backend) is not None
        for server, server_name, address in self._locations(name, backend):
            key = identity_of(name, server_name, address)
            health = "up"
            if not address.literal:
                health = "down"
            elif checked and server.check:
                judgement = self._schedule.judgement_of(key)
                health = judgement.health if judgement is not None else "unknown"
            if health == "up" and self._ejection_reason(key):
                health = "ejected"
            slot = self._slots.allocate(scoreboard.SERVER, key)
            yield self._apply_changes(
                Endpoint(name, server_name, address, slot, server.weight, server.backup, server.mode, health,
                         server.max_conns or 0, server.address.host))

    def _locations(self, group: str, backend: BackendConfig) -> Iterator[tuple[ServerConfig, str, Address]]:
        """Each server with the name and address of its endpoints; a name that is not resolved stands for itself."""
        for name, server in backend.servers.items():
            address = server.address
            if address.literal:
                yield server, name, address
            elif backend.resolve_all and (listed := self._resolver.sorted_addresses_of(address.host)):
                for host in listed:
                    yield server, f"{name}@{host}", replace(address, host=host)
            else:
                yield server, name, self._resolver.locate(group, name, address)


def _pairs(now: tuple[Endpoint, ...], before: tuple[Endpoint, ...]) -> Iterator[tuple[Endpoint, Endpoint]]:
    known: Mapping[str, Endpoint] = {endpoint.name: endpoint for endpoint in now}
    for endpoint in before:
        if endpoint.name in known:
            yield known[endpoint.name], endpoint
