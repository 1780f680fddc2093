"""The changes of overrides: operators take servers out, back in, and give them other weights while lbd runs."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lbd.config.runtime import SETTINGS, Override, OverrideRequest, from_table
from lbd.control.runtime_state import RuntimeState
from lbd.control.targets import Targets
from lbd.errors import Conflict, InvalidChange
from lbd.generation import cuts, overrides
from lbd.generation.control_plane import ControlPlane
from lbd.generation.overrides import Target
from lbd.log.logger import logger


class OverrideChanges:
    """Sets and ends overrides. They are in force in all workers, and saved as far as the disk lets them be, when the
    request is answered."""

    def __init__(self, plane: ControlPlane, targets: Targets, state: RuntimeState,
                 clock: Callable[[], float] = time.time) -> None:
        self._plane = plane
        self._targets = targets
        self._state = state
        self._clock = clock

    async def override(self, backend: str, server: str, fields: Mapping[str, Any], who: str) -> str:
        """Set what the fields of the request say of a server, or of a whole backend (`server` empty). Returns a warning
        where that took the backend's last usable server out, does not reach all workers, or where servers of the
        backend have overrides of their own that say otherwise, else "". Raises `LbdError`."""
        request = from_table(OverrideRequest, fields)
        self._targets.require_backend(backend)
        if server:
            self._targets.require_server(backend, server)
        target = backend, server
        before = self._plane.servers.overrides.override_of(target)
        if before is None and len(self._plane.servers.overrides) >= overrides.MOST:
            raise Conflict(f"there are {overrides.MOST} overrides already; end some of them first")
        changes = {name: getattr(request, name) for name in SETTINGS if name in fields}
        if not changes and "cut" not in fields:
            raise InvalidChange(f"nothing to change: give at least one of {', '.join(SETTINGS)}, cut")
        had_server = self._targets.is_served(backend)
        if changes:       # else the override stays, with its reason and its end
            self._put(before or Override(backend, server), changes, request, who)
        if "cut" in fields:
            self._plan_cut(target, request.cut, before)
            changes["cut"] = request.cut
        self._plane.publisher.apply_overrides()
        lost = had_server and not self._targets.is_served(backend)
        late, _ = await asyncio.gather(self._plane.publisher.wait_until_in_force(), self._state.save_or_warn())
        logger.info("override", backend=backend, server=server or "(all)", **changes, who=who, reason=request.reason,
                    seconds=request.for_)
        if lost:
            logger.warning("no server is left", backend=backend, who=who)
        warnings = [*self._warnings(target, changes, lost), *(f"worker {pid} has not heard of it yet" for pid in late)]
        return "; ".join(warnings)

    async def end_overrides(self, backend: str, server: str, who: str) -> int:
        """End the overrides of a server, of a backend and its servers, or (both empty) all; returns how many."""
        targets = [(override.backend, override.server) for override in self._plane.servers.overrides
                   if (not backend or override.backend == backend) and (not server or override.server == server)]
        for target in targets:
            self._plane.servers.overrides.put_override(target, None)
        self._plane.publisher.apply_overrides()
        if targets:
            await asyncio.gather(self._plane.publisher.wait_until_in_force(), self._state.save_or_warn())
            logger.info("overrides ended", count=len(targets), backend=backend, server=server, who=who)
        return len(targets)

    def end_expired(self) -> None:
        """End the overrides whose time is over."""
        for target in self._plane.servers.overrides.expired_targets():
            self._plane.servers.overrides.put_override(target, None)
            logger.info("override expired", backend=target[0], server=target[1] or "(all)")
            self._plane.publisher.apply_overrides()
            self._state.save_soon()

    def _put(self, before: Override, changes: Mapping[str, Any], request: OverrideRequest, who: str) -> None:
        now = self._clock()
        override = replace(before, **changes, who=who, reason=request.reason, at=now,
                           until=now + request.for_ if request.for_ else 0.0)
        servers = self._targets.require_backend(before.backend).servers
        overrides_ = self._plane.servers.overrides
        overrides_.put_override((before.backend, before.server), overrides_.without_idle_mode(override, servers))

    def _plan_cut(self, target: Target, seconds: float | None, before: Override | None) -> None:
        """Plan the cut of the servers that are taken out; where none is, put `before` in force again and raise
        `InvalidChange`."""
        backend, server = target
        config = self._plane.in_force.require_generation().config
        endpoints = [endpoint for endpoint in self._plane.servers.endpoints.of_backend(config, backend)
                     if server in ("", endpoint.name, endpoint.name.partition("@")[0])]
        if seconds is not None:
            endpoints = [endpoint for endpoint in endpoints if cuts.is_out(endpoint)]
            if not endpoints:
                self._plane.servers.overrides.put_override(target, before)
                name = "/".join(filter(None, target))
                raise InvalidChange(f"cut: {name} takes requests; give mode drain or maint with it")
        self._plane.servers.cuts.plan_cut(endpoints, seconds)

    def _warnings(self, target: Target, changes: Mapping[str, Any], lost: bool) -> list[str]:
        backend, server = target
        apart = {} if server else self._plane.servers.overrides.differing_servers(backend, changes)
        warnings = [overrides.warning(apart)] if apart else []
        if lost:
            warnings.append(f"no server of {backend} is left")
        if changes.get("cut") is not None and self._plane.predecessor.workers:
            warnings.append("workers from before the upgrade do not hear of the cut: what they have in hand has "
                            "drain_timeout")
        return warnings
