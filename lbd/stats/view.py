"""The view: all that has metrics now, as the supervisor tells the exporter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DaemonValue = float | Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class ServerView:
    """A server: its row, and the knowledge of the supervisor.

    `state` is one word for both axes, `up` whether it takes new requests, `check_seconds` how long the last check
    took (None: never checked), `checks` their number by result, `ejections` the decisions about it, by kind.
    `score` is what least-time compares (seconds; None: another algorithm chooses, or the server may not be chosen).
    `max_connections` is the bound on its connections (0: none).
    """

    backend: str
    name: str
    slot: int
    state: str = "up"
    up: bool = True
    weight: float = 1.0
    check_seconds: float | None = None
    checks: Mapping[str, int] = field(default_factory=dict)
    ejections: Mapping[str, int] = field(default_factory=dict)
    score: float | None = None
    max_connections: int = 0


@dataclass(frozen=True, slots=True)
class ProcessView:
    """A process of lbd: "supervisor" or the number of a worker's slot, and its lane of the board (None: it has none).

    `files` are open descriptors, `memory` resident bytes, `cpu` seconds since its start.
    """

    name: str
    lane: int | None = None
    files: int = 0
    memory: int = 0
    cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class View:
    """Everything that exists now, with its slots; other things have no series.

    `daemon` holds the values of `exporter.DAEMON_METRICS` by name: a number, or numbers by the values of the labels.
    `left_out`: there would be more series than allowed; `histograms`: servers have theirs exported; `build` are the
    labels of `lbd_build_info`.
    """

    generation: int
    servers: Sequence[ServerView] = ()
    listeners: Mapping[str, int] = field(default_factory=dict)
    backends: Mapping[str, int] = field(default_factory=dict)
    routes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    processes: Sequence[ProcessView] = ()
    daemon: Mapping[str, DaemonValue] = field(default_factory=dict)
    left_out: bool = False
    histograms: bool = False
    build: Mapping[str, str] = field(default_factory=dict)
