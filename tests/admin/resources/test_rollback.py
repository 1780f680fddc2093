"""`POST /v1/rollback`."""

import json

from lbd.admin import app
from lbd.errors import LbdError


async def test_it_is_done_or_refused(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/rollback")
    assert status == 200
    assert json.loads(text)["generation"] in (4, 5)
    daemon.error = LbdError("there is none")
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/rollback")
    assert (status, json.loads(text)["detail"]) == (409, "there is none")
