"""The scores of least-time, for the metrics: computed from the scoreboard as the workers compute them."""

from collections.abc import Mapping, Sequence

from lbd import schema
from lbd.backend.snapshot import Generation, Member
from lbd.balance.fastest import Fastest
from lbd.balance.least_time import LeastTime
from lbd.stats.scoreboard import Board


def scores(board: Board, generation: Generation, members: Mapping[str, Sequence[Member]]) -> dict[int, float]:
    """Seconds, by the slot of each server that may be chosen in a backend with least-time.

    Weights are those of the configuration: what slow start makes of them, only the workers know.
    """
    found: dict[int, float] = {}
    for name, group in members.items():
        options = generation.config.backends.get(name, schema.Backend()).algorithm.options
        usable = _usable(group)
        if usable and isinstance(options, LeastTime.Options):
            slots = [member.slot for member in usable]
            weights = [float(member.weight) for member in usable]
            fastest = Fastest(board, generation.backends[name], slots, weights, options.decay)
            found.update(zip(slots, fastest.scores(), strict=True))
    return found


def _usable(group: Sequence[Member]) -> list[Member]:
    """The regular servers, or the backups when there are none."""
    usable = [member for member in group if member.mode == "ready" and member.health == "up" and member.weight > 0
              and member.address.literal]
    return [member for member in usable if not member.backup] or usable
