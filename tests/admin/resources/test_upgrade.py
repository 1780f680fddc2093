"""`POST /v1/upgrade`."""

import json

from lbd.admin import app
from lbd.errors import LbdError


async def test_it_is_begun_or_refused(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/upgrade")
    assert (status, json.loads(text)["to"]) == (202, "2.0")
    daemon.error = LbdError("it does not take the configuration")
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/upgrade")
    assert (status, json.loads(text)["detail"]) == (409, "it does not take the configuration")
