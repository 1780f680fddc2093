"""`POST /v1/plan`."""

import json

import pytest

from lbd.admin import app
from lbd.errors import ConfigError, Problem


async def test_the_daemons_own_files_or_another(daemon, ask):
    admin = app.admin(daemon, None)
    assert json.loads((await ask(admin, "POST", "/v1/plan"))[2])["file"] is None
    admin = app.admin(daemon, None)
    assert json.loads((await ask(admin, "POST", "/v1/plan", body='{"file": "/x.toml"}'))[2])["file"] == "/x.toml"


@pytest.mark.parametrize(("body", "wanted"), [
    ("{", 400), ("[]", 400), ('{"file": "relative.toml"}', 422), ('{"file": 3}', 422), ('{"fiel": "/x"}', 422)])
async def test_what_is_no_file(daemon, ask, body, wanted):
    assert (await ask(app.admin(daemon, None), "POST", "/v1/plan", body=body))[0] == wanted


async def test_a_bad_file(daemon, ask):
    daemon.error = ConfigError([Problem("f.toml", 3, 1, "a.b", "must be c")])
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/plan")
    assert (status, json.loads(text)["problems"][0]["line"]) == (422, 3)
