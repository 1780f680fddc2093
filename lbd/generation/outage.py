"""The outage that a reload would be, or a change by hand is: a backend loses its last usable server."""

from collections.abc import Iterable, Mapping

from lbd.backend.snapshot import Generation, Member
from lbd.errors import LbdError


def refuse(now: Mapping[str, tuple[Member, ...]], new: Generation) -> None:
    """Raise `LbdError` for a backend of the new generation that would lose its last usable server."""
    for name, group in new.members.items():
        if served(now.get(name, ())) and not served(group):
            raise LbdError(f"backends.{name}: it has a usable server now and would have none: no new server is up "
                           "(use force to apply it all the same)")


def served(group: Iterable[Member]) -> bool:
    """Whether a backend with these servers has a usable one."""
    return any(map(usable, group))


def usable(member: Member) -> bool:
    """Whether it may get requests: neither its health nor an operator keeps it out."""
    return member.mode == "ready" and member.health == "up"
