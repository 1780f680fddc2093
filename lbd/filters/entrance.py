"""The entrance of a listener: its own filters, which see requests before they have a route."""

from collections.abc import Sequence

from lbd.exchange.filter import Filter
from lbd.filters.chain import Chain
from lbd.stats.scoreboard import Row


def make_entrance(process: Row, filters: Sequence[Filter], sends: bool) -> Chain:
    """The own filters of a listener, and those that see the answers that these give. A request that they let pass gets
    its route (`RouteTarget.onward`), whose chain has these filters too, for all that follows, bodies among it. `sends`:
    some filter of a route reads bodies."""
    made = Chain(process, filters)
    made.entrance = True
    made.sends = sends
    return made
