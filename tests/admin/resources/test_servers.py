"""A server as a resource: its methods, their parameters and answers."""

import json

import pytest

from lbd.admin import app

PATH = "/v1/backends/app/servers/a"


@pytest.mark.parametrize(("method", "query", "body", "asked", "wanted"), [
    ("GET", "", None, ("server", "app", "a"), 200),
    ("PUT", "", {"address": "10.0.0.1:80"}, ("register", "app", "a", {"address": "10.0.0.1:80"}), 201),
    ("PATCH", "", {"mode": "drain"}, ("change", "app", "a", {"mode": "drain"}), 200),
    ("PATCH", "", {"mode": "maint", "cut": "30s"}, ("change", "app", "a", {"mode": "maint", "cut": "30s"}), 200),
    ("DELETE", "", None, ("deregister", "app", "a", 0.0), 202),
    ("DELETE", "?wait=30s", None, ("deregister", "app", "a", 30.0), 200),
])
async def test_methods(daemon, ask, method, query, body, asked, wanted):
    status, _, text = await ask(app.admin(daemon, None), method, PATH + query, None, json.dumps(body) if body else None)
    assert status == wanted, text
    assert daemon.runtime_changes.asked[0][:len(asked)] == asked


async def test_a_heartbeat_is_no_news(daemon, ask):
    daemon.runtime_changes.changed = False
    status, _, text = await ask(app.admin(daemon, None), "PUT", PATH, None, b"{}")
    assert (status, json.loads(text)) == (200, {"backend": "app", "name": "a", "changed": False})


@pytest.mark.parametrize("wait", ["30", "-1s", "1y", "", "11m"])
async def test_bad_waits(daemon, ask, wait):
    status, _, text = await ask(app.admin(daemon, None), "DELETE", f"{PATH}?wait={wait}")
    assert status == 400
    assert "wait: " in json.loads(text)["detail"]
    assert daemon.runtime_changes.asked == []


@pytest.mark.parametrize("name", ["..%2f..%2fetc", "%00", "a%0ab", "%c3%a9", "a" * 5000])
async def test_names_reach_it_as_they_are(daemon, ask, name):
    status, _, _ = await ask(app.admin(daemon, None), "GET", f"/v1/backends/app/servers/{name}")
    assert status == 200
    assert daemon.runtime_changes.asked[0][1] == "app"


@pytest.mark.parametrize("path", [PATH, "/v1/backends/app"])
async def test_a_change_that_leaves_no_server_says_so(daemon, ask, path):
    daemon.runtime_changes.lost = "no server of app is left"
    status, _, text = await ask(app.admin(daemon, None), "PATCH", path, None, b'{"mode": "drain"}')
    assert (status, json.loads(text)["warning"]) == (200, "no server of app is left")
    daemon.runtime_changes.unkept = "not kept over a restart: full"
    status, _, text = await ask(app.admin(daemon, None), "PATCH", path, None, b'{"mode": "drain"}')
    assert json.loads(text)["warning"] == "no server of app is left; not kept over a restart: full"
