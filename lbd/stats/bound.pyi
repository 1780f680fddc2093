"""A bound on the sum of a cell over all lanes that no race can exceed, without locks."""

from lbd.stats.scoreboard import Row

def total(row: Row, field: int) -> float:
    """The sum of the row's field over all lanes."""

def reserve(row: Row, field: int, bound: float) -> bool:
    """Add 1 to this lane's cell if the sum over all lanes is at most `bound` then; false when there is no room.

    Give back by `row.add(field, -1)`. Exact under races: the sum of what was granted never exceeds the bound. Under
    contention it may return false although a place has just become free: try again later.
    """
