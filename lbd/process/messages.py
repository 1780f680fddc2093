"""What supervisor and workers say to each other over the control channel: one frozen class per message."""

from dataclasses import dataclass, field

from lbd.backend.snapshot import Endpoint, Generation


@dataclass(frozen=True, slots=True)
class Hello:
    """Worker: I am up. `layout` is the hash of the scoreboard's layout as this program has it."""

    version: str
    layout: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """Supervisor: build this generation and change nothing yet; answered by Ready or Veto."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class Ready:
    """Worker: the generation is built."""

    number: int


@dataclass(frozen=True, slots=True)
class Veto:
    """Worker: the generation cannot be built, and why."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Commit:
    """Supervisor: put the prepared generation in force; answered by Committed."""

    number: int


@dataclass(frozen=True, slots=True)
class Committed:
    """Worker: the generation is in force."""

    number: int


@dataclass(frozen=True, slots=True)
class Discard:
    """Supervisor: forget the prepared generation."""

    number: int


@dataclass(frozen=True, slots=True)
class Listen:
    """Supervisor: accept for `listener` from exactly the sockets that come with this message; none: stop. `more`: from
    these too, since one message does not take them all."""

    listener: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class LogTo:
    """Supervisor: write the access log, when there is one, to the pipe that comes with this message."""


@dataclass(frozen=True, slots=True)
class TraceTo:
    """Supervisor: write lines about sampled requests, when they are wanted, to the pipe that comes with this."""


@dataclass(frozen=True, slots=True)
class Update:
    """Supervisor: these servers changed mode, health, weight or address."""

    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Explain:
    """Supervisor: the answer to a request with this ticket says how it came about; answered by Explaining."""

    ticket: bytes = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True)
class Explaining:
    """Worker: from the next connection on."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """Worker: a connect to this server failed; it may be at another address by now."""

    backend: str
    server: str
    address: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Supervisor, every second: are you there?"""

    number: int


@dataclass(frozen=True, slots=True)
class Pong:
    """Worker: I am."""

    number: int


@dataclass(frozen=True, slots=True)
class Drain:
    """Supervisor: stop accepting, finish within `timeout` seconds, cut what is left, and exit."""

    timeout: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Supervisor: cut everything and exit now."""


Message = (Hello | Prepare | Ready | Veto | Commit | Committed | Discard | Listen | LogTo | TraceTo | Update | Explain
           | Explaining | Suspect | Ping | Pong | Drain | Cut)
