"""Tests of lbd.downstream.handshake: what becomes of connections to a listener with TLS, on both transports."""

import asyncio
import contextlib
import json
import os
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lbd import schema
from lbd.tls.certificate import load_pem
from lbd.tls.contexts import client_context, new_client_context
from lbd.tls.credentials import Credentials
from tests.authority import Authority
from tests.plane import refusal
from tests.rig import LIMIT, Peer, Rig, Stage, answer, configuration, generation, request

NAME = "a.example.com"
TEXT = """
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
{listener}
[listeners.web.tls]
certificates = "a.pem"
{tls}
[backends.app.servers]
a = "{address}"
"""


class Place:
    """A rig whose listener ends TLS."""

    def __init__(self, rig: Rig, stage: Stage, directory: Path) -> None:
        self.rig, self.stage, self.directory = rig, stage, directory
        self.authority = Authority(directory)
        self.clients = Authority(directory, "clients")
        self.pem = load_pem("a.pem", self.authority.issue("a.pem", NAME).read_bytes(), b"")
        self.context = client_context(ca=self.authority.file.read_bytes())

    def start(self, listener: str = "", tls: str = "", authorities: bytes = b"") -> None:
        text = TEXT.format(listener=listener, tls=tls, address=self.stage.address)
        config = configuration(text, self.directory)
        made = replace(generation(config), credentials={("listeners", "web"): Credentials((self.pem,), authorities)})
        self.rig.plane.prepare(made)
        self.rig.plane.commit()
        sock = socket.create_server(("127.0.0.1", 0))
        self.rig.address = sock.getsockname()[:2]
        self.rig.plane.listen("web", sock)

    async def streams(self, context: ssl.SSLContext | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(LIMIT):
            return await asyncio.open_connection(*self.rig.address, ssl=context or self.context, server_hostname=NAME)

    async def raw(self, data: bytes, end: bool = True) -> bytes:
        async with asyncio.timeout(LIMIT):
            reader, writer = await asyncio.open_connection(*self.rig.address)
            writer.write(data)
            if end:
                writer.write_eof()
            found = b""
            with contextlib.suppress(ConnectionError):
                found = await reader.read()
            writer.close()
            return found


@pytest.fixture
def place(rig: Rig, stage: Stage, tmp_path: Path) -> Place:
    return Place(rig, stage, tmp_path)


async def test_a_request_comes_and_goes(place: Place) -> None:
    place.start()
    reader, writer = await place.streams()
    server = None
    for number in range(3):
        writer.write(request(f"/{number}"))
        server = server or await place.stage.accept()
        head = await server.head()
        assert b"X-Forwarded-Proto: https\r\n" in head
        await server.send(answer(b"x" * 50_000))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert await reader.readexactly(50_000) == b"x" * 50_000
    writer.close()
    await place.rig.until(lambda: place.rig.plane.clients == 0)
    assert place.rig.ending("ok") == 3


async def test_a_client_that_is_told_how_its_answer_came_about(place: Place) -> None:
    place.start(tls="[global]\nexplain_to = ['127.0.0.1']")
    reader, writer = await place.streams()
    writer.write(request())
    server = await place.stage.accept()
    await server.head()
    await server.send(answer(b"ok"))
    assert b"\r\nX-Lbd-Explain: " in await reader.readuntil(b"\r\n\r\n")
    assert place.rig.plane.clients == len(place.rig.connections) == 1
    writer.close()
    await place.rig.until(lambda: place.rig.plane.clients == 0)
    assert not place.rig.connections


@pytest.mark.parametrize(("sent", "ending"), [
    (b"GET / HTTP/1.1\r\n\r\n", "tls-plain"), (b"\0" * 50, "tls-failed"),
    (b"\x16\x03\x01\0\x05\x01\0\0", "client-closed"),
])
async def test_what_fails_is_counted_and_logged(place: Place, sent: bytes, ending: str, told: list[Any]) -> None:
    place.start()
    answered = await place.raw(sent)
    await place.rig.until(lambda: place.rig.plane.clients == 0)
    assert place.rig.ending(ending) == 1
    assert answered.startswith(b"HTTP/1.1 400 Bad Request\r\n") is (ending == "tls-plain")
    if ending == "client-closed":
        assert told == []
    else:
        assert refusal(told)[:2] == ("127.0.0.1", ending)
        assert refusal(told)[2]


@pytest.mark.parametrize(("asked", "offered", "ending"), [
    ("b.example.com", "http/1.1", "tls-name"), (None, "http/1.1", "tls-name"), (NAME, "h2", "tls-protocol"),
    (NAME + ".", "http/1.1", None),
])
async def test_names_and_protocols_that_nobody_has_here(place: Place, asked: str | None, offered: str,
                                                        ending: str | None) -> None:
    place.start(tls="strict_sni = true")
    context = new_client_context(verify=False, alpn=(offered,))

    def shake() -> None:
        with context.wrap_socket(socket.create_connection(place.rig.address, LIMIT), server_hostname=asked):
            pass

    if ending is None:
        await asyncio.to_thread(shake)
    else:
        with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized|alert|unknown"):
            await asyncio.to_thread(shake)
        await place.rig.until(lambda: place.rig.ending(ending) == 1)
    await place.rig.until(lambda: place.rig.plane.clients == 0)
    assert place.rig.ending("tls-failed") == 0


async def test_a_tcp_listener_agrees_on_a_protocol(place: Place) -> None:
    place.start(listener='mode = "tcp"', tls='alpn = ["postgresql"]')
    for offered, chosen in ((("h2", "postgresql"), "postgresql"), ((), None)):
        _, writer = await place.streams(new_client_context(
            ca=place.authority.file.read_bytes(), alpn=offered))
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == chosen
        writer.close()


async def test_one_that_only_looks_is_not_counted(place: Place) -> None:
    place.start()
    assert await place.raw(b"") == b""
    await place.rig.until(lambda: place.rig.plane.clients == 0)
    assert place.rig.ending("client-closed") == place.rig.ending("tls-failed") == 0


async def test_a_handshake_that_takes_too_long(place: Place) -> None:
    place.start(tls='handshake_timeout = "50ms"')
    await place.raw(b"\x16\x03\x01", end=False)
    assert place.rig.ending("tls-timeout") == 1


async def test_who_may_not_connect_shakes_no_hands(place: Place) -> None:
    place.start(listener='deny = "127.0.0.0/8"')
    with pytest.raises(OSError, match=r".*"):
        await place.streams()
    assert place.rig.ending("denied") == 1


async def test_clients_without_the_certificate_are_refused(place: Place, told: list[Any]) -> None:
    authorities = place.clients.file.read_bytes()
    place.start(tls='client_ca = "clients.pem"', authorities=authorities)
    good = client_context(ca=place.authority.file.read_bytes(),
                          pem=load_pem("c", place.clients.issue("c.pem", "c", common="Ann").read_bytes(), b""))
    wrong = client_context(ca=place.authority.file.read_bytes(),
                           pem=load_pem("d", place.authority.issue("d.pem", "d").read_bytes(), b""))
    for context in (place.context, wrong):
        reader, writer = await place.streams(context)
        with pytest.raises(ssl.SSLError, match=r"(?i)certificate|alert|unknown"):
            await reader.readexactly(1)
        writer.close()
    await place.rig.until(lambda: place.rig.ending("tls-certificate") == 2)
    missing, unknown = [line["reason"] for line in told if line["event"] == "connection refused"]
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in missing
    assert "self-signed certificate in certificate chain" in unknown
    reader, writer = await place.streams(good)
    writer.write(request())
    server = await place.stage.accept()
    await server.head()
    await server.send(answer())
    assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
    writer.close()


async def test_tcp_mode_ends_tls_too(place: Place) -> None:
    place.start(listener='mode = "tcp"')
    reader, writer = await place.streams()
    writer.write(b"ping")
    server = await place.stage.accept()
    assert await server.reader.readexactly(4) == b"ping"
    await server.send(b"pong" * 10_000)
    assert await reader.readexactly(40_000) == b"pong" * 10_000
    writer.close()
    async with asyncio.timeout(LIMIT):
        assert await server.reader.read() == b""
    server.close()



async def test_servers_are_told_of_the_certificate_and_never_by_the_client(place: Place) -> None:
    place.start(tls='client_ca = "clients.pem"\nverify = "optional"\nhsts = "365d"',
                authorities=place.clients.file.read_bytes())
    known = client_context(ca=place.authority.file.read_bytes(),
                           pem=load_pem("c", place.clients.issue("c.pem", "c", common="Ann").read_bytes(), b""))
    for context, verify, subject in ((known, b"SUCCESS", True), (place.context, b"NONE", False)):
        reader, writer = await place.streams(context)
        writer.write(request("/", "X-SSL-Client-Verify: SUCCESS", "x-ssl-client-subject: CN=Root"))
        server = await place.stage.accept()
        head = await server.head()
        assert head.lower().count(b"x-ssl-client-verify:") == 1
        assert b"X-SSL-Client-Verify: " + verify + b"\r\n" in head
        assert (b"X-SSL-Client-Subject: CN=Ann,O=" in head) is subject
        assert b"CN=Root" not in head
        await server.send(answer(b"x", "Strict-Transport-Security: max-age=0"))
        told = await reader.readuntil(b"\r\n\r\n")
        assert told.lower().count(b"strict-transport-security") == 1
        assert b"Strict-Transport-Security: max-age=31536000\r\n" in told
        writer.close()
        server.close()


async def test_answers_of_lbd_tell_of_strict_transport_security_too(place: Place) -> None:
    place.start(listener="""routes = [{ path = "/fixed", respond = { status = 200, body = "here" } },
                                      { path = "/moved", redirect = { to = "/fixed" } },
                                      { path = "/away", backend = "away" }]""",
                tls='hsts = "365d"\n[backends.away]\nservers = { a = { address = "127.0.0.1:1" } }')
    reader, writer = await place.streams()
    for target, status in (("/fixed", b"200"), ("/moved", b"302"), ("/away", b"502")):
        writer.write(request(target))
        told = await reader.readuntil(b"\r\n\r\n")
        assert told.startswith(b"HTTP/1.1 " + status)
        assert told.count(b"\r\nStrict-Transport-Security: max-age=31536000\r\n") == 1
        length = told.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        assert len(await reader.readexactly(int(length))) == int(length)
    writer.close()


async def test_a_resumed_session_has_the_certificate_too(place: Place) -> None:
    place.start(tls='client_ca = "clients.pem"', authorities=place.clients.file.read_bytes())
    context = client_context(ca=place.authority.file.read_bytes(),
                             pem=load_pem("c", place.clients.issue("c.pem", "c", common="Ann").read_bytes(), b""))

    def asked(session: ssl.SSLSession | None) -> tuple[bool, ssl.SSLSession | None]:
        with context.wrap_socket(socket.create_connection(place.rig.address, LIMIT), server_hostname=NAME,
                                 session=session) as sock:
            sock.sendall(request("/", "Connection: close"))
            while sock.recv(4096):
                pass
            return bool(sock.session_reused), sock.session

    async def served() -> bytes:
        server = await place.stage.accept()
        head = await server.head()
        await server.send(answer(b"x", "Connection: close"))
        server.close()
        return head

    session = None
    for reused in (False, True):
        (found, session), head = await asyncio.gather(asyncio.to_thread(asked, session), served())
        assert found is reused
        assert b"X-SSL-Client-Subject: CN=Ann," in head


async def test_the_access_log_tells_of_tls(place: Place) -> None:
    place.start()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    place.rig.plane.log_to(writing)
    config = replace(place.rig.plane.in_force.generation.config,
                     log=schema.Log(access="stdout", access_fields=("tls_version", "tls_cipher", "sni", "status")))
    place.rig.plane.prepare(replace(place.rig.plane.in_force.generation, config=config))
    place.rig.plane.commit()
    reader, writer = await place.streams()
    writer.write(request())
    server = await place.stage.accept()
    await server.head()
    await server.send(answer())
    await reader.readuntil(b"\r\n\r\n")
    cipher = writer.get_extra_info("cipher")[0]
    place.rig.plane.flush_logs()
    assert json.loads(os.read(reading, 4096)) == {
        "tls_version": "TLSv1.3", "tls_cipher": cipher, "sni": NAME, "status": 200}
    os.close(reading)
    writer.close()


async def test_plain_http_is_redirected_but_for_routes(rig: Rig, stage: Stage, tmp_path: Path) -> None:
    text = f"""
[listeners.web]
bind = "127.0.0.1:1"
https_redirect = true
[[listeners.web.routes]]
path_prefix = "/.well-known/"
backend = "app"
[backends.app.servers]
a = "{stage.address}"
"""
    rig.start(configuration(text, tmp_path))
    client = await Peer.connect(rig.address)
    await client.send(request("/x?y=z", method="POST"))
    told = await client.head()
    assert told.startswith(b"HTTP/1.1 308 ")
    assert b"Location: https://example.com/x?y=z\r\n" in told
    client.close()
    other = await Peer.connect(rig.address)
    await other.send(request("/.well-known/a"))
    assert (await (await stage.accept()).head()).startswith(b"GET /.well-known/a ")
    other.close()
