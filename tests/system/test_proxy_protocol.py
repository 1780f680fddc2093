"""The PROXY protocol with HAProxy before and behind lbd, in both versions, and what becomes of headers that lie."""

import contextlib
import http.client
import json
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from haproxy import Haproxy
from lbd_process import Lbd, free_port, until
from origin import Origin

CONFIG = """
[listeners.web]
bind = "127.0.0.1:$web"
mode = "{mode}"
proxy_protocol = true
backend = "app"
[backends.app]
send_proxy = "{version}"
health = {{ type = "{check}", path = "/healthz" }}
servers = {{ a = "127.0.0.1:{port}" }}
"""
TRUSTED = 'trusted_proxies = ["127.0.0.1"]'
SEND = {"v1": "send-proxy", "v2": "send-proxy-v2 proxy-v2-options crc32c,unique-id,authority"}
CLIENT = "127.0.0.77"

BEFORE = """
listen before
  mode tcp
  bind 127.0.0.1:{port}
  unique-id-format %[rand]
  server lbd 127.0.0.1:{lbd} {send}
"""
BEHIND = """
listen behind
  mode http
  bind 127.0.0.1:{port} accept-proxy
  http-request set-header X-Seen-Source %[src]
  server origin 127.0.0.1:{origin}
"""


def ask(port: int, path: str) -> dict[str, object]:
    """Make a request from an address that is not the proxies' own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20, source_address=(CLIENT, 0))
    try:
        connection.request("POST", path, b"")
        return dict(json.loads(connection.getresponse().read()))
    finally:
        connection.close()


@pytest.mark.programs
@pytest.mark.parametrize("mode", ["http", "tcp"])
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_the_client_is_known_through_the_whole_chain(tmp_path: Path, mode: str, version: str) -> None:
    before, behind = free_port(), free_port()
    text = CONFIG.format(mode=mode, version=version, port=behind, check="http")
    with Origin("a") as origin, \
            Haproxy(tmp_path, behind, BEHIND.format(port=behind, origin=origin.port)), \
            Lbd(text, settings=TRUSTED) as lbd, \
            Haproxy(tmp_path, before, BEFORE.format(port=before, lbd=lbd.port("web"), send=SEND[version])):
        server = lbd.status()["backends"]["app"]["servers"]["a"]
        assert server["health"] == "up", server      # HAProxy took the header of the check, too
        for _ in range(3):
            headers = ask(before, "/digest")["headers"]
            assert isinstance(headers, dict)
            assert headers["x-seen-source"] == CLIENT
            if mode == "http":
                assert headers["x-forwarded-for"] == CLIENT


@pytest.fixture(scope="module")
def trusting() -> Iterator[Lbd]:
    text = CONFIG.format(mode="http", version="v2", port=1, check="tcp").replace("health", "# health")
    with Lbd(text, settings=TRUSTED) as lbd:
        yield lbd


def refused(lbd: Lbd) -> float:
    """Connections that ended for their header."""
    start = 'lbd_endings_total{ending="proxy-header"} '
    return sum(float(line.removeprefix(start)) for line in lbd.metrics().splitlines() if line.startswith(start))


@pytest.mark.parametrize("sent", [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PROXY TCP4 1.2.3.4 ::1 1 2\r\n", b"PROXY " + b"x" * 500,
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff", b"\0" * 100000,
])
def test_bad_headers_end_their_connection_and_nothing_else(sent: bytes, trusting: Lbd) -> None:
    before, workers = refused(trusting), trusting.workers()
    with socket.create_connection(("127.0.0.1", trusting.port("web")), timeout=20) as sock:
        try:
            sock.sendall(sent)
            assert sock.recv(100) == b""
        except ConnectionError:
            pass
    until(lambda: refused(trusting) == before + 1, "it is counted")
    assert trusting.workers() == workers
    assert not trusting.logged("traceback")


def test_who_is_not_trusted_is_not_heard() -> None:
    text = CONFIG.format(mode="http", version="v2", port=1, check="tcp").replace("health", "# health")
    with Lbd(text, settings='trusted_proxies = ["192.0.2.0/24"]') as lbd:
        # The connection is reset as soon as it is accepted, maybe before this side has noticed that it is there.
        with contextlib.suppress(ConnectionError), \
                socket.create_connection(("127.0.0.1", lbd.port("web")), timeout=20) as sock:
            sock.sendall(b"PROXY TCP4 192.0.2.9 192.0.2.1 1 2\r\n")
            assert sock.recv(1) == b""
        until(lambda: 'lbd_endings_total{ending="proxy-untrusted"} 1.0' in lbd.metrics(), "it is counted")


@pytest.mark.programs
@pytest.mark.parametrize("mode", ["http", "tcp"])
def test_tls_begins_after_the_header(tmp_path: Path, mode: str) -> None:
    pem = tmp_path / "lbd.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", str(pem), "-out", str(pem)],
        capture_output=True, check=False)
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    before, behind = free_port(), free_port()
    text = CONFIG.format(mode=mode, version="v2", port=behind, check="http").replace(
        "proxy_protocol = true", f'proxy_protocol = true\ntls = {{ certificates = ["{pem}"] }}')
    context = ssl.create_default_context(cafile=pem)
    with Origin("a") as origin, \
            Haproxy(tmp_path, behind, BEHIND.format(port=behind, origin=origin.port)), \
            Lbd(text, settings=TRUSTED) as lbd, \
            Haproxy(tmp_path, before, BEFORE.format(port=before, lbd=lbd.port("web"), send=SEND["v2"])):
        connection = http.client.HTTPSConnection("localhost", before, timeout=20, source_address=(CLIENT, 0),
                                                 context=context)
        connection.request("POST", "/digest", b"")
        headers = json.loads(connection.getresponse().read())["headers"]
        connection.close()
        assert headers["x-seen-source"] == CLIENT
