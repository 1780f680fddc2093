"""The number of workers that a configuration asks for, and the lanes of the scoreboard that so many need."""

from lbd.process import processors
from lbd.schema import Config

MOST_WORKERS = 64
LANES = 2 * MOST_WORKERS + 2   # old and new workers overlap
OLD_LANE = 0                   # for the counters of a scoreboard of another layout


def worker_count(config: Config) -> int:
    """The number of workers, `auto` resolved."""
    return config.global_.workers or min(MOST_WORKERS, processors.usable())
