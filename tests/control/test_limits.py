"""How many connections follow from the descriptors."""

import resource

import pytest

from lbd.control import limits


@pytest.mark.parametrize(("files", "workers", "configured", "share"), [
    (10_200, 2, None, 5000),
    (10_200, 2, 1000, 500),
    (10_200, 3, 1000, 334),
    (10_200, 1, 1_000_000, 5000),
    (100, 1, None, 1),
])
def test_share_of_a_worker(files, workers, configured, share):
    assert limits.connections(files, workers, configured) == share


def test_the_soft_limit_is_raised():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 512), before[1]))
        count = limits.raise_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == count >= 512
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
