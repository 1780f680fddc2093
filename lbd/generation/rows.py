"""The rows of the scoreboard: by which identities servers and generations have them."""

from collections.abc import Collection, Hashable, Iterable

from lbd.backend.snapshot import Endpoint, Generation
from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots

Identity = tuple[int, Hashable]     # kind of row, and its owner


def of_servers(endpoints: Iterable[Endpoint]) -> set[Identity]:
    """Those of servers at the addresses where they are now."""
    return {(scoreboard.SERVER, endpoint.identity) for endpoint in endpoints}


def of_generation(generation: Generation) -> set[Identity]:
    """Those of everything in the generation."""
    found = of_servers(endpoint for group in generation.endpoints.values() for endpoint in group)
    found |= {(scoreboard.BACKEND, name) for name in generation.backends}
    found |= {(scoreboard.LISTENER, name) for name in generation.listeners}
    found |= {(scoreboard.ROUTE, pair) for pair in generation.routes}
    return found


def in_flight(board: Board, slots: Slots, stay: Collection[Identity], leaving: Collection[int]) -> int:
    """Requests in flight that are to end: in these lanes, and at servers that do not stay."""
    count = 0.0
    for owner, slot in slots.owners(scoreboard.SERVER).items():
        gone = (scoreboard.SERVER, owner) not in stay
        lanes = board.each(scoreboard.SERVER, slot, fields.SERVER_IN_FLIGHT)
        count += sum(value for lane, value in enumerate(lanes) if gone or lane in leaving)
    return int(count)
