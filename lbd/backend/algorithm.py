"""What a balancing algorithm is: the interface that `lbd.balance` implements, one file per algorithm."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Protocol

from lbd.backend.server import Server
from lbd.stats.scoreboard import Board, Row


class RequestFacts(Protocol):
    """What an algorithm may ask of a request."""

    @property
    def method(self) -> bytes: ...
    @property
    def target(self) -> bytes: ...
    @property
    def host(self) -> bytes: ...
    @property
    def source(self) -> bytes:
        """The client's address as text: behind a trusted proxy the client's own."""
        ...

    def field(self, name: bytes) -> bytes:
        """Value of the first header field of that lower-case name, b"" if there is none."""
        ...


Facts = RequestFacts     # the name in operators' own algorithms


@dataclass(frozen=True, slots=True)
class Context:
    """What an algorithm is given besides its options: the shared figures, its worker's number, and its dice.

    `row` are this worker's figures of the backend, whose name is `backend`.
    """

    board: Board
    worker: int
    random: Random
    row: Row | None = None
    backend: str = ""


class Algorithm:
    """Chooses a server for a request.

    `rebuild` gets the servers that may take requests, in the order of the file: the backend decides which these are,
    never an algorithm. `pick` is only called while there are some. `took` and `dropped` tell that a server was taken
    for a request and that it is free of it again; they stay None where an algorithm does not care. `inherit` hands
    over the state of the algorithm that a reload replaces, if it was of the same class. `Options` is the dataclass
    of the algorithm's own keys in the configuration. `decay` and `last_byte` say how latencies are measured while the
    algorithm is in force: how many seconds samples take to fade to 37 %, and whether they end with the response's last
    byte or its head. `weighs` says what `scores` are, "" where nothing is compared. `takes_turns`: each pick is
    another server's turn, so that picking again passes over a server that is full.
    """

    Options: ClassVar[type | None] = None
    took: Any = None
    dropped: Any = None
    decay = 10.0
    last_byte = False
    weighs: ClassVar[str] = ""
    takes_turns: ClassVar[bool] = False

    def __init__(self, options: Any, context: Context) -> None:
        self.options = options
        self.context = context

    def inherit(self, previous: Any) -> None:
        """Take over what should survive a reload; called before the first `pick`."""

    def enroll(self, servers: Sequence[Server]) -> None:
        """All servers of the pool, usable or not: before the first `rebuild`, and when one has another address."""

    def rebuild(self, servers: Sequence[Server]) -> None:
        """The usable servers or their weights changed."""
        raise NotImplementedError

    def pick(self, request: RequestFacts) -> Server:
        """The server for this request."""
        raise NotImplementedError

    def preview(self, request: RequestFacts) -> Server:
        """The server that `pick` would choose now, for explanations: no turn is taken by it."""
        return self.pick(request)

    def scores(self) -> Sequence[float]:
        """What `pick` compares, now, for each server of the last `rebuild` in its order: for explanations."""
        return ()

    def hashed(self, request: RequestFacts) -> bytes | None:
        """The key whose hash decides, b"" for a request that has none; None where no key decides."""
        return None
