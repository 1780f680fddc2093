"""The configuration in force as a resource."""

import json

from lbd.admin import app


async def test_shown(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/config")
    assert (status, json.loads(text)) == (200, {"generation": 3, "settings": []})
