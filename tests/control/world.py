"""Runtime changes of a control plane that is only pretended, with a clock and a file."""

import tomllib

from lbd.backend.snapshot import Endpoint, Generation
from lbd.control import runtime_state
from lbd.control.runtime_changes import RuntimeChanges
from lbd.discovery.registry import Registry
from lbd.generation.cuts import Cuts
from lbd.generation.in_force import InForce
from lbd.generation.overrides import Overrides
from lbd.schema import BackendConfig, Config, Global, Registration, ServerConfig
from lbd.schema.units import Address
from tests.waiting import until

CONFIG = Config(global_=Global(drain_timeout=0.0), backends={
    "app": BackendConfig(servers={"a": ServerConfig(Address("10.0.0.1", 80))}, registration=Registration(most=2)),
    "closed": BackendConfig(servers={"a": ServerConfig(Address("10.0.0.1", 80))})})
OFFER = {"address": "10.0.0.2:80", "ttl": "10s"}


class Plane:
    """A control plane all of whose parts are this one object."""

    require_generation = InForce.require_generation

    def __init__(self):
        self.overrides = Overrides()
        self.registry = Registry()
        self.cuts = Cuts(lambda: 100.0)
        self.workers = {}
        self.file_config = CONFIG
        self.servers = self.in_force = self.rows = self.publisher = self.coordinator = self.predecessor = self
        endpoints = {name: (Endpoint(name, "a", Address("10.0.0.1", 80), 0),) for name in CONFIG.backends}
        self.generation = Generation(1, CONFIG, endpoints, {}, {}, {})
        self.told = 0
        self.late = []
        self.regrouped = 0
        self.flying = 0
        self.endpoints = self

    def of_backend(self, _config, backend):
        """The endpoints with what the overrides say of their mode."""
        return [endpoint._replace(mode=override.mode or "ready" if override is not None else "ready")
                for endpoint in self.generation.endpoints[backend]
                for override in (self.overrides.override_of((backend, endpoint.name))
                                 or self.overrides.override_of((backend, "")),)]

    def apply_overrides(self):
        self.told += 1
        self.cuts.forget_returned(self, CONFIG)

    async def wait_until_in_force(self):
        return self.late

    async def apply_registrations(self):
        self.regrouped += 1

    def unwanted_registrations(self, config):
        return self.registry.unwanted(config)

    def in_files(self, backend, server):
        return server in CONFIG.backends[backend].servers

    def has_server(self, name):
        return name[1] in {endpoint.name for endpoint in self.generation.endpoints.get(name[0], ())}

    def in_flight(self, _name):
        return self.flying


class World:
    """Runtime changes with a control plane, a clock, and a file."""

    def __init__(self, path, tasks):
        self.plane = Plane()
        self.now = 1000.0
        self.plane.overrides = Overrides(lambda: self.now, lambda: self.now)
        self.tasks = tasks
        self.file = path / runtime_state.FILE
        self.changes = RuntimeChanges(self.plane, tasks, lambda: self.now)
        self.changes.restore(str(path))

    def kept(self):
        return tomllib.loads(self.file.read_text())

    async def idle(self):
        await until(lambda: not len(self.tasks))
