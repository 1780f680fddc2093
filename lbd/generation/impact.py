"""What a plan concerns now: the requests in flight and the connections of each object that it changes."""

import dataclasses

from lbd.backend.snapshot import Endpoint, Generation
from lbd.config.plan import Change, Plan
from lbd.generation.machine import Machine
from lbd.stats import fields, scoreboard


def counted(plan: Plan, machine: Machine) -> Plan:
    """The plan with figures, where a generation is in force that has the objects."""
    generation = machine.generation
    if generation is None:
        return plan
    return Plan(tuple(_hidden(_counted(change, machine, generation), machine) for change in plan.changes))


def _counted(change: Change, machine: Machine, generation: Generation) -> Change:
    if change.kind in ("server", "backend") and change.what != "added":
        backend = str(change.where[1])
        endpoints = generation.endpoints.get(backend, ())
        if change.kind == "server":
            name = str(change.where[3])
            endpoints = tuple(m for m in endpoints if m.name == name or m.name.startswith(f"{name}@"))
        return dataclasses.replace(change, requests=sum(machine.board.in_flight(m.slot) for m in endpoints),
                                   connections=_connections(machine, endpoints))
    if change.kind == "listener" and change.what != "added" and (slot := generation.listeners.get(
            str(change.where[1]))) is not None:
        open_now = machine.board.total(scoreboard.LISTENER, slot, fields.LISTENER_CONNECTIONS)
        return dataclasses.replace(change, connections=int(open_now))
    return change


def _hidden(change: Change, machine: Machine) -> Change:
    """With a word about the overrides that hide what the change would do."""
    if change.kind != "server" or change.what == "removed":
        return change
    backend, server = str(change.where[1]), str(change.where[3])
    named = {edit.key for edit in change.edits}
    told = [f"{name} stays {value}: an override by {override.who}"
            for override in machine.overrides if override.backend == backend and override.server in ("", server)
            for name, value in override.settings.items() if name in named or change.what == "added"]
    return dataclasses.replace(change, state="; ".join(filter(None, [change.state, *told]))) if told else change


def _connections(machine: Machine, endpoints: tuple[Endpoint, ...]) -> int:
    return int(sum(machine.board.total(scoreboard.SERVER, m.slot, fields.SERVER_CONNECTIONS) for m in endpoints))
