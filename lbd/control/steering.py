"""The steering: what may be changed while lbd runs, from the request for it to its place on the disk."""

import asyncio
import os
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import tomli_w

from lbd.backend.snapshot import Generation
from lbd.config.runtime import SETTINGS, Override, OverrideRequest, RegistrationRequest, SavedRegistration, read, write
from lbd.control.store import Store
from lbd.discovery import registry
from lbd.discovery.registry import Name
from lbd.errors import Conflict, Forbidden, InvalidChange, LbdError, NotReady, NotStored, UnknownTarget
from lbd.generation import cuts, outage, overrides
from lbd.generation.machine import Machine
from lbd.log.logger import logger
from lbd.log.moment import moment
from lbd.net.tasks import Tasks
from lbd.report import status
from lbd.schema import units as u
from lbd.schema.kinds import nearest, shown

FILE = "runtime.toml"
FORMAT = 1
AGAIN = 10.0 # seconds until the disk is tried again that did not take the state
LOOK = 0.1   # seconds between two looks at a server that drains
REST = 4.0   # pause after a regrouping, in times of what it took


class Steering:
    """Overrides and registrations of one machine. A registration is acknowledged when it is on the disk, and in force
    soon, with all that came meanwhile; an override when it is in force: `unkept` says whether it is on the disk too."""

    def __init__(self, machine: Machine, tasks: Tasks, clock: Callable[[], float] = time.time) -> None:
        self._machine = machine
        self._tasks = tasks
        self._clock = clock
        self._store: Store | None = None
        self._off = False
        self._regrouping = False
        self._dirty = False
        self._tried = 0.0

    @property
    def unkept(self) -> str:
        """Why what is in force would be lost at a restart, "" when it is on the disk."""
        if self._off and (len(self._machine.overrides) or len(self._machine.registry)):
            return 'not kept over a restart: global.state_dir is "off"'
        if self._store is None or not self._store.behind or not self._store.reason:
            return ""
        return f"not kept over a restart: {self._store.reason}"

    def restore(self, state_dir: str, left: str = "") -> None:
        """Take over what was kept there ("": nothing is), or what the version before in this process left as text;
        registrations have their full time again."""
        self._off = not state_dir
        if state_dir:
            self._store = Store(os.path.join(state_dir, FILE), self._text)
        if left:
            try:
                self._take(tomllib.loads(left))
            except (ValueError, LbdError) as error:
                logger.error("runtime state of the version before cannot be used", reason=str(error))
            if self._store is not None:
                self._save_soon()
        elif self._store is not None:
            self._store.load(self._take)

    def leave(self) -> str:
        """What no disk keeps, for `restore` by the next version in this process; "" where a disk does."""
        return self._text() if self._off else ""

    def close(self) -> None:
        """Finish what is being written."""
        if self._store is not None:
            self._store.close()

    def backends(self) -> dict[str, Any]:
        """Every backend with its servers, as JSON."""
        self._generation()
        described: dict[str, Any] = status.describe(self._machine)["backends"]
        self.annotate(described)
        return described

    def annotate(self, described: Mapping[str, dict[str, Any]]) -> None:
        """Add to each described backend and server what was changed while lbd runs, and who registered."""
        for backend in described:
            self._annotate(backend, described[backend])

    def backend(self, name: str) -> dict[str, Any]:
        """One of them."""
        generation = self._generation()
        self._known(name, "")
        config = generation.config
        endpoints = self._machine.endpoints.of_backend(config, name)
        return self._annotate(name, status.backend(self._machine, config, name, endpoints))

    def server(self, backend: str, server: str) -> dict[str, Any]:
        """One server."""
        servers = self.backend(backend)["servers"]
        if server not in servers:
            raise UnknownTarget(f"backend {shown(backend)} has no server {shown(server)}{nearest(server, servers)}")
        return {"backend": backend, "name": server, **servers[server]}

    async def change(self, backend: str, server: str, wishes: Mapping[str, Any], who: str) -> str:
        """Set what the wishes say of a server, or of a whole backend (`server` empty). Returns a warning where that
        took the backend's last usable server out, does not reach all workers, or where servers of the backend have
        overrides of their own that say otherwise, else "". Raises `LbdError`."""
        wish = read(OverrideRequest, wishes)
        self._known(backend, server)
        before = self._machine.overrides.of((backend, server))
        if before is None and len(self._machine.overrides) >= overrides.MOST:
            raise Conflict(f"there are {overrides.MOST} overrides already; end some of them first")
        now = self._clock()
        given = {name: getattr(wish, name) for name in SETTINGS if name in wishes}
        if not given and "cut" not in wishes:
            raise InvalidChange(f"nothing to change: give at least one of {', '.join(SETTINGS)}, cut")
        override = replace(before or Override(backend, server), **given, who=who, reason=wish.reason, at=now,
                           until=now + wish.for_ if wish.for_ else 0.0)
        had = self._served(backend)
        if given:       # else what is in force stays, with its reason and its end
            override = self._machine.overrides.trimmed(override, self._generation().config.backends[backend].servers)
            self._machine.overrides.put((backend, server), override)
        if "cut" in wishes:
            self._cut((backend, server), wish.cut, before)
            given["cut"] = wish.cut
        self._machine.steered()
        lost = had and not self._served(backend)
        await self._keep()
        logger.info("override", backend=backend, server=server or "(all)", **given, who=who, reason=wish.reason,
                    seconds=wish.for_)
        apart = {} if server else self._machine.overrides.apart(backend, given)
        warnings = [overrides.warning(apart)] if apart else []
        if lost:
            logger.warning("no server is left", backend=backend, who=who)
            warnings.append(f"no server of {backend} is left")
        if wish.cut is not None and self._machine.left:
            warnings.append("workers from before the upgrade do not hear of the cut: what they have in hand has "
                            "drain_timeout")
        return "; ".join(warnings)

    def _cut(self, target: tuple[str, str], seconds: float | None, before: Override | None) -> None:
        """Plan the cut of those servers that are taken out; where there are none, `before` is in force again."""
        endpoints = self._machine.endpoints.of_backend(self._generation().config, target[0])
        meant = [m for m in endpoints if target[1] in ("", m.name, m.name.partition("@")[0])]
        if seconds is not None:
            meant = [m for m in meant if cuts.out(m)]
            if not meant:
                self._machine.overrides.put(target, before)
                name = "/".join(filter(None, target))
                raise InvalidChange(f"cut: {name} takes requests; give mode drain or maint with it")
        self._machine.cuts.plan(meant, seconds)

    def overrides(self) -> list[dict[str, Any]]:
        """All overrides, as JSON."""
        return [self._shown(override) for override in self._machine.overrides]

    async def clear(self, backend: str, server: str, who: str) -> int:
        """End the overrides of a server, of a backend and its servers, or (both empty) all; returns how many."""
        targets = [(one.backend, one.server) for one in self._machine.overrides
                   if (not backend or one.backend == backend) and (not server or one.server == server)]
        for target in targets:
            self._machine.overrides.put(target, None)
        self._machine.steered()
        if targets:
            await self._keep()
            logger.info("overrides ended", count=len(targets), backend=backend, server=server, who=who)
        return len(targets)

    async def register(self, backend: str, server: str, offer: Mapping[str, Any], who: str) -> bool:
        """A server registers or says that it lives; True when it is new or another. Raises `LbdError`."""
        made = read(RegistrationRequest, offer)
        _name(server)
        config = self._generation().config
        known = config.backends.get(backend)
        if known is None:
            raise UnknownTarget(f"there is no backend {shown(backend)}{nearest(backend, config.backends)}")
        policy = known.registration
        if policy is None:
            raise Forbidden(f"backend {shown(backend)} takes no registrations (registration = true allows them)")
        own = self._machine.registry
        entry = own.of((backend, server))
        if entry is None and self._machine.in_files(backend, server):
            raise Conflict(f"server {shown(server)} of backend {shown(backend)} is one of the configuration")
        if reason := registry.refused(policy, made.address):
            raise Forbidden(f"address {made.address} {reason}")
        if entry is None and (own.count(backend) >= policy.most or len(own) >= registry.MOST):
            raise Conflict(f"backend {shown(backend)} has {own.count(backend)} registered servers: no more may be")
        was = None if entry is None else entry.kept
        if not own.put(SavedRegistration(backend, server, made, who), asyncio.get_running_loop().time()):
            if self._store is not None and entry is not None:
                await self._store.reach(entry.save)   # what this one repeats may still be on its way to the disk
                if own.of((backend, server)) is not entry:
                    raise NotStored("the registration that this one repeats could not be kept; try again")
            return False
        number = self._numbered((backend, server))
        self.regroup()
        await self._save(lambda: self._unregister((backend, server), was, number))
        logger.info("server registered", backend=backend, server=server, address=str(made.address),
                    weight=made.weight, ttl_seconds=made.ttl, tags=list(made.tags), who=who)
        return True

    async def deregister(self, backend: str, server: str, wait: float, who: str) -> bool:
        """Drain a registered server, then remove it; True when it is gone within `wait` seconds. Raises `LbdError`."""
        self._known(backend, server)
        name = backend, server
        entry = self._machine.registry.of(name)
        if entry is None and self._machine.in_files(backend, server.partition("@")[0]):
            raise Conflict(f"server {shown(server)} of backend {shown(backend)} is one of the configuration: "
                           "it goes with the file; drain or maint takes it out until then")
        if entry is not None and not entry.leaving:   # else it is on its way out already
            self._leave(name, f"deregistered by {who}")
            await self._keep()
        end = asyncio.get_running_loop().time() + wait
        while not (gone := self._gone(name)) and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(LOOK)
        return gone

    def tick(self) -> None:
        """To be called once a second: what has an end ends."""
        if self._machine.generation is None:
            return
        for target in self._machine.overrides.expired():
            self._machine.overrides.put(target, None)
            logger.info("override expired", backend=target[0], server=target[1] or "(all)")
            self._machine.steered()
            self._save_soon()
        if self.unkept and not self._off and asyncio.get_running_loop().time() >= self._tried + AGAIN:
            self._save_soon()
        for name in self._machine.registry.due(asyncio.get_running_loop().time()):
            self._leave(name, "not heard of in time")
        for name, reason in self._machine.unwanted():
            logger.warning("registration ended", backend=name[0], server=name[1], reason=reason)
            self._machine.registry.remove(name)
            self._save_soon()

    def regroup(self) -> None:
        """Put the registered servers in force soon; those that come meanwhile go along."""
        self._dirty = True
        if not self._regrouping:
            self._regrouping = True
            self._tasks.start("regrouping", self._regroup())

    async def _regroup(self) -> None:
        try:
            loop = asyncio.get_running_loop()
            while self._dirty:
                self._dirty = False
                began = loop.time()
                await self._machine.regroup()
                # Hundreds may come at once: each regrouping costs all workers time that grows with the backend.
                await asyncio.sleep(REST * (loop.time() - began))
        finally:
            self._regrouping = False

    def _leave(self, name: Name, reason: str) -> None:
        entry = self._machine.registry.of(name)
        if entry is None or entry.leaving:
            return
        entry.leaving = asyncio.get_running_loop().time()
        logger.info("registered server drains and goes", backend=name[0], server=name[1], reason=reason)
        self._machine.steered()
        self._tasks.start(f"farewell of {name[0]}/{name[1]}", self._farewell(name))

    async def _farewell(self, name: Name) -> None:
        """Remove it when nothing is in flight to it any more, or the drain has lasted long enough."""
        own = self._machine.registry
        entry = own.of(name)
        began = entry.leaving if entry is not None else 0.0
        generation = self._generation()
        end = began + generation.config.global_.drain_timeout
        while True:
            await asyncio.sleep(LOOK)   # the workers have heard of the drain by then
            if own.of(name) is not entry or entry is None or entry.leaving != began:
                return                  # it registered again
            if asyncio.get_running_loop().time() >= end or not self._machine.in_flight(name):
                break
        own.remove(name)
        self.regroup()
        self._save_soon()
        logger.info("registered server gone", backend=name[0], server=name[1])

    def _gone(self, name: Name) -> bool:
        """Nobody has it any more, the workers neither."""
        return self._machine.registry.of(name) is None and not self._machine.has(name)

    def _numbered(self, name: Name) -> int:
        """Note of an entry that the next save keeps it; returns the number of the one before."""
        entry = self._machine.registry.of(name)
        if entry is None or self._store is None:
            return 0
        before, entry.save = entry.save, self._store.asked + 1
        return before

    def _unregister(self, name: Name, was: SavedRegistration | None, number: int) -> None:
        entry = self._machine.registry.of(name)
        if was is None or entry is None:
            self._machine.registry.remove(name)
        else:
            self._machine.registry.put(was, asyncio.get_running_loop().time())
            entry.save = number
        self.regroup()

    async def _save(self, undo: Callable[[], object]) -> None:
        if self._store is None:
            return
        try:
            await self._store.save()
        except LbdError:
            undo()
            self._machine.steered()
            raise

    async def _keep(self) -> None:
        """Have what is in force on the disk too. What is not is tried again: a full disk must not keep anybody from
        taking a bad server out."""
        try:
            if self._store is not None:
                await self._store.save()
        except LbdError as error:
            logger.warning("runtime state not kept", reason=str(error))

    def _save_soon(self) -> None:
        self._tried = asyncio.get_running_loop().time()
        self._tasks.start("keeping runtime state", self._keep())

    def _text(self) -> str:
        """Both as TOML. Those that leave are not in it: a restart must not bring them back."""
        head = {"format": FORMAT, "overrides": [write(override) for override in self._machine.overrides]}
        entries = [entry.text for entry in self._machine.registry if not entry.leaving]
        return "\n".join([tomli_w.dumps(head), *entries])

    def _take(self, data: dict[str, Any]) -> None:
        if data.get("format") != FORMAT:
            raise LbdError(f"its format is {shown(data.get('format'))}, not {FORMAT}")
        kept = [read(Override, item, FILE) for item in _array(data, "overrides")]
        registered = [read(SavedRegistration, item, FILE) for item in _array(data, "registrations")]
        self._machine.overrides.load(kept)
        self._machine.registry.load(registered, asyncio.get_running_loop().time())
        if kept or registered:
            logger.info("runtime state restored", overrides=len(kept), registrations=len(registered))

    def _served(self, backend: str) -> bool:
        return outage.served(self._machine.endpoints.of_backend(self._generation().config, backend))

    def _generation(self) -> Generation:
        generation = self._machine.generation
        if generation is None:
            raise NotReady("lbd is still starting; try again in a moment")
        return generation

    def _known(self, backend: str, server: str) -> None:
        """Raise `UnknownTarget` unless there is such a backend and, if one is named, such a server, `name@host` too."""
        config = self._generation().config
        if backend not in config.backends:
            raise UnknownTarget(f"there is no backend {shown(backend)}{nearest(backend, config.backends)}")
        servers = config.backends[backend].servers
        name = backend, server
        if server and not (server in servers or self._machine.has(name) or self._machine.registry.of(name)):
            raise UnknownTarget(f"backend {shown(backend)} has no server {shown(server)}{nearest(server, servers)}")

    def _annotate(self, name: str, backend: dict[str, Any]) -> dict[str, Any]:
        """What was changed while lbd runs, and which servers registered themselves."""
        backend["override"] = self._shown(self._machine.overrides.of((name, "")))
        now = asyncio.get_running_loop().time()
        for server, facts in backend["servers"].items():
            facts["override"] = self._shown(self._machine.overrides.of((name, server)))
            entry = self._machine.registry.of((name, server))
            facts["registration"] = None if entry is None else {
                "ttl_seconds": entry.kept.offer.ttl, "expires_in_seconds": round(max(entry.left(now), 0.0), 1),
                "tags": list(entry.kept.offer.tags), "who": entry.kept.who, "leaving": bool(entry.leaving)}
        return backend

    def _shown(self, override: Override | None) -> Any:
        if override is None:
            return None
        return {"backend": override.backend, "server": override.server, **override.settings, "who": override.who,
                "reason": override.reason, "at": moment(override.at),
                "until": moment(override.until) if override.until else None}


def _name(server: str) -> None:
    try:
        u.NAME.read(server)
    except ValueError as error:
        raise InvalidChange(f"server: {shown(server)} {error}; must be {u.NAME.allowed}") from None


def _array(data: Mapping[str, Any], name: str) -> list[Any]:
    found = data.get(name, [])
    if not isinstance(found, list):
        raise LbdError(f"{name} is no array")
    return found


