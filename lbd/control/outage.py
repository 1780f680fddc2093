"""The outage that a reload would be: a backend that has a usable server now and would have none."""

from collections.abc import Mapping

from lbd.backend.generation import Generation, Member
from lbd.errors import LbdError


def refuse(now: Mapping[str, tuple[Member, ...]], new: Generation) -> None:
    """Raise `LbdError` for a backend of the new generation that would lose its last usable server."""
    for name, group in new.members.items():
        if any(map(_usable, now.get(name, ()))) and not any(map(_usable, group)):
            raise LbdError(f"backends.{name}: it has a usable server now and would have none: no new server is up "
                           "(use force to apply it all the same)")


def _usable(member: Member) -> bool:
    return member.mode == "ready" and member.health == "up"
