"""The number of workers."""

from lbd.generation.worker_count import worker_count
from tests.generation.running import config


def test_auto_is_one_worker_per_usable_processor():
    assert worker_count(config("a", workers=5)) == 5
    assert 1 <= worker_count(config("a", workers=0)) <= 64
