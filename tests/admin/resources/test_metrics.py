"""`/metrics`."""

from lbd.admin import app


async def test_the_format_is_negotiated_by_the_daemon(daemon, ask):
    wanted = {"Accept": "application/openmetrics-text"}
    status, headers, text = await ask(app.metrics(daemon), "GET", "/metrics", wanted)
    assert (status, text) == (200, "up 1\n")
    assert headers["Content-Type"] == "text/plain; version=1.0.0; charset=utf-8"
    assert daemon.accepted == ["application/openmetrics-text"]


async def test_a_query_that_means_nothing_is_told_so(daemon, ask):
    status, _, text = await ask(app.metrics(daemon), "GET", "/metrics?scope=none")
    assert status == 400
    assert "scope is global" in text
