"""A tunnel below its protocols: bytes go from one connection to the other by recv and send, long ones by splice(2)."""

from typing import final

from lbd.net.carrier import Carrier
from lbd.net.stream import Sock

@final
class Relay(Carrier):
    """A direction of a tunnel. `passed`: bytes that left the source."""

    @property
    def passed(self) -> int: ...

def relay(source: Sock, sink: Sock) -> Relay | None:
    """Send the data that the source receives from now on to the sink; the protocols hear of its end and errors only.

    Returns the pump, whose `passed` counts the bytes (as `source.passed` does); None where one of them is closed, or
    carries already.
    """

def pipes() -> tuple[int, int]:
    """How many pipes there are, and how many of them are unused."""
