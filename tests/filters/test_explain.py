"""Answers that say how they came about: to whom, what, and to nobody else."""

import re

import pytest

from tests.rig import answer, configuration, request

TO_ALL = '\n[global]\nexplain_to = ["127.0.0.1"]\n'
ROUTE = '[[listeners.web.routes]]\npath = "/old"\nredirect = { to = "/new" }\n'


def said(head: bytes) -> dict[str, str]:
    """The parts of the field."""
    [line] = re.findall(rb"(?im)^x-lbd-explain: (.*)\r$", head)
    return dict(part.split("=", 1) for part in line.decode().split("; "))


async def serve(stage, *fields):
    server = await stage.accept()
    head = await server.head()
    await server.send(answer(b"ok", *fields))
    return head, server


async def test_nobody_is_told_by_default(simple, rig, stage, connect):
    simple()
    assert rig.plane.context.explanations is None
    client = await connect()
    await client.send(request("/", "X-Lbd-Explain: 1"))
    head, _ = await serve(stage)
    assert b"\r\nX-Lbd-Explain: 1\r\n" in head
    assert b"x-lbd-explain" not in (await client.head()).lower()


async def test_the_way_of_a_request_and_of_the_next_on_its_connection(simple, stage, connect):
    simple(ROUTE, 'algorithm = "least-connections"', TO_ALL)
    client = await connect()
    await client.send(request())
    _, server = await serve(stage, "X-Lbd-Explain: forged")
    found = said((await client.message())[0])
    assert {name: found[name] for name in ("generation", "listener", "route", "backend", "algorithm", "server")} == {
        "generation": "1", "listener": "web", "route": "-", "backend": "app", "algorithm": "least-connections",
        "server": "a"}
    for timer in ("queue", "connect", "first-byte"):
        assert re.fullmatch(r"\d+\.\dms", found[timer])
    await client.send(request())
    await server.head()
    await server.send(answer(b"ok"))
    assert said((await client.message())[0])["connect"] == "reused"


async def test_answers_of_lbd_itself(simple, rig, connect):
    simple(ROUTE, 'health = { type = "tcp" }', TO_ALL)
    client = await connect()
    await client.send(request("/old"))
    found = said((await client.message())[0])
    assert (found["route"], found["ending"], "server" in found, "backend" in found) == ("0", "answered", False, False)


async def test_a_server_that_failed_is_named(rig, stage, refusing, connect, tmp_path):
    from_file = f"""
[global]
explain_to = ["127.0.0.0/8"]
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
[backends.app]
algorithm = "first"
servers = {{ bad = "{refusing.address}", good = "{stage.address}" }}
"""
    rig.start(configuration(from_file, tmp_path))
    client = await connect()
    await client.send(request())
    await serve(stage)
    found = said((await client.message())[0])
    assert (found["tried"], found["server"]) == ("bad", "good")


async def test_other_clients_are_not_told(simple, stage, connect):
    simple(more='\n[global]\nexplain_to = ["192.0.2.0/24"]\n')
    client = await connect()
    await client.send(request())
    await serve(stage)
    assert b"x-lbd-explain" not in (await client.head()).lower()


@pytest.mark.parametrize(("forwarded", "told"), [("192.0.2.7", True), ("198.51.100.7", False)])
async def test_behind_a_trusted_proxy_the_clients_own_address_counts(simple, stage, connect, forwarded, told):
    simple(more='\n[global]\nexplain_to = ["192.0.2.0/24"]\ntrusted_proxies = ["127.0.0.1"]\n')
    client = await connect()
    await client.send(request("/", f"X-Forwarded-For: {forwarded}"))
    await serve(stage)
    assert (b"x-lbd-explain" in (await client.head()).lower()) is told


async def test_a_ticket_is_good_for_one_request_and_not_for_the_server(simple, rig, stage, connect):
    simple()
    rig.plane.explanations.admit(b"0123456789", 60.0)
    client = await connect()
    assert rig.plane.context.explanations is not None
    await client.send(request("/", "X-Lbd-Explain: wrong"))
    _, server = await serve(stage)
    assert b"x-lbd-explain" not in (await client.message())[0].lower()
    for told in (True, False):
        await client.send(request("/", "X-Lbd-Explain: 0123456789"))
        assert (b"x-lbd-explain" in (await server.head()).lower()) is not told
        await server.send(answer(b"ok"))
        assert (b"x-lbd-explain" in (await client.message())[0].lower()) is told
    assert rig.plane.context.explanations is None


async def test_a_ticket_ends_by_itself(simple, rig):
    simple()
    rig.plane.explanations.admit(b"0123456789", 0.0)
    await rig.until(lambda: rig.plane.context.explanations is None)


async def test_a_cookie_that_decided_is_told(simple, stage, connect):
    simple(backend="sticky = {}", more=TO_ALL)
    client = await connect()
    await client.send(request())
    _, server = await serve(stage)
    head = (await client.message())[0]
    [cookie] = re.findall(rb"Set-Cookie: ([^;]+)", head)
    assert "by" not in said(head)
    await client.send(request("/", f"Cookie: {cookie.decode()}"))
    await server.head()
    await server.send(answer(b"ok"))
    assert said((await client.message())[0])["by"] == "cookie"
