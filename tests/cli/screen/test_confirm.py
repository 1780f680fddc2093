"""The question before a change."""

import pytest

from lbd.cli.screen.confirm import MEANING


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
async def test_it_says_what_and_what_is_in_flight(driven, size):
    async with driven.run(size) as pilot:
        await pilot.press("down", "m")
        await driven.shows("maint app/c?", "In flight now: 3.", MEANING["maint"][:20])


async def test_letters_are_the_reason_and_no_keys(driven):
    async with driven.run() as pilot:
        await pilot.press("d", "q", "s")
        assert driven.app.screen.query_one("Input").value == "qs"
