"""Connections to servers by the name of each request, in the real daemon."""

import contextlib
import http.client
import socket
import ssl
import threading

import pytest
from lbd_process import Lbd, until

from tests.authority import Authority

CONFIG = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
max_idle = 2
tls = {{ ca = "{ca}", server_name = {name} }}
servers = {{ a = "localhost:{port}" }}
"""
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"


class Site:
    """A server of several names: it answers with the name that was asked for in TLS, the number of the connection, and
    whether the session was resumed. A name that it does not know gets the certificate for localhost."""

    def __init__(self, directory):
        self.authority = Authority(directory)
        names = ("localhost", "a.test", "b.test", *(f"n{number}.test" for number in range(3)))
        self.contexts = {name: self.context_of(name) for name in names}
        self.contexts["localhost"].sni_callback = self.choose
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.count = 0
        self.open = []
        self.thread = threading.Thread(target=self.accept)
        self.thread.start()

    def context_of(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.authority.issue(f"{name}.pem", name))
        return context

    def choose(self, tls, name, _context):
        tls.asked = name
        tls.context = self.contexts.get(name, self.contexts["localhost"])

    def accept(self):
        while True:
            try:
                raw = self.sock.accept()[0]
            except OSError:
                return
            self.count += 1
            self.open.append(raw)
            threading.Thread(target=self.serve, args=(raw, self.count), daemon=True).start()

    def serve(self, raw, number):
        with contextlib.suppress(OSError), self.contexts["localhost"].wrap_socket(raw, server_side=True) as tls:
            while request := tls.recv(65536):
                asked, resumed = getattr(tls, "asked", None), tls.session_reused
                answer = f"{asked} {number} {resumed}".encode()
                tls.sendall(ANSWER % (len(answer), answer))
                if b"/close" in request:
                    return

    def close(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.sock.close()
        for raw in self.open:
            raw.close()


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()


def config(site, name='"{host}"'):
    return CONFIG.format(ca=site.authority.file, port=site.port, name=name)


def ask(lbd, host, path="/"):
    """Status and words of the answer to a request with this Host."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", lbd.port("web"), timeout=20)) as client:
        client.request("GET", path, headers={"Host": host})
        answer = client.getresponse()
        return answer.status, answer.read().decode().split()


@pytest.fixture
def lbd(site):
    with Lbd(config(site), workers=1) as made:
        yield made


def test_a_connection_is_for_one_name(lbd, site):
    first = [ask(lbd, host)[1] for host in ("a.test", "B.Test:8443", "a.test", "b.test")]
    assert [words[0] for words in first] == ["a.test", "b.test", "a.test", "b.test"]
    assert (first[0][1], first[1][1]) == (first[2][1], first[3][1])      # each went on
    assert site.count == 2


def test_requests_without_a_name_ask_for_the_servers_own(lbd):
    for host in ("127.0.0.1", "[::1]:80", "192.0.2.1:8080", "-odd-.test", "x" * 64):
        assert ask(lbd, host)[1][0] == "localhost"


def test_a_name_without_a_certificate_says_nothing_of_the_server(lbd):
    for _ in range(3):
        assert ask(lbd, "evil.test")[0] == 502
        assert ask(lbd, "a.test")[0] == 200
    assert lbd.counted('lbd_endings_total{ending="server-tls"}') == 3
    assert lbd.counted("lbd_retries_total") == 0
    assert lbd.status()["backends"]["app"]["servers"]["a"]["health"] == "up"


def test_idle_connections_and_sessions_are_bounded_over_all_names(lbd, site):
    for number in range(3):
        assert ask(lbd, f"n{number}.test")[1][0] == f"n{number}.test"
    until(lambda: lbd.counted('lbd_server_open_connections{backend="app"') <= 2, "two stay idle")
    assert ask(lbd, "n2.test")[1] == ask(lbd, "n2.test")[1] == ["n2.test", "3", "False"]      # the oldest one went
    assert ask(lbd, "a.test", "/close")[1][2] == "False"
    assert ask(lbd, "b.test", "/close")[1][2] == "False"
    assert ask(lbd, "a.test")[1] == ["a.test", str(site.count), "True"]


def test_a_reload_to_one_name_leaves_the_connections_of_others(lbd, site):
    assert ask(lbd, "a.test")[1][0] == "a.test"
    lbd.write(config(site, '"b.test"'))
    assert lbd.admin("POST", "/v1/reload")[0] == 200
    assert [ask(lbd, host)[1][0] for host in ("a.test", "c.test")] == ["b.test", "b.test"]
    lbd.write(config(site))
    assert lbd.admin("POST", "/v1/reload")[0] == 200
    assert ask(lbd, "a.test")[1][0] == "a.test"


def test_other_braces_are_refused(lbd, site):
    lbd.write(config(site, '"{port}"'))
    status, answer = lbd.admin("POST", "/v1/reload")
    assert status != 200
    assert '"{port}" has braces around something else than "{host}"' in str(answer)
