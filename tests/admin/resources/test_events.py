"""`GET /v1/events`."""

import json

import pytest

from lbd.admin import app


async def test_since_and_wait_are_passed_on(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/events?since=6&wait=2s")
    assert (status, json.loads(text)) == (200, {"events": [{"number": 7, "wait": 2.0}], "last": 7})


@pytest.mark.parametrize("query", ["since=-1", "since=x", "since=99999999999999999", "wait=1", "wait=2h"])
async def test_what_means_nothing_is_refused(daemon, ask, query):
    assert (await ask(app.admin(daemon, None), "GET", f"/v1/events?{query}"))[0] == 400
