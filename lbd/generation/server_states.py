"""The states of all servers, from everything that decides about them: names, checks, ejections, operators and
registrations."""

from collections.abc import Callable

from lbd.backend.snapshot import Endpoint, Generation
from lbd.backend.state import Identity, ServerPath
from lbd.discovery.endpoints import Endpoints
from lbd.discovery.health_policies import host_names
from lbd.discovery.registry import Registry
from lbd.discovery.resolver import Resolver
from lbd.generation.certificates import Certificates
from lbd.generation.cuts import Cuts
from lbd.generation.ejection import Ejection
from lbd.generation.overrides import Overrides
from lbd.health import CHECKS
from lbd.health.schedule import Judgement, Schedule
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.schema import Config
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots

FIRST_CHECKS = 2.0   # seconds that first checks may hold up a start or a reload


class ServerStates:
    """Each source keeps its own state, `endpoints` joins them to the present state of each server.

    `on_state_change` is called when some server's state may be another, `on_address_change` when a name may stand for
    other addresses.
    """

    def __init__(self, tasks: Tasks, board: Board, slots: Slots, certificates: Certificates) -> None:
        self.on_state_change: Callable[[], None] = lambda: None
        self.on_address_change: Callable[[], None] = lambda: None
        self.resolver = Resolver(tasks, lambda name: self.on_address_change())
        self.ejection = Ejection(tasks, board, lambda: self.on_state_change())
        self.schedule = Schedule(tasks, {name: kind.check for name, kind in CHECKS.items()}, self._judged,
                                 passed=self.ejection.on_check_passed, failed=self.resolver.on_server_down)
        self.overrides = Overrides()
        self.registry = Registry()
        self.cuts = Cuts()
        self.endpoints = Endpoints(slots, self.resolver, self.schedule, self.ejection.reason_of, self._adjusted,
                                   certificates.client_tls)

    def all_endpoints(self, config: Config) -> list[Endpoint]:
        """Every server of every backend as it is now."""
        return [endpoint for group in self.endpoints.by_backend(config).values() for endpoint in group]

    async def watch_servers(self, *configs: Config) -> None:
        """Look up and check the servers of exactly these configurations, the later ones' policies before the
        earlier ones'."""
        periods: dict[str, float] = {}
        for config in configs:
            periods.update(host_names(config))
        await self.resolver.follow_names(periods)
        self.watch_addresses(*configs)

    def watch_addresses(self, *configs: Config) -> None:
        """Check exactly the addresses at which the servers of these configurations are now."""
        targets = [self.endpoints.check_targets(config) for config in configs]
        self.schedule.watch_targets({key: target for group in targets for key, target in group.items()})

    async def first_checks(self, hurry: bool = False) -> None:
        """Wait for the first result of every new check, at most `FIRST_CHECKS`; `hurry`: in a burst."""
        await self.schedule.first_round(FIRST_CHECKS, hurry=hurry)

    def follow_generation(self, generation: Generation, endpoints: list[Endpoint]) -> None:
        """Keep the knowledge about the servers of a generation that was put in force; these are its endpoints."""
        self.resolver.forget_others({endpoint.path: endpoint for endpoint in endpoints})
        self.ejection.follow_config(generation.config)
        self.ejection.follow_endpoints(endpoints)

    def suspect(self, backend: str, server: str, address: str) -> None:
        """A worker could not connect there: check that server at once, or take the worker's word."""
        self.schedule.trigger(backend, server)
        if not self.schedule.judges(key := (backend, server, address)):
            self.resolver.on_connect_failure(key)

    def unwanted_registrations(self, file_config: Config | None) -> list[tuple[ServerPath, str]]:
        """Registered servers for which the files have no place any more, and why."""
        return self.registry.unwanted(file_config) if file_config is not None else []

    def forget_cuts(self, config: Config) -> None:
        """Forget the planned cuts of servers that are back in service, or gone."""
        self.cuts.forget_returned(self.endpoints, config)

    def _adjusted(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint as operators want it; a registered server that leaves drains, whatever else is wanted."""
        adjusted = self.overrides.apply_to(endpoint)
        if self.registry.is_leaving(endpoint.path):
            adjusted = adjusted._replace(mode="drain")
        return self.cuts.add_cut(adjusted)

    def _judged(self, key: Identity, judgement: Judgement) -> None:
        log = logger.info if judgement.health == "up" else logger.warning
        log(f"server {judgement.health}", backend=key[0], server=key[1], address=key[2], reason=judgement.reason)
        self.on_state_change()
