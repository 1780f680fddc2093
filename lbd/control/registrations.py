"""The registrations: servers register, repeat it in time, and drain before they go."""

import asyncio
from collections.abc import Mapping
from typing import Any

from lbd.backend.state import ServerPath
from lbd.config.runtime import RegistrationRequest, SavedRegistration, from_table
from lbd.control.registration_rollout import RegistrationRollout
from lbd.control.runtime_state import RuntimeState
from lbd.control.targets import Targets
from lbd.discovery import registration_policy, registry
from lbd.errors import Conflict, Forbidden, InvalidChange, NotStored
from lbd.generation.control_plane import ControlPlane
from lbd.log.logger import logger
from lbd.net.tasks import Tasks
from lbd.schema import Registration
from lbd.schema import units as u
from lbd.schema.units import Address
from lbd.wording import shown

LOOK = 0.1   # seconds between two looks at a server that drains


class Registrations:
    """Servers that register themselves. A registration is acknowledged when it is on the disk, and in force soon, with
    all that came meanwhile."""

    def __init__(self, plane: ControlPlane, targets: Targets, state: RuntimeState, tasks: Tasks) -> None:
        self._plane = plane
        self._targets = targets
        self._state = state
        self._tasks = tasks
        self._rollout = RegistrationRollout(plane, tasks)

    async def register(self, backend: str, server: str, fields: Mapping[str, Any], who: str) -> bool:
        """Register a server, or note that it lives; True when it is new or another than before. Raises `LbdError`."""
        request = from_table(RegistrationRequest, fields)
        name = backend, server
        self._check(backend, server, request.address)
        registered = self._plane.servers.registry
        entry = registered.entry_of(name)
        before = None if entry is None else entry.saved
        if not registered.register(SavedRegistration(backend, server, request, who), asyncio.get_running_loop().time()):
            if entry is not None:
                await self._state.wait_until_saved(entry.save)   # the first one may still be on its way to the disk
                if registered.entry_of(name) is not entry:
                    raise NotStored("the registration that this one repeats could not be kept; try again")
            return False
        entry = registered.entry_of(name)
        assert entry is not None
        save, entry.save = entry.save, self._state.next_save
        self._rollout.start_soon()
        await self._state.save(lambda: self._undo(name, before, save))
        logger.info("server registered", backend=backend, server=server, address=str(request.address),
                    weight=request.weight, ttl_seconds=request.ttl, tags=list(request.tags), who=who)
        return True

    async def deregister(self, backend: str, server: str, wait: float, who: str) -> bool:
        """Drain a registered server, then remove it; True when it is gone within `wait` seconds. Raises `LbdError`."""
        self._targets.require_server(backend, server)
        name = backend, server
        entry = self._plane.servers.registry.entry_of(name)
        if entry is None and self._plane.in_force.in_files(backend, server.partition("@")[0]):
            raise Conflict(f"server {shown(server)} of backend {shown(backend)} is one of the configuration: "
                           "it goes with the file; drain or maint takes it out until then")
        if entry is not None and not entry.leaving:   # else it is on its way out already
            self._drain(name, f"deregistered by {who}")
            await self._state.save_or_warn()
        end = asyncio.get_running_loop().time() + wait
        while not (gone := self._is_gone(name)) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(LOOK)
        return gone

    def end_expired(self) -> None:
        """Drain the servers that were not heard of in time, and remove those that the files have no place for."""
        for name in self._plane.servers.registry.expired(asyncio.get_running_loop().time()):
            self._drain(name, "not heard of in time")
        for name, reason in self._plane.servers.unwanted_registrations(self._plane.in_force.file_config):
            logger.warning("registration ended", backend=name[0], server=name[1], reason=reason)
            self._plane.servers.registry.remove(name)
            self._state.save_soon()

    def _check(self, backend: str, server: str, address: Address) -> None:
        """Raise `LbdError` unless a server of that name and address may register."""
        try:
            u.NAME.parse(server)
        except ValueError as error:
            raise InvalidChange(f"server: {shown(server)} {error}; must be {u.NAME.allowed}") from None
        policy = self._targets.require_backend(backend).registration
        if policy is None:
            raise Forbidden(f"backend {shown(backend)} takes no registrations (registration = true allows them)")
        is_new = self._plane.servers.registry.entry_of((backend, server)) is None
        if is_new and self._plane.in_force.in_files(backend, server):
            raise Conflict(f"server {shown(server)} of backend {shown(backend)} is one of the configuration")
        if reason := registration_policy.refusal_of(policy, address):
            raise Forbidden(f"address {address} {reason}")
        if is_new:
            self._check_room(backend, policy)

    def _check_room(self, backend: str, policy: Registration) -> None:
        count = self._plane.servers.registry.count_of(backend)
        if count >= policy.most or len(self._plane.servers.registry) >= registry.MOST:
            raise Conflict(f"backend {shown(backend)} has {count} registered servers: no more may be")

    def _undo(self, name: ServerPath, before: SavedRegistration | None, save: int) -> None:
        """Go back to the registration before, which the save of that number keeps."""
        entry = self._plane.servers.registry.entry_of(name)
        if before is None or entry is None:
            self._plane.servers.registry.remove(name)
        else:
            self._plane.servers.registry.register(before, asyncio.get_running_loop().time())
            entry.save = save
        self._rollout.start_soon()
        self._plane.publisher.apply_overrides()

    def _drain(self, name: ServerPath, reason: str) -> None:
        entry = self._plane.servers.registry.entry_of(name)
        if entry is None or entry.leaving:
            return
        entry.leaving = asyncio.get_running_loop().time()
        logger.info("registered server drains and goes", backend=name[0], server=name[1], reason=reason)
        self._plane.publisher.apply_overrides()
        self._tasks.start(f"drain of {name[0]}/{name[1]}", self._remove_when_drained(name))

    async def _remove_when_drained(self, name: ServerPath) -> None:
        """Remove a server when nothing is in flight to it any more, or the drain has lasted long enough."""
        entry = self._plane.servers.registry.entry_of(name)
        began = entry.leaving if entry is not None else 0.0
        end = began + self._plane.in_force.require_generation().config.global_.drain_timeout
        while True:
            await asyncio.sleep(LOOK)   # the workers have heard of the drain by then
            if self._plane.servers.registry.entry_of(name) is not entry or entry is None or entry.leaving != began:
                return                  # it registered again
            if asyncio.get_running_loop().time() >= end or not self._plane.rows.in_flight(name):
                break
        self._plane.servers.registry.remove(name)
        self._rollout.start_soon()
        self._state.save_soon()
        logger.info("registered server gone", backend=name[0], server=name[1])

    def _is_gone(self, name: ServerPath) -> bool:
        """Whether neither the registry nor the workers have it any more."""
        return self._plane.servers.registry.entry_of(name) is None and not self._plane.in_force.has_server(name)
