"""The conditions of `lbd wait`, and the loop that waits until one is met."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from lbd.cli import runtime_changes
from lbd.cli.daemon_client import DaemonClient
from lbd.errors import LbdError

PAUSE = 0.1   # seconds between two polls
NAMED = 5     # servers that are listed by name
LOOKS = 2     # polls in a row that must meet it: workers apply a change a moment after it is acknowledged

Facts = Mapping[str, Any]


def drained(facts: Facts) -> bool:
    """Whether every server takes no new requests and has none in flight."""
    return all((server["mode"] != "ready" or server["weight"] == 0) and not server["in_flight"]
               for server in servers(facts))


def up(facts: Facts) -> bool:
    """Whether every server is in service and healthy."""
    return all(usable(server) for server in servers(facts))


def down(facts: Facts) -> bool:
    """Whether no server is healthy."""
    return all(server["health"] != "up" for server in servers(facts))


CONDITIONS: Mapping[str, Callable[[Facts], bool]] = {"drained": drained, "up": up, "down": down}


def parse_condition(text: str) -> Callable[[Facts], bool]:
    """The condition of that name in `CONDITIONS`, or `usable=N`; raises `ValueError`."""
    name, equals, number = text.partition("=")
    if name == "usable" and equals and number.isdecimal():
        return lambda facts: sum(usable(server) for server in servers(facts)) >= int(number)
    if text not in CONDITIONS:
        raise ValueError(f"{text!r} must be {', '.join(CONDITIONS)} or usable=N")
    return CONDITIONS[text]


def unmet(daemon: DaemonClient, target: str, done: Callable[[Facts], bool]) -> str:
    """The servers that do not meet the condition: `a is drain, up, 2 in flight; b …`; raises `LbdError`."""
    facts = runtime_changes.json_object(daemon.send_request("GET", runtime_changes.target_path(target)))
    parts = dict(facts["servers"]) if "servers" in facts else {target.rpartition("/")[2]: facts}
    single = done if done in CONDITIONS.values() else usable
    told = [f"{name} is {server['mode']}, {server['health']}, {server['in_flight']} in flight"
            for name, server in parts.items() if not single(server)]
    more = [f"{len(told) - NAMED} more"] if len(told) > NAMED else []
    return "; ".join([*told[:NAMED], *more])


def servers(facts: Facts) -> list[Facts]:
    """The servers of a backend, or the single server."""
    return list(facts["servers"].values()) if "servers" in facts else [facts]


def usable(server: Facts) -> bool:
    """Whether the server takes new requests."""
    return bool(server["mode"] == "ready" and server["health"] == "up")


def wait_for(daemon: DaemonClient, target: str, done: Callable[[Facts], bool], seconds: float,
         pause: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic) -> Facts | None:
    """Poll until the condition is met; None after that many seconds. Raises `LbdError` without a response."""
    end = clock() + seconds
    met = 0
    while True:
        facts = runtime_changes.json_object(daemon.send_request("GET", runtime_changes.target_path(target)))
        try:
            met = met + 1 if done(facts) else 0
        except (KeyError, TypeError, AttributeError):
            raise LbdError(f"the lbd at {daemon.address} is of another version") from None
        if met == LOOKS:
            return facts
        if not met and clock() >= end:
            return None
        pause(PAUSE)
