"""`GET /v1/status`."""

import json

from lbd.admin import app


async def test_status_is_what_the_daemon_says(daemon, ask):
    status, headers, text = await ask(app.admin(daemon, None), "GET", "/v1/status")
    assert (status, json.loads(text)) == (200, {"generation": 3})
    assert headers["Content-Type"].startswith("application/json")


async def test_history_is_given_when_it_is_asked_for(daemon, ask):
    assert json.loads((await ask(app.admin(daemon, None), "GET", "/v1/status?history=true"))[2])["history"]
    assert (await ask(app.admin(daemon, None), "GET", "/v1/status?history=maybe"))[0] == 400
