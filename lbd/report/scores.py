"""The scores of least-time, for the metrics: computed from the scoreboard as the workers compute them."""

from collections.abc import Mapping, Sequence

from lbd import schema
from lbd.backend.snapshot import Endpoint, Generation
from lbd.backend.state import usable
from lbd.balance.fastest import Fastest
from lbd.balance.least_time import LeastTime
from lbd.stats.scoreboard import Board


def scores(board: Board, generation: Generation, endpoints: Mapping[str, Sequence[Endpoint]]) -> dict[int, float]:
    """Seconds, by the slot of each server that may be chosen in a backend with least-time.

    Weights are those of the configuration: what slow start makes of them, only the workers know.
    """
    found: dict[int, float] = {}
    for name, group in endpoints.items():
        options = generation.config.backends.get(name, schema.BackendConfig()).algorithm.options
        candidates = _candidates(group)
        if candidates and isinstance(options, LeastTime.Options):
            slots = [endpoint.slot for endpoint in candidates]
            weights = [float(endpoint.weight) for endpoint in candidates]
            fastest = Fastest(board, generation.backends[name], slots, weights, options.decay)
            found.update(zip(slots, fastest.scores(), strict=True))
    return found


def _candidates(group: Sequence[Endpoint]) -> list[Endpoint]:
    """The regular servers, or the backups when there are none."""
    candidates = list(filter(usable, group))
    return [endpoint for endpoint in candidates if not endpoint.backup] or candidates
