"""The clock runs again after a test that stopped it."""

from collections.abc import Iterator

import pytest

from lbd.stats import scoreboard


@pytest.fixture(autouse=True)
def _running_clock() -> Iterator[None]:
    yield
    scoreboard.freeze(None)
