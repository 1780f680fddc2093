"""The two applications: what each has, and how they refuse."""

import json

import pytest

from lbd.admin import app


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/status"])
async def test_admin_has_everything(daemon, ask, path):
    status, headers, _ = await ask(app.admin(daemon, None), "GET", path)
    assert status == 200
    assert headers["Server"] == "lbd"


@pytest.mark.parametrize(("method", "path", "wanted"), [
    ("GET", "/metrics", 200), ("GET", "/healthz", 200), ("GET", "/v1/status", 404), ("POST", "/v1/reload", 404),
    ("POST", "/metrics", 405)])
async def test_metrics_can_change_nothing(daemon, ask, method, path, wanted):
    status, _, _ = await ask(app.metrics(daemon), method, path)
    assert status == wanted
    assert daemon.forced == []


async def test_errors_are_json(daemon, ask):
    status, headers, text = await ask(app.admin(daemon, None), "GET", "/nope")
    assert (status, headers["Content-Type"]) == (404, "application/problem+json; charset=utf-8")
    assert json.loads(text) == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Not Found"}
    status, headers, _ = await ask(app.admin(daemon, None), "GET", "/v1/reload")
    assert (status, headers["Allow"]) == (405, "POST")


async def test_a_fault_shows_nothing_of_the_inside(daemon, ask):
    daemon.status = lambda: 1 / 0
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/status")
    assert status == 500
    assert "division" not in text
