"""The backends as resources."""

import json

from lbd.admin import app


async def test_all_and_one(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/backends")
    assert (status, list(json.loads(text)["backends"])) == (200, ["app"])
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/backends/app")
    assert (status, list(json.loads(text)["servers"])) == (200, ["a"])


async def test_a_whole_backend_is_overridden(daemon, ask):
    status, _, _ = await ask(app.admin(daemon, None), "PATCH", "/v1/backends/app", None, b'{"weight": 3}')
    assert status == 200
    assert daemon.runtime_changes.asked[0][:4] == ("change", "app", "", {"weight": 3})
