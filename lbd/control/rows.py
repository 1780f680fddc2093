"""The rows of the scoreboard: by which identities servers and generations have them."""

from collections.abc import Hashable, Iterable

from lbd.backend.generation import Generation, Member
from lbd.control.ejection import identity
from lbd.stats import scoreboard

Identity = tuple[int, Hashable]     # kind of row, and its owner


def of_servers(members: Iterable[Member]) -> set[Identity]:
    """Those of servers at the addresses where they are now."""
    return {(scoreboard.SERVER, identity(member)) for member in members}


def of_generation(generation: Generation) -> set[Identity]:
    """Those of everything in the generation."""
    found = of_servers(member for group in generation.members.values() for member in group)
    found |= {(scoreboard.BACKEND, name) for name in generation.backends}
    found |= {(scoreboard.LISTENER, name) for name in generation.listeners}
    found |= {(scoreboard.ROUTE, pair) for pair in generation.routes}
    return found
