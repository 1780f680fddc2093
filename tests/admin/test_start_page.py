"""The start page: who gets what of it."""

import asyncio
import hashlib
import re
import subprocess
import sys

import pytest

from lbd.admin import app, start_page
from lbd.admin.token import Token

TOKENS = (Token("operate", hashlib.sha256(b"operator").digest()),
          Token("read", hashlib.sha256(b"reader").digest()),
          Token("register", hashlib.sha256(b"server").digest(), frozenset(["app"])))
HOST = {"Host": "127.0.0.1:8405"}


async def test_it_is_served_with_its_files_and_a_policy(daemon, ask):
    status, headers, text = await ask(app.admin(daemon, None), "GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert len(links) == 3
    for link in links:
        assert (await ask(app.admin(daemon, TOKENS), "GET", f"/{link}", HOST))[0] == 200


@pytest.mark.parametrize("name", ["other.css", "layout.html", "status.html", "..%2f..%2fapp.py", "..%2fstyle.css"])
async def test_no_other_file_is_served(daemon, ask, name):
    assert (await ask(app.admin(daemon, None), "GET", f"/page/{name}"))[0] in (400, 404)


async def test_it_is_not_where_prometheus_scrapes(daemon, ask):
    assert (await ask(app.metrics(daemon), "GET", "/"))[0] == 404


@pytest.mark.parametrize(("secret", "code", "page"), [
    ("", 401, "login"), ("reader", 200, "status"), ("operator", 200, "status")])
async def test_without_the_right_to_read_it_says_nothing(daemon, ask, secret, code, page):
    more = {"Authorization": f"Bearer {secret}"} if secret else {}
    status, _, text = await ask(app.admin(daemon, TOKENS), "GET", "/", {**HOST, **more})
    assert (status, f'data-page="{page}"' in text) == (code, True)


@pytest.mark.parametrize("secret", ["wrong", "server"])
async def test_a_token_that_may_not_read_is_told_apart_from_none(daemon, ask, secret):
    more = {"Authorization": f"Bearer {secret}"}
    status, headers, _ = await ask(app.admin(daemon, TOKENS), "GET", "/", {**HOST, **more})
    assert (status, headers["Content-Type"].partition(";")[0]) == (401, "application/problem+json")


async def test_a_page_from_elsewhere_gets_nothing(daemon, ask):
    headers = {"Host": "evil.example.com", "Authorization": "Bearer operator"}
    assert (await ask(app.admin(daemon, TOKENS), "GET", "/", headers))[0] == 403


@pytest.mark.parametrize(("query", "shown"), [
    ("", True), ("?show=app", True), ("?show=", False), ("?find=DOWN", True), ("?find=nowhere", False)])
async def test_what_is_to_be_shown_stands_in_the_address(daemon, ask, monkeypatch, query, shown):
    status = {**daemon.status(), "backends": {"app": {"servers": {"a": {"health": "down", "mode": "ready"}}}}}
    monkeypatch.setattr(daemon, "status", lambda history=False: status)
    _, _, text = await ask(app.admin(daemon, None), "GET", f"/{query}")
    assert ('id="server-app/' in text) == shown


async def test_others_have_their_turn_while_a_long_page_is_made():
    turns = []

    def pieces():
        for number in range(3 * start_page.PIECES):
            yield "x" if turns or number < 2 * start_page.PIECES else "late"

    asyncio.get_running_loop().call_soon(turns.append, True)
    assert await start_page.joined(pieces()) == "x" * 3 * start_page.PIECES


def test_templates_are_no_part_of_a_worker():
    """Each worker would pay for them in memory and in its start."""
    loaded = "import sys, lbd.control.worker; print(sorted({'jinja2', 'markupsafe', 'lbd.admin'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True).stdout == "[]\n"
