"""The planned cuts: when everything that is at a server which was taken out is cut, as operators asked for it."""

import time
from collections.abc import Callable, Iterable, Mapping

from lbd.backend.snapshot import Member
from lbd.discovery.roster import Roster
from lbd.schema import Config

Name = tuple[str, str]   # backend and name of a member


class Cuts:
    """By member, the moment of the monotonic clock, past or to come. A plan lasts while its server is taken out.

    They are lost with the daemon, as is all that there is to cut; an upgrade in place keeps both.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._moments: dict[Name, float] = {}
        self._clock = clock

    def plan(self, members: Iterable[Member], seconds: float | None) -> None:
        """Cut these after so many seconds; None calls it off."""
        for member in members:
            if seconds is None:
                self._moments.pop((member.backend, member.name), None)
            else:
                self._moments[member.backend, member.name] = self._clock() + seconds

    def applied(self, member: Member) -> Member:
        """The member with its moment."""
        moment = self._moments.get((member.backend, member.name)) if self._moments else None
        return member._replace(cut=moment) if moment is not None and out(member) else member

    def follow(self, roster: Roster, config: Config) -> None:
        """Forget the plans of servers that are back, or gone."""
        backends = {backend for backend, _ in self._moments} & config.backends.keys()
        left = {(member.backend, member.name) for name in backends for member in roster.of(config, name) if out(member)}
        self._moments = {name: moment for name, moment in self._moments.items() if name in left}

    def known(self) -> list[tuple[Name, float]]:
        """All of them, for the next version in this process."""
        return list(self._moments.items())

    def restore(self, moments: Mapping[Name, float]) -> None:
        """Go on with those."""
        self._moments = dict(moments)


def out(member: Member) -> bool:
    """True of a server that operators took out, or that leaves: only then may what is at it be cut."""
    return member.mode != "ready"
