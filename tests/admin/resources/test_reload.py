"""`POST /v1/reload`."""

import json

from lbd.admin import app
from lbd.errors import ConfigError, LbdError, Problem


async def test_done(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/reload")
    assert (status, json.loads(text)) == (200, {"generation": 4, "changed": True})
    await ask(app.admin(daemon, None), "POST", "/v1/reload?force=1")
    assert daemon.forced == [False, True]


async def test_a_bad_file(daemon, ask):
    daemon.error = ConfigError([Problem("f.toml", 3, 1, "a.b", "must be c")])
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/reload")
    data = json.loads(text)
    assert (status, data["detail"]) == (422, "the configuration has 1 error")
    assert data["problems"][0]["line"] == 3


async def test_a_refusal(daemon, ask):
    daemon.error = LbdError("a worker died")
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/reload")
    assert (status, json.loads(text)["detail"]) == (409, "a worker died")


async def test_for_a_while_only(daemon, ask):
    assert (await ask(app.admin(daemon, None), "POST", "/v1/reload?confirm=1m"))[0] == 200
    assert daemon.confirm_within == 60.0
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/reload?confirm=soon")
    assert status == 400
    assert "confirm" in json.loads(text)["detail"]
    assert (await ask(app.admin(daemon, None), "POST", "/v1/reload?force=perhaps"))[0] == 400
