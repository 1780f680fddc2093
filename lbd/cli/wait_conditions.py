"""Waiting until a server or a backend is as wanted: the conditions, one line each."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from lbd.cli import runtime_changes
from lbd.cli.daemon_client import DaemonClient
from lbd.errors import LbdError

PAUSE = 0.1   # seconds between two looks
NAMED = 5     # servers that keep a condition from being met
LOOKS = 2     # in a row at which it must be so: the workers hear of a change a moment after it is acknowledged

Facts = Mapping[str, Any]


def drained(facts: Facts) -> bool:
    """Every server takes no new requests, and has none in flight."""
    return all((server["mode"] != "ready" or server["weight"] == 0) and not server["in_flight"]
               for server in servers(facts))


def up(facts: Facts) -> bool:
    """Every server is wanted and healthy."""
    return all(usable(server) for server in servers(facts))


def down(facts: Facts) -> bool:
    """No server is healthy."""
    return all(server["health"] != "up" for server in servers(facts))


CONDITIONS: Mapping[str, Callable[[Facts], bool]] = {"drained": drained, "up": up, "down": down}


def condition(text: str) -> Callable[[Facts], bool]:
    """One of `CONDITIONS`, or `usable=N`; raises `ValueError`."""
    name, equals, number = text.partition("=")
    if name == "usable" and equals and number.isdecimal():
        return lambda facts: sum(usable(server) for server in servers(facts)) >= int(number)
    if text not in CONDITIONS:
        raise ValueError(f"{text!r} must be {', '.join(CONDITIONS)} or usable=N")
    return CONDITIONS[text]


def state(daemon: DaemonClient, target: str, done: Callable[[Facts], bool]) -> str:
    """What keeps the condition from being met: `a is drain, up, 2 in flight; b …`; raises `LbdError`."""
    facts = runtime_changes.data(daemon.ask("GET", runtime_changes.place(target)))
    parts = dict(facts["servers"]) if "servers" in facts else {target.rpartition("/")[2]: facts}
    single = done if done in CONDITIONS.values() else usable
    told = [f"{name} is {server['mode']}, {server['health']}, {server['in_flight']} in flight"
            for name, server in parts.items() if not single(server)]
    more = [f"{len(told) - NAMED} more"] if len(told) > NAMED else []
    return "; ".join([*told[:NAMED], *more])


def servers(facts: Facts) -> list[Facts]:
    """Those of a backend, or the one that the facts are of."""
    return list(facts["servers"].values()) if "servers" in facts else [facts]


def usable(server: Facts) -> bool:
    """Takes new requests."""
    return bool(server["mode"] == "ready" and server["health"] == "up")


def wait(daemon: DaemonClient, target: str, done: Callable[[Facts], bool], seconds: float,
         pause: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic) -> Facts | None:
    """Look until it is so, at most so many seconds; None when it never was. Raises `LbdError` when nobody answers."""
    end = clock() + seconds
    met = 0
    while True:
        facts = runtime_changes.data(daemon.ask("GET", runtime_changes.place(target)))
        try:
            met = met + 1 if done(facts) else 0
        except (KeyError, TypeError, AttributeError):
            raise LbdError(f"the lbd at {daemon.address} is of another version") from None
        if met == LOOKS:
            return facts
        if not met and clock() >= end:
            return None
        pause(PAUSE)
