"""The configuration in force as a resource."""

import hashlib
import json

from lbd.admin import app
from lbd.admin.token import Token


async def test_shown(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/config")
    assert (status, json.loads(text)) == (200, {"generation": 3, "settings": []})


async def test_secrets_are_for_a_unix_socket(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/config?secrets=yes")
    assert (status, json.loads(text)["settings"][0]["value"]) == (200, "s")
    tokens = (Token("operate", hashlib.sha256(b"operator").digest()),)
    headers = {"Host": "127.0.0.1", "Authorization": "Bearer operator"}
    status, _, text = await ask(app.admin(daemon, tokens), "GET", "/v1/config?secrets=yes", headers)
    assert (status, json.loads(text)["detail"]) == (403, "secrets are shown on a Unix socket only")
    assert (await ask(app.admin(daemon, tokens), "GET", "/v1/config", headers))[0] == 200
