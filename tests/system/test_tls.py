"""The daemon with TLS, met by several kinds of clients: sessions over workers, certificates that change, bad ones."""

import contextlib
import http.client
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lbd_process import DEADLINE, Backend, Lbd, borrowed, until
from tls_site import NAME, TEXT

from tests.authority import Authority


class Site:
    """A directory with one certificate in `live.pem`, and the daemon that shows it."""

    def __init__(self, directory: Path, backend: Backend, tls: str = "") -> None:
        self.authority = Authority(directory)
        self.directory = directory
        self.authority.issue("live.pem", NAME)
        self.text = TEXT.format(path=directory, port=backend.port, tls=tls)
        self.lbd: Lbd
        self.context = ssl.create_default_context(cafile=str(self.authority.file))

    def connect(self, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
        raw = socket.create_connection(("127.0.0.1", self.lbd.port("web")), DEADLINE)
        return self.context.wrap_socket(raw, server_hostname=NAME, session=session)

    def get(self, path: str = "/", session: ssl.SSLSession | None = None) -> tuple[int, bool, ssl.SSLSession | None]:
        """Status, whether the session was resumed, and the session for the next."""
        with self.connect(session) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            response = http.client.HTTPResponse(sock)
            response.begin()
            response.read()
            return response.status, bool(sock.session_reused), sock.session

    def shown(self) -> bytes:
        """The certificate that a new connection gets."""
        with self.connect() as sock:
            return sock.getpeercert(binary_form=True) or b""


@pytest.fixture
def backend() -> Iterator[Backend]:
    with Backend("a") as made:
        yield made


@pytest.fixture
def site(tmp_path: Path, backend: Backend) -> Iterator[Site]:
    made = Site(tmp_path, backend)
    with borrowed(made.text) as made.lbd:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for all tests that only look."""
    with Backend("a") as backend:
        made = Site(tmp_path_factory.mktemp("shared"), backend)
        with borrowed(made.text) as made.lbd:
            yield made


def test_sessions_are_resumed_whichever_worker_gets_the_connection(site: Site) -> None:
    if site.lbd.status()["listeners"]["web"]["tls"]["tickets"] != "shared by the workers":
        pytest.skip("this Python's ssl does not let ticket keys be set")
    before = [worker["requests"] for worker in site.lbd.status()["workers"]]
    status, reused, session = site.get()
    assert (status, reused) == (200, False)
    found = []
    for _ in range(20):
        status, reused, session = site.get(session=session)
        found.append(reused)
    assert all(found)
    served = [worker["requests"] for worker in site.lbd.status()["workers"]]
    assert all(now > then for now, then in zip(served, before, strict=True)), served


def test_a_renewed_certificate_is_in_force_and_connections_stay(site: Site) -> None:
    kept = site.connect()
    generation = site.lbd.status()["generation"]
    before = site.shown()
    site.authority.issue("live.pem", NAME, days=(-1, 60))
    until(lambda: site.shown() != before, "the new certificate")
    kept.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert kept.recv(100).startswith(b"HTTP/1.1 200 ")
    kept.close()
    assert site.lbd.status()["generation"] == generation
    logged = until(lambda: site.lbd.logged("certificate in force"), "all workers have it")
    assert logged[0]["names"] == [NAME]
    value = next(line for line in site.lbd.metrics().splitlines()
                 if line.startswith("lbd_certificate_expiry_timestamp_seconds{"))
    with site.connect() as sock:
        ends = ssl.cert_time_to_seconds(str((sock.getpeercert() or {})["notAfter"]))
    assert float(value.rpartition(" ")[2]) == ends

    # A broken one changes nothing but what is said of it.
    now = site.shown()
    (site.directory / "live.pem").write_text("rubbish")
    until(lambda: site.lbd.status()["listeners"]["web"]["tls"]["refused"], "the refusal")
    assert site.shown() == now
    refused = "certificate refused; the one before stays in force"
    refusal = until(lambda: site.lbd.logged(refused), "the log says so")[0]
    assert refusal["reason"].endswith("live.pem: it holds no certificate (-----BEGIN CERTIFICATE-----)")
    assert site.lbd.admin("POST", "/v1/reload")[0] == 200
    assert site.shown() == now
    site.authority.issue("live.pem", NAME)
    until(lambda: not site.lbd.status()["listeners"]["web"]["tls"]["refused"], "no refusal any more")
    until(lambda: site.shown() != now, "the next certificate")


def test_only_the_supervisor_loads_the_package_that_reads_certificates(tmp_path: Path, backend: Backend) -> None:
    site = Site(tmp_path, backend)
    with Lbd(site.text, executed=True) as site.lbd:
        assert site.get()[0] == 200
        loaded = {pid: "/cryptography/" in Path(f"/proc/{pid}/maps").read_text()
                  for pid in (site.lbd.pid, *site.lbd.workers())}
    assert list(loaded.values()) == [True, False, False]


def test_secrets_are_not_shown(site: Site) -> None:
    secret = (site.directory / "live.pem").read_text().partition("PRIVATE KEY-----\n")[2][:40]
    for text in (site.lbd.log(), str(site.lbd.admin("GET", "/v1/config")), str(site.lbd.status())):
        assert secret not in text


def test_without_a_certificate_it_does_not_start(tmp_path: Path, backend: Backend) -> None:
    made = Site(tmp_path, backend)
    (tmp_path / "live.pem").unlink()
    with contextlib.closing(Lbd(made.text)) as lbd:
        lbd.start(wait=False)
        assert lbd.wait() == 1
        assert "listeners.web.tls.certificates: cannot read" in lbd.log()


@pytest.mark.parametrize("arguments", [
    ["-tls1_3"], ["-tls1_2"], ["-tls1_3", "-groups", "P-384"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
])
def test_openssl(shared: Site, arguments: list[str]) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    found = subprocess.run(
        [program, "s_client", "-connect", f"127.0.0.1:{shared.lbd.port('web')}", "-servername", NAME, "-CAfile",
         str(shared.authority.file), "-verify_return_error", "-quiet", *arguments],
        input=b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", capture_output=True, timeout=DEADLINE)
    assert b"HTTP/1.1 200 OK" in found.stdout, found.stderr


@pytest.mark.parametrize("arguments", [["-tls1_1"], ["-tls1"], ["-tls1_2", "-cipher", "AES128-SHA256:@SECLEVEL=0"],
                                       ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256:@SECLEVEL=0"]])
def test_openssl_is_refused_what_is_not_safe(shared: Site, arguments: list[str]) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    found = subprocess.run([program, "s_client", "-connect", f"127.0.0.1:{shared.lbd.port('web')}", *arguments],
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)
    assert found.returncode != 0
    assert b"Cipher is (NONE)" in found.stdout


def test_renegotiation_is_refused(shared: Site) -> None:
    """A client of TLS 1.2 that asks for another handshake is told no, and served on or not, but costs nothing."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    asked = subprocess.run(
        [program, "s_client", "-connect", f"127.0.0.1:{shared.lbd.port('web')}", "-tls1_2", "-legacy_renegotiation"],
        input=b"R\n", capture_output=True, timeout=DEADLINE)
    assert b"no renegotiation" in asked.stderr
    assert shared.get()[0] == 200


def test_curl(shared: Site) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    port = shared.lbd.port("web")
    found = subprocess.run(
        [program, "-sS", "--cacert", str(shared.authority.file), "--resolve", f"{NAME}:{port}:127.0.0.1", "-w",
         "%{http_version} %{ssl_verify_result} %{http_code}", "-o", "/dev/null", f"https://{NAME}:{port}/"],
        capture_output=True, text=True, timeout=DEADLINE)
    assert found.stdout == "1.1 0 200", found.stderr


def test_many_bad_clients_leave_nothing(site: Site) -> None:
    port, plain = site.lbd.port("web"), 'lbd_endings_total{ending="tls-plain"}'
    before = site.lbd.counted(plain)
    for number in range(200):
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall([b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02", b"\0" * 40, b"\x80\x2e\x01\0\x02"][number % 4])
    assert site.get()[0] == 200
    until(lambda: site.lbd.status()["listeners"]["web"]["connections"] == 0, "no connections")
    assert len(site.lbd.workers()) == 2
    until(lambda: site.lbd.counted(plain) == before + 50, "the last of them is counted")


BEHIND = """
[listeners.web]
bind = "127.0.0.1:$front"
backend = "app"
[backends.app]
health = {{ path = "/healthz", interval = "100ms", timeout = "5s" }}
[backends.app.tls]
ca = "{ca}"
server_name = "{name}"
[backends.app.servers]
a = "https://127.0.0.1:{port}"
"""


def test_servers_and_their_checks(site: Site, backend: Backend) -> None:
    """An lbd before another lbd."""
    text = BEHIND.format(ca=site.authority.file, name=NAME, port=site.lbd.port("web"))
    with borrowed(text) as front:
        assert front.get("front", "/x") == (200, {"server": "a", "path": "/x"})
        server = front.status()["backends"]["app"]["servers"]["a"]
        assert server["address"] == f"https://127.0.0.1:{site.lbd.port('web')}"
        assert "GET /healthz: 200" in server["reason"]
        backend.healthy = False
        until(lambda: front.status()["backends"]["app"]["servers"]["a"]["health"] == "down", "the server is down")
        backend.healthy = True
        until(lambda: front.get("front")[0] == 200, "the server is up again")
        reason = "certificate: Hostname mismatch, certificate is not valid for 'b.example.com'."
        front.write(text.replace(NAME, "b.example.com"))
        until(lambda: reason in front.status()["backends"]["app"]["servers"]["a"]["reason"], "another name is noticed")
        front.write(text)
        until(lambda: front.get("front")[0] == 200, "the server is believed again")
        # A changed authority is a file like any other.
        Authority(site.directory, "other").file.rename(site.authority.file)
        until(lambda: "certificate" in front.status()["backends"]["app"]["servers"]["a"]["reason"],
              "the server is not believed any more")
        until(lambda: front.get("front")[0] == 503, "no server")


def hello(name: bytes) -> bytes:
    """A ClientHello that asks for this name, whatever it is."""
    stand_in = "x" * len(name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)     # the authorities of this machine would take longest
    said = b""
    while said.count(stand_in.encode()) != 1:      # its random part may have it too
        come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(come, go, server_hostname=stand_in)
        with contextlib.suppress(ssl.SSLWantReadError):
            client.do_handshake()
        said = go.read()
    return said.replace(stand_in.encode(), name)


def test_a_name_that_is_no_text_is_refused_and_counted_and_floods_no_log(tmp_path: Path, backend: Backend) -> None:
    site = Site(tmp_path, backend)
    with Lbd(site.text) as site.lbd:
        for name in (b"\xff\xfe", b"\xc3\xa4.example.com", b"a\xff" * 31):
            for _ in range(30):
                with socket.create_connection(("127.0.0.1", site.lbd.port("web")), DEADLINE) as sock:
                    sock.sendall(hello(name))
                    assert sock.recv(100)[:1] == b"\x15"      # an alert
        until(lambda: site.lbd.counted('lbd_endings_total{ending="tls-name"}') == 90, "all are counted")
        assert site.get()[0] == 200
        assert site.lbd.stop() == 0
        assert "Traceback" not in site.lbd.log()
        assert "Exception ignored" not in site.lbd.log()
        assert not [event for event in site.lbd.events() if event["level"] in ("warning", "error")]
