"""Scores that are seconds (those of least-time), for the metrics: computed from the scoreboard as workers do it."""

from collections.abc import Mapping, Sequence

from lbd import schema
from lbd.backend.snapshot import Endpoint, Generation
from lbd.backend.state import usable
from lbd.balance import estimate_of
from lbd.stats.scoreboard import Board


def scores(board: Board, generation: Generation, endpoints: Mapping[str, Sequence[Endpoint]]) -> dict[int, float]:
    """Seconds, by the slot of each server that may be chosen in a backend whose algorithm compares seconds.

    Weights are those of the configuration: what slow start makes of them, only the workers know.
    """
    found: dict[int, float] = {}
    for name, group in endpoints.items():
        settings = generation.config.backends.get(name, schema.BackendConfig()).algorithm
        estimate = estimate_of(settings.name)
        candidates = _candidates(group)
        if candidates and estimate is not None:
            slots = [endpoint.slot for endpoint in candidates]
            weights = [float(endpoint.weight) for endpoint in candidates]
            seconds = estimate(board, generation.backends[name], slots, weights, settings.options)
            found.update(zip(slots, seconds, strict=True))
    return found


def _candidates(group: Sequence[Endpoint]) -> list[Endpoint]:
    """The regular servers, or the backups when there are none."""
    candidates = list(filter(usable, group))
    return [endpoint for endpoint in candidates if not endpoint.backup] or candidates
