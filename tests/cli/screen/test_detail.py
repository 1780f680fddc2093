"""A server in `lbd top`."""

from lbd.cli.screen.detail import lines


async def test_all_that_matters_fits_on_a_small_terminal(driven):
    async with driven.run() as pilot:
        await pilot.press("enter")
        await driven.shows("app/b", "down", "1 min 0 s", "GET /: 503", "latency, the last 4 s", "20.0 ms",
                           "requests per second", "server down", "Back", "Drain")


async def test_it_follows_the_server(driven):
    async with driven.run() as pilot:
        await pilot.press("enter")
        driven.servers["b"].update(health="up", reason="GET /: 200 again")
        driven.answer()
        await driven.shows("200 again")
        await pilot.press("escape")
        await driven.shows("by trouble")


def test_a_server_without_a_history():
    text = "\n".join(map(str, lines({"backend": "app", "name": "x"}, [], 80)))
    assert text.startswith("app/x")
    assert "nothing measured yet" in text
