"""The messages of the control channel between supervisor and workers: one frozen class each."""

from dataclasses import dataclass, field

from lbd.backend.snapshot import Endpoint, Generation


@dataclass(frozen=True, slots=True)
class WorkerHello:
    """Worker: up and running. `layout` is the hash of the scoreboard's layout in the worker's program."""

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
class UpdateEndpoints:
    """Supervisor: these servers changed mode, health, weight or address."""

    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Confirm:
    """Supervisor: answer with Confirmed. Messages are handled in order, so everything sent before is in force then."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Worker: all that came before this Confirm is in force."""


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """Supervisor: explain the answer to a request with this ticket; answered by ExplainReady."""

    ticket: bytes = field(repr=False)
    seconds: float


@dataclass(frozen=True, slots=True)
class ExplainReady:
    """Worker: requests with the ticket are explained from the next connection on."""


@dataclass(frozen=True, slots=True)
class ConnectFailed:
    """Worker: a connect to this server failed; the server may be at another address by now."""

    backend: str
    server: str
    address: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Supervisor, every second: answer with Pong."""

    number: int


@dataclass(frozen=True, slots=True)
class Pong:
    """Worker: alive; the number is that of the Ping."""

    number: int


@dataclass(frozen=True, slots=True)
class Drain:
    """Supervisor: stop accepting, finish within `timeout` seconds, cut what is left, and exit."""

    timeout: float


@dataclass(frozen=True, slots=True)
class Cut:
    """Supervisor: cut everything and exit now."""


Message = (WorkerHello | Prepare | Ready | Veto | Commit | Committed | Discard | Listen | LogTo | TraceTo
           | UpdateEndpoints | Confirm | Confirmed | ExplainRequest | ExplainReady | ConnectFailed | Ping | Pong | Drain
           | Cut)
