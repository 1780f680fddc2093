"""The guard: who gets through to the resources, and what becomes of what they raise."""

import asyncio
import hashlib
import json
import os

import pytest
from aiohttp import web

from lbd.admin import app, guard
from lbd.admin.daemon_api import Refused
from lbd.admin.token import Token
from lbd.errors import (
    ConfigError,
    Conflict,
    Forbidden,
    InvalidChange,
    LbdError,
    NotReady,
    NotStored,
    Problem,
    UnknownTarget,
)

TOKENS = (Token("operate", hashlib.sha256(b"operator").digest()),
          Token("read", hashlib.sha256(b"reader").digest()),
          Token("register", hashlib.sha256(b"server").digest(), frozenset(["app"])))
SERVER = "/v1/backends/app/servers/a"


def headers(secret="operator", host="127.0.0.1:8405", **more):
    return {"Host": host, "Authorization": f"Bearer {secret}", **more}


@pytest.mark.parametrize(("secret", "method", "path", "wanted"), [
    ("reader", "GET", "/v1/status", 200), ("reader", "GET", "/v1/overrides", 200), ("reader", "GET", SERVER, 200),
    ("reader", "POST", "/v1/reload", 403), ("reader", "PATCH", SERVER, 403), ("reader", "PUT", SERVER, 403),
    ("reader", "DELETE", "/v1/overrides", 403),
    ("server", "PUT", SERVER, 201), ("server", "DELETE", SERVER, 202), ("server", "GET", SERVER, 200),
    ("server", "PATCH", SERVER, 403), ("server", "PUT", "/v1/backends/other/servers/a", 403),
    ("server", "GET", "/v1/status", 403), ("server", "GET", "/v1/backends", 403), ("server", "POST", "/v1/reload", 403),
    ("operator", "PATCH", SERVER, 200), ("operator", "POST", "/v1/reload", 200), ("operator", "PUT", SERVER, 201),
    ("nobody", "GET", "/v1/status", 401), ("nobody", "GET", "/nope", 401), ("reader", "GET", "/nope", 404),
    ("nobody", "GET", "/healthz", 200)])
async def test_roles(daemon, ask, secret, method, path, wanted):
    status, _, text = await ask(app.admin(daemon, TOKENS), method, path, headers(secret), b"{}")
    assert status == wanted, text
    if wanted in (401, 403):
        assert daemon.forced == []
        assert daemon.runtime_changes.asked == []


@pytest.mark.parametrize(("host", "more", "wanted"), [
    ("127.0.0.1:8405", {}, 200), ("[::1]:8405", {}, 200), ("localhost:8405", {}, 200), ("LOCALHOST", {}, 200),
    ("lbd.example.com:8405", {}, 200), ("evil.example.com", {}, 403), ("evil.example.com:8405", {}, 403),
    ("127.0.0.1.evil.example.com", {}, 403), ("[::1", {}, 403),
    ("127.0.0.1:8405", {"Origin": "http://127.0.0.1:8405", "Sec-Fetch-Site": "same-origin"}, 200),
    ("127.0.0.1:8405", {"Origin": "http://evil.example.com"}, 403),
    ("127.0.0.1:8405", {"Origin": "null"}, 403), ("127.0.0.1:8405", {"Origin": "http://[::1"}, 403),
    ("127.0.0.1:8405", {"Sec-Fetch-Site": "cross-site"}, 403), ("127.0.0.1:8405", {"Sec-Fetch-Site": "none"}, 200)])
async def test_pages_from_elsewhere(daemon, ask, host, more, wanted):
    made = app.admin(daemon, TOKENS, ["lbd.example.com"])
    status, answered, text = await ask(made, "POST", "/v1/reload", headers(host=host, **more))
    assert status == wanted, text
    assert bool(daemon.forced) == (wanted == 200)
    assert not [name for name in answered if name.lower().startswith("access-control")]


@pytest.mark.parametrize("host", ["localhost:80@evil.example", "evil@localhost", "localhost@x:80", "127.0.0.1/x",
                                  "x@127.0.0.1", "localhost:80/@evil.example", "localhost:80#x", "localhost:80?x"])
@pytest.mark.parametrize("tokens", [TOKENS, None])
async def test_a_host_is_a_name_and_a_port_only(daemon, ask, host, tokens):
    status, _, text = await ask(app.admin(daemon, tokens), "GET", "/v1/status", headers("sesame-sesame", host=host))
    assert status == 403, text


@pytest.mark.parametrize(("host", "more", "wanted"), [
    ("x", {}, 200), ("localhost:8405", {}, 200), ("127.0.0.1:8405", {"Origin": "http://127.0.0.1:8405"}, 200),
    ("evil.example.com:8405", {}, 403), ("localhost:8405", {"Origin": "http://evil.example.com"}, 403),
    ("localhost:8405", {"Sec-Fetch-Site": "cross-site"}, 403)])
async def test_pages_from_elsewhere_do_not_reach_a_socket_that_ssh_forwards(daemon, ask, host, more, wanted):
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/reload", {"Host": host, **more})
    assert status == wanted, text
    assert bool(daemon.forced) == (wanted == 200)


async def test_a_preflight_is_not_answered(daemon, ask):
    status, answered, _ = await ask(app.admin(daemon, TOKENS), "OPTIONS", SERVER,
                                    {"Host": "localhost", "Origin": "http://x", "Access-Control-Request-Method": "PUT"})
    assert status == 403
    assert "Access-Control-Allow-Origin" not in answered


@pytest.mark.parametrize(("body", "wanted"), [
    (b"", 400), (b"no json", 400), (b"[1]", 400), (b"\xff", 400), (b"[" * 50_000, 400),
    (b'{"a": 1}' + b" " * 70_000, 413),
    (b"{}", 200)])
async def test_bodies(daemon, ask, body, wanted):
    status, answered, text = await ask(app.admin(daemon, None), "PATCH", SERVER, None, body)
    assert (status, json.loads(text).get("status", 200)) == (wanted, wanted)
    assert answered["Content-Type"].startswith("application/json" if wanted == 200 else "application/problem+json")


async def test_a_slow_body_is_given_up(daemon, tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "BODY_TIME", 0.0)
    runner = web.AppRunner(app.admin(daemon, None), shutdown_timeout=0.0, lingering_time=0.0)
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "s")).start()
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
    writer.write(f"PATCH {SERVER} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{".encode())
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    await runner.cleanup()
    assert daemon.runtime_changes.asked == []


@pytest.mark.parametrize(("error", "wanted"), [
    (Refused(409, "no"), 409), (LbdError("no"), 503),
    (UnknownTarget("no"), 404), (Conflict("no"), 409), (Forbidden("no"), 403), (InvalidChange("no"), 422),
    (NotReady("no"), 503), (NotStored("no"), 503),
    (ConfigError([Problem("the request", 0, 0, "x", "m")]), 422)])
async def test_what_resources_raise(daemon, ask, error, wanted):
    daemon.runtime_changes.error = error
    status, _, text = await ask(app.admin(daemon, None), "PATCH", SERVER, None, b"{}")
    assert (status, json.loads(text)["status"]) == (wanted, wanted)


async def test_who_is_at_the_other_end(daemon, ask):
    await ask(app.admin(daemon, None), "PATCH", SERVER, None, b"{}")
    assert daemon.runtime_changes.asked[0][-1] == f"uid {os.getuid()}"
    await ask(app.admin(daemon, TOKENS), "PATCH", SERVER, headers(), b"{}")
    assert daemon.runtime_changes.asked[2][-1].startswith("token operate from ")
