"""The check `tls` against real handshakes, with a certificate made for the test."""

import asyncio
import os
import socket
import ssl
import subprocess

import pytest

from lbd.health.check import Subject
from lbd.health.tls import TlsOptions, check
from lbd.schema.units import Address


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for app.example.com and 127.0.0.1 that vouches for itself; its file, with the key."""
    directory = tmp_path_factory.mktemp("tls")
    key, cert, both = (str(directory / name) for name in ("key.pem", "cert.pem", "both.pem"))
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=app.example.com", "-addext", "subjectAltName=DNS:app.example.com,IP:127.0.0.1",
         "-keyout", key, "-out", cert], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    with open(both, "wb") as file:
        for part in (cert, key):
            with open(part, "rb") as source:
                file.write(source.read())
    return both


@pytest.fixture
async def server(certificate):
    names = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda sock, name, context: names.append(name)

    async def nothing(reader, writer):
        await reader.read()
        writer.close()

    async with await asyncio.start_server(nothing, "127.0.0.1", 0, ssl=context) as listening:
        yield Subject(Address("127.0.0.1", listening.sockets[0].getsockname()[1])), names


async def test_a_handshake_passes_whatever_the_certificate_when_nobody_asks(server):
    subject, names = server
    result = await check(subject, TlsOptions(), 5.0)
    assert (result.passed, result.reason) == (True, "TLS handshake: TLSv1.3")
    assert names == [None]


async def test_a_handshake_on_an_abstract_unix_socket(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    async def accept(reader, writer):
        await reader.read()
        writer.close()

    address = Address(path=f"@lbd-test-tls-{os.getpid()}")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(address.sun_path)
        async with await asyncio.start_unix_server(accept, sock=sock, ssl=context):
            result = await check(Subject(address), TlsOptions(), 5.0)
            assert (result.passed, result.reason) == (True, "TLS handshake: TLSv1.3")


async def test_the_name_that_is_asked_for(server):
    subject, names = server
    assert (await check(subject, TlsOptions(server_name="app.example.com"), 5.0)).passed
    assert names == ["app.example.com"]


@pytest.mark.parametrize(("name", "passed"), [(None, True), ("app.example.com", True), ("other.example.com", False)])
async def test_a_certificate_must_be_for_the_name_or_the_address(server, certificate, name, passed):
    result = await check(server[0], TlsOptions(verify=True, server_name=name, ca_file=certificate), 5.0)
    assert result.passed is passed
    assert passed or "certificate: Hostname mismatch" in result.reason


async def test_an_unknown_authority(server):
    result = await check(server[0], TlsOptions(verify=True), 5.0)
    assert (result.passed, result.reason) == (False, "TLS handshake: certificate: self-signed certificate")


async def test_an_authority_that_cannot_be_read(server):
    result = await check(server[0], TlsOptions(verify=True, ca_file="/none"), 5.0)
    assert not result.passed


async def test_a_server_without_tls_and_one_that_says_nothing():
    async def talk(reader, writer):
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await reader.read()
        writer.close()

    async def wait(reader, writer):
        await reader.read()
        await reader.read()
        writer.close()

    for speak, timeout, reason in ((talk, 5.0, "no TLS"), (wait, 0.05, "timeout")):
        async with await asyncio.start_server(speak, "127.0.0.1", 0) as listening:
            address = Address("127.0.0.1", listening.sockets[0].getsockname()[1])
            result = await check(Subject(address), TlsOptions(), timeout)
        assert (result.passed, result.reason) == (False, f"TLS handshake: {reason}")


async def test_a_greeting_comes_before_the_handshake(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    greetings = []

    async def greeted(reader, writer):
        greetings.append(await reader.readuntil(b"\r\n"))
        await writer.start_tls(context)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(greeted, "127.0.0.1", 0) as listening:
        subject = Subject(Address("127.0.0.1", listening.sockets[0].getsockname()[1]), greeting=b"PROXY UNKNOWN\r\n")
        assert (await check(subject, TlsOptions(), 5.0)).passed
    assert greetings == [b"PROXY UNKNOWN\r\n"]
