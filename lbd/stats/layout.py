"""The layout: where in a lane of the scoreboard each cell lies, worked out from the table of fields."""

from typing import NamedTuple

from lbd.stats import fields

PAGE = 4096       # bytes; sections begin on pages, so that unused ones cost no memory
LINE = 64         # bytes; rows begin on cache lines
CELL = 8          # bytes; every cell is a C double
LATENCY = LINE    # bytes of one latency: decay.pxd
BUCKETS = 8192    # of the table of sticky sources, each with WAYS entries: sources.pyx
WAYS = 8
SOURCES = BUCKETS * WAYS * 6 * CELL
BACKENDS = next(kind.capacity for kind in fields.KINDS if kind.name == "backend")
SHARED = PAGE + BACKENDS * LINE     # of the segment whose cells have several writers: its mark, then a turn per backend
SHARED_MARK = 0x313052485344424C + SHARED      # "LBDSHR01", and how it is laid out


def turn(backend: int) -> int:
    """The place of a backend's count of turns in the shared segment, in cells."""
    return (PAGE + backend * LINE) // CELL


class Section(NamedTuple):
    """The rows of one kind in a lane, in bytes: `cells` of all rows, then their latencies; -1 where they have none."""

    fields: int
    capacity: int
    stride: int
    cells: int
    latencies: int


class Layout(NamedTuple):
    """The layout of a lane: the sections in the order of the kinds, and `column`, where the servers' field 0 lies side
    by side.

    Algorithms read that column of all servers at every pick. `sources` is where the lane's part of the table of sticky
    source addresses lies, `SOURCES` bytes.
    """

    sections: tuple[Section, ...]
    column: int
    sources: int
    size: int


def up(size: int, unit: int) -> int:
    """`size`, rounded up to a whole number of units."""
    return -(-size // unit) * unit


def arrange(kinds: tuple[fields.RowKind, ...] = fields.KINDS, with_latency: tuple[str, ...] = ("server", "backend"),
            ) -> Layout:
    """Lay out a lane; the first kind is the servers."""
    at = 0
    sections = []
    for kind in kinds:
        stride = up(len(kind.fields) * CELL, LINE)
        cells = at
        at += up(stride * kind.capacity, PAGE)
        latencies = at if kind.name in with_latency else -1
        at += up(LATENCY * kind.capacity, PAGE) if kind.name in with_latency else 0
        sections.append(Section(len(kind.fields), kind.capacity, stride, cells, latencies))
    sources = at + up(CELL * kinds[0].capacity, PAGE)
    return Layout(tuple(sections), at, sources, sources + up(SOURCES, PAGE))
