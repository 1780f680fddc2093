"""`GET /v1/status`."""

import json

from lbd.admin import app


async def test_status_is_what_the_daemon_says(daemon, ask):
    status, headers, text = await ask(app.admin(daemon, None), "GET", "/v1/status")
    assert (status, json.loads(text)) == (200, {"generation": 3})
    assert headers["Content-Type"].startswith("application/json")
