"""The outage that a reload would be, or a change by hand is: a backend loses its last usable server."""

from collections.abc import Iterable, Mapping

from lbd.backend.snapshot import Endpoint, Generation
from lbd.backend.state import available
from lbd.errors import LbdError


def refuse(now: Mapping[str, tuple[Endpoint, ...]], new: Generation) -> None:
    """Raise `LbdError` for a backend of the new generation that would lose its last usable server."""
    for name, group in new.endpoints.items():
        if served(now.get(name, ())) and not served(group):
            raise LbdError(f"backends.{name}: it has a usable server now and would have none: no new server is up "
                           "(use force to apply it all the same)")


def served(group: Iterable[Endpoint]) -> bool:
    """Whether a backend with these servers has a usable one."""
    return any(map(available, group))
