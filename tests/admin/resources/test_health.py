"""`/healthz` and `/readyz`."""

import pytest

from lbd.admin import app


@pytest.mark.parametrize(("reason", "wanted", "text"), [
    ("", 200, "ready\n"), ("starting", 503, "starting\n"), ("stopping", 503, "stopping\n")])
async def test_readiness_follows_the_daemon(daemon, ask, reason, wanted, text):
    daemon.ready = reason
    status, _, said = await ask(app.metrics(daemon), "GET", "/readyz")
    assert (status, said) == (wanted, text)
    assert (await ask(app.metrics(daemon), "GET", "/healthz"))[0] == 200
