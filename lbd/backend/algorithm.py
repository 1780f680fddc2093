"""The interface of balancing algorithms, which `lbd.balance` implements in one file per algorithm."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Protocol

from lbd.backend.server import Server
from lbd.stats.scoreboard import Board, Row


class RequestFacts(Protocol):
    """The facts of a request that an algorithm may use."""

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
    """The surroundings of an algorithm: the scoreboard of all workers, its worker's number, and its dice.

    `row` are this worker's figures of the backend, whose name is `backend`.
    """

    board: Board
    worker: int
    random: Random
    row: Row | None = None
    backend: str = ""


class Estimate(Protocol):
    """Computes scores of servers in seconds from the scoreboard alone, by their slots and weights; `backend` is the
    slot of their backend."""

    def __call__(self, board: Board, backend: int, slots: Sequence[int], weights: Sequence[float], options: Any, /
                 ) -> Sequence[float]: ...


class Algorithm:
    """Chooses a server for a request.

    `rebuild` gets the servers that may take requests, in the order of the file: the backend decides which these are,
    never an algorithm. `pick` is only called while there are some. `took` and `dropped` are called when a server was
    taken for a request and when it is free of it again; they stay None where an algorithm does not care. `inherit`
    hands over the state of the algorithm that a reload replaces, if it was of the same class. `decay` and `last_byte`
    say how latencies are measured while the algorithm is in force: how many seconds samples take to fade to 37 %, and
    whether they end with the response's last byte or its head.
    """

    Options: ClassVar[type | None] = None           # the dataclass of its own keys in the configuration
    weighted: ClassVar[bool] = True                 # it heeds the servers' weights
    hashes: ClassVar[bool] = False                  # a key of the request decides, so that weights must not grow slowly
    takes_turns: ClassVar[bool] = False             # picking again passes over a server that is full
    score_meaning: ClassVar[str] = ""               # of `scores`, in words; "" where nothing is compared
    estimate: ClassVar[Estimate | None] = None      # `scores` in seconds, for metrics; None where they are no seconds

    took: Any = None
    dropped: Any = None
    decay = 10.0
    last_byte = False

    def __init__(self, options: Any, context: Context) -> None:
        self.options = options
        self.context = context

    @classmethod
    def needs_requests(cls, options: Any) -> bool:
        """Whether it reads requests, which a tcp listener does not have, beside the client's address."""
        return False

    def inherit(self, previous: Any) -> None:
        """Take over the state that survives a reload; called before the first `pick`."""

    def enroll(self, servers: Sequence[Server]) -> None:
        """Take all servers of the pool, usable or not; called before the first `rebuild`, and after a new address."""

    def rebuild(self, servers: Sequence[Server]) -> None:
        """Choose among these usable servers from now on; called when they or their weights changed."""
        raise NotImplementedError

    def pick(self, request: RequestFacts) -> Server:
        """The server for this request."""
        raise NotImplementedError

    def preview(self, request: RequestFacts) -> Server:
        """The server that `pick` would choose now, for explanations: no turn is taken by it."""
        return self.pick(request)

    def scores(self) -> Sequence[float]:
        """The values that `pick` compares now, for each server of the last `rebuild` in its order: for explanations."""
        return ()

    def hash_key(self, request: RequestFacts) -> bytes | None:
        """The key whose hash decides, b"" for a request that has none; None where no key decides."""
        return None
