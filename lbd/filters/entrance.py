"""The entrance of a listener: its own filters, which see requests before they have a route."""

from collections.abc import Sequence

from lbd.exchange.filter import Filter
from lbd.exchange.streams import Requester
from lbd.filters.chain import Chain
from lbd.http.message import Head
from lbd.stats.scoreboard import Row


class Entrance(Chain):
    """The own filters of a listener, and those that see the answers that these give. A request that they let pass gets
    its route (`RouteTarget.onward`), whose chain has these filters too, for all that follows. `sends`: some filter
    of a route reads bodies."""

    def __init__(self, process: Row, filters: Sequence[Filter], sends: bool) -> None:
        super().__init__(process, filters)
        self.sends = sends

    def _frame_request(self, exchange: Requester, head: Head) -> bool:
        return True         # it passes the filters of bodies with its route
