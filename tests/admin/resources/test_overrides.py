"""The overrides as a resource."""

import json

import pytest

from lbd.admin import app


async def test_listed(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/overrides")
    assert (status, json.loads(text)) == (200, {"overrides": [{"backend": "app", "server": "a"}]})


@pytest.mark.parametrize(("query", "asked"), [
    ("", ("", "")), ("?backend=app", ("app", "")), ("?backend=app&server=a@10.0.0.1", ("app", "a@10.0.0.1"))])
async def test_ended(daemon, ask, query, asked):
    status, _, text = await ask(app.admin(daemon, None), "DELETE", "/v1/overrides" + query)
    assert (status, json.loads(text)) == (200, {"ended": 2})
    assert daemon.runtime_changes.asked[0][1:3] == asked


async def test_a_bad_name(daemon, ask):
    status, _, _ = await ask(app.admin(daemon, None), "DELETE", "/v1/overrides?backend=a/b")
    assert (status, daemon.runtime_changes.asked) == (400, [])
