"""The slots: the owners of the rows of the scoreboard, kept by the supervisor over all generations."""

import contextlib
import heapq
from collections.abc import Hashable, Iterable, Iterator, Mapping
from types import MappingProxyType

from lbd.errors import LbdError
from lbd.stats.fields import KINDS
from lbd.stats.scoreboard import Board


class Slots:
    """Gives rows to identities: (backend, name, address) of a server, a name, a pair (listener, backend).

    An identity keeps its row until it is released; a new owner gets the lowest free one, zeroed.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._owned: tuple[dict[Hashable, int], ...] = tuple({} for _ in KINDS)
        self._free: tuple[list[int], ...] = tuple([] for _ in KINDS)
        self._high = [0] * len(KINDS)        # slots from here on were never given away

    def allocate(self, kind: int, identity: Hashable) -> int:
        """The slot of that owner, a new one if it has none yet; LbdError when there is no room."""
        owned = self._owned[kind]
        slot = owned.get(identity)
        if slot is None:
            slot = owned[identity] = self._new(kind)
            self._board.clear(kind, slot)
        return slot

    @contextlib.contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Free again what is allocated within the block, if that raises; nothing else may allocate slots meanwhile."""
        before = [frozenset(owned) for owned in self._owned]
        try:
            yield
        except BaseException:
            for kind, owned in enumerate(self._owned):
                for identity in owned.keys() - before[kind]:
                    self.release(kind, identity)
            raise

    def restore(self, owners: Iterable[tuple[int, Hashable, int]]) -> None:
        """Give rows to (kind, identity, slot) as an earlier process did, with what stands in them; at the start."""
        for kind, identity, slot in owners:
            if 0 <= kind < len(KINDS) and 0 <= slot < KINDS[kind].capacity:
                self._owned[kind][identity] = slot
        for kind, owned in enumerate(self._owned):
            used = set(owned.values())
            self._high[kind] = max(used, default=-1) + 1
            self._free[kind][:] = sorted(set(range(self._high[kind])) - used)

    def release(self, kind: int, identity: Hashable) -> None:
        """Free the slot of an owner, once no process can write its row any more; no error if it has none."""
        slot = self._owned[kind].pop(identity, None)
        if slot is not None:
            heapq.heappush(self._free[kind], slot)

    def owners(self, kind: int) -> Mapping[Hashable, int]:
        """The owners of slots now, with their slots."""
        return MappingProxyType(self._owned[kind])

    def _new(self, kind: int) -> int:
        if self._free[kind]:
            return heapq.heappop(self._free[kind])
        slot = self._high[kind]
        if slot == KINDS[kind].capacity:
            raise LbdError(f"the scoreboard has room for {slot} {KINDS[kind].name}s and all are in use: "
                           "configure fewer, or wait until those that were removed have drained")
        self._high[kind] += 1
        return slot
