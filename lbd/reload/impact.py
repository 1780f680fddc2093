"""The impact of a plan now: the requests in flight and the connections of each object that it changes."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from lbd.backend.snapshot import Endpoint, Generation
from lbd.backend.state import ServerPath
from lbd.config.plan import Change, Plan
from lbd.generation.in_force import InForce
from lbd.generation.overrides import Overrides
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board


class Impact:
    """Reads the figures of the generation in force."""

    def __init__(self, board: Board, in_force: InForce, overrides: Overrides) -> None:
        self._board = board
        self._in_force = in_force
        self._overrides = overrides

    def add_impact(self, plan: Plan) -> Plan:
        """The plan with figures, where a generation is in force that has the objects."""
        generation = self._in_force.generation
        if generation is None:
            return plan
        endpoints: dict[ServerPath, list[Endpoint]] = {}    # by the server of the files that they stand for
        for endpoint in itertools.chain.from_iterable(generation.endpoints.values()):
            endpoints.setdefault((endpoint.backend, endpoint.name.partition("@")[0]), []).append(endpoint)
        return Plan(tuple(self._add_overrides(self._add_figures(change, generation, endpoints))
                          for change in plan.changes))

    def _add_figures(self, change: Change, generation: Generation,
                     of_server: Mapping[ServerPath, Sequence[Endpoint]]) -> Change:
        if change.what == "added" or change.kind not in ("server", "backend", "listener"):
            return change
        name = str(change.where[1])
        if change.kind != "listener":
            endpoints = (generation.endpoints.get(name, ()) if change.kind == "backend"
                         else of_server.get((name, str(change.where[3])), ()))
            in_flight = sum(self._board.in_flight(endpoint.slot) for endpoint in endpoints)
            return dataclasses.replace(change, requests=in_flight, connections=self._connections(endpoints))
        if name not in generation.listeners:
            return change
        open_now = self._board.total(scoreboard.LISTENER, generation.listeners[name], fields.LISTENER_CONNECTIONS)
        return dataclasses.replace(change, connections=int(open_now))

    def _add_overrides(self, change: Change) -> Change:
        """Say which overrides hide the effect of the change."""
        if change.kind != "server" or change.what == "removed":
            return change
        backend, server = str(change.where[1]), str(change.where[3])
        keys = {edit.key for edit in change.edits}
        overrides = (self._overrides.override_of((backend, name)) for name in ("", server))
        hidden = [f"{name} stays {value}: an override by {override.who}"
                  for override in overrides if override is not None
                  for name, value in override.settings.items() if name in keys or change.what == "added"]
        if not hidden:
            return change
        return dataclasses.replace(change, state="; ".join(filter(None, [change.state, *hidden])))

    def _connections(self, endpoints: Sequence[Endpoint]) -> int:
        return int(sum(self._board.total(scoreboard.SERVER, endpoint.slot, fields.SERVER_CONNECTIONS)
                       for endpoint in endpoints))
