"""A fault of a server during a simulated run, with its begin and end."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from lbd.errors import UsageError
from lbd.wording import listed, nearest, shown

SLOW, DIES, HANGS = KINDS = ("slow", "dies", "hangs")
LARGEST_FACTOR = 10_000.0

_FORM = re.compile(r"(?P<server>[^@]+)@(?P<begin>[0-9]+(?:\.[0-9]+)?)%(?:-(?P<end>[0-9]+(?:\.[0-9]+)?)%)?"
                   r"(?::x(?P<factor>[0-9]+(?:\.[0-9]+)?))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """`begin` and `end` are shares of the run's requests, 0.0 to 1.0; `factor` multiplies a slow server's times."""

    kind: str
    server: str
    begin: float
    end: float = 1.0
    factor: float = 1.0

    def __str__(self) -> str:
        when = f"{self.begin * 100:g}%" if self.end >= 1 else f"{self.begin * 100:g}%-{self.end * 100:g}%"
        return f"{self.kind} {self.server}@{when}" + (f":x{self.factor:g}" if self.kind == SLOW else "")


def parse(kind: str, text: str, servers: Collection[str]) -> Fault:
    """Read SERVER@50%, SERVER@20%-60%, for a slow one with :x10 behind it; raises `UsageError`."""
    example = "a@50%:x10 or a@20%-60%:x10" if kind == SLOW else "a@50% or a@20%-60%"
    found = _FORM.fullmatch(text)
    if not found or (found["factor"] is not None) != (kind == SLOW):
        raise UsageError(f"--{kind}: {shown(text)} is not SERVER@WHEN%{':xFACTOR' * (kind == SLOW)}, like {example}")
    server = found["server"]
    if server not in servers:
        raise UsageError(f"--{kind}: {shown(server)} is no server; must be {listed(servers)}{nearest(server, servers)}")
    begin, end = float(found["begin"]) / 100, float(found["end"] or 100) / 100
    if not begin < end <= 1:
        raise UsageError(f"--{kind}: {shown(text)} ends before it begins, or after 100%")
    factor = float(found["factor"] or 1)
    if not 0 < factor <= LARGEST_FACTOR:
        raise UsageError(f"--{kind}: the factor of {shown(text)} must be above 0 and at most {LARGEST_FACTOR:g}")
    return Fault(kind, server, begin, end, factor)
