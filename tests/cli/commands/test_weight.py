"""lbd.cli.commands.weight: what it refuses."""

import pytest

from lbd.cli.command_line import main


@pytest.mark.parametrize("weight", ["-1", "1001", "much", ""])
def test_bad_weights(weight: str) -> None:
    assert main(["weight", "app/a", weight]) == 2
