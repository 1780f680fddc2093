"""Attacks on the admin side of the real daemon, on a TCP address: each is refused and logged, and nothing changes."""

import contextlib
import http.client
import http.server
import json
import shutil
import socket
import subprocess
import threading

import pytest
from lbd_process import Backend, Lbd, free_port, until

OPERATOR, READER, SERVER = "operator-0123456789", "reader-0123456789", "server-0123456789"
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
registration = { networks = ["127.0.0.0/8"], most = 50 }
[backends.closed]
servers = { a = "127.0.0.1:9" }
[backends.app.servers]
"""
PLACE = "/v1/backends/app/servers/x"


class Attacked:
    """The daemon, and a way to ask it: `settled` is what its operator sees of servers and overrides."""

    def __init__(self, lbd, port):
        self.lbd = lbd
        self.port = port

    def connection(self):
        return contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=20))

    def ask(self, method, path, secret=OPERATOR, body=None, **fields):
        with self.connection() as connection:
            return self.send(connection, method, path, secret, body, **fields)

    def send(self, connection, method, path, secret, body, **fields):
        """Ask on a connection that stays open."""
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        connection.request(method, path, data, {**headers, **fields})
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def settled(self):
        backends = self.ask("GET", "/v1/backends")[1]["backends"]
        facts = {(name, server): (one["mode"], one["weight"], one["health"], one["address"])
                 for name, backend in backends.items() for server, one in backend["servers"].items()}
        return facts, self.ask("GET", "/v1/overrides")[1], self.ask("GET", "/v1/status")[1]["generation"]

    def refused(self):
        return self.lbd.logged("admin request refused")


@pytest.fixture
def attacked(tmp_path):
    (tmp_path / "token").write_text(f"{OPERATOR}\nread {READER}\nregister:app {SERVER}\n")
    port = free_port()
    with Backend("a") as a, Lbd(TEXT + f'a = "127.0.0.1:{a.port}"\n',
                                admin=f'bind = "127.0.0.1:{port}"\ntoken_file = "{tmp_path}/token"') as lbd:
        yield Attacked(lbd, port)


OFFER = {"address": "127.0.0.1:80"}
REQUESTS = [
    ("POST", "/v1/reload", "", None, {}, 401),
    ("POST", "/v1/reload", "wrong-0123456789", None, {}, 401),
    ("GET", "/v1/config", "", None, {}, 401),
    ("POST", "/v1/reload", READER, None, {}, 403),
    ("PUT", PLACE, READER, OFFER, {}, 403),
    ("PUT", "/v1/backends/closed/servers/x", SERVER, OFFER, {}, 403),
    ("PUT", "/v1/backends/closed/servers/x", OPERATOR, OFFER, {}, 403),
    ("PATCH", "/v1/backends/app/servers/a", SERVER, {"mode": "maint"}, {}, 403),
    ("PUT", PLACE, SERVER, {"address": "169.254.169.254:80"}, {}, 403),
    ("PUT", PLACE, SERVER, {"address": "[::ffff:169.254.169.254]:80"}, {}, 403),
    ("PUT", PLACE, SERVER, {"address": "[fe80::1]:80"}, {}, 403),
    ("PUT", PLACE, SERVER, {"address": "metadata.google.internal:80"}, {}, 403),
    ("PUT", PLACE, SERVER, {"address": "unix:/run/x"}, {}, 403),
    ("PUT", "/v1/backends/app/servers/..%2f..%2fclosed", SERVER, OFFER, {}, 422),
    ("PUT", "/v1/backends/app/servers/%00", SERVER, OFFER, {}, 422),
    ("PUT", "/v1/backends/app/../closed/servers/x", SERVER, OFFER, {}, 404),
    ("PUT", "/v1/backends/app/servers/a", SERVER, OFFER, {}, 409),
    ("PUT", PLACE, SERVER, b"x" * 70_000, {}, 413),
    ("PUT", PLACE, SERVER, b"[" * 60_000, {}, 400),
    ("PUT", PLACE, SERVER, {**OFFER, "ttl": "1000d"}, {}, 422),
    ("PUT", PLACE, SERVER, {**OFFER, "tags": ["x" * 201]}, {}, 422),
    ("POST", "/v1/reload", OPERATOR, None, {"Host": "evil.example"}, 403),
    ("POST", "/v1/reload", OPERATOR, None, {"Host": "127.0.0.1.evil.example"}, 403),
    ("POST", "/v1/reload", OPERATOR, None, {"Origin": "http://evil.example"}, 403),
    ("POST", "/v1/reload", OPERATOR, None, {"Sec-Fetch-Site": "cross-site"}, 403),
    ("DELETE", "/v1/overrides", "", None, {}, 401),
]


def test_each_is_refused_and_logged(attacked):
    before = attacked.settled()
    for number, (method, path, secret, body, fields, wanted) in enumerate(REQUESTS, 1):
        status, data = attacked.ask(method, path, secret, body, **fields)
        assert (status, data["status"]) == (wanted, wanted), (method, path, data)
        until(lambda number=number: len(attacked.refused()) == number, f"{method} {path} is logged")
    log = attacked.lbd.log()
    assert not any(secret in log for secret in (OPERATOR, READER, SERVER, "wrong-0123456789"))
    assert attacked.settled() == before


def test_thousands_of_registrations(attacked):
    place = "/v1/backends/app/servers/s"
    with attacked.connection() as connection:
        said = [attacked.send(connection, "PUT", f"{place}{number}", SERVER, {"address": f"127.0.0.1:{number + 1}"})[0]
                for number in range(2000)]
    assert (said.count(201), said.count(409)) == (50, 1950)
    facts, _, generation = attacked.settled()
    assert len(facts) == 52
    assert generation == 1
    until(attacked.refused, "some are logged")
    assert len(attacked.refused()) < 1950       # a flood is counted, not written out
    assert attacked.lbd.get("web")[0] in (200, 502)


def test_a_flood_of_connections_that_say_nothing(attacked):
    with contextlib.ExitStack() as stack:
        for number in range(1200):
            sock = stack.enter_context(socket.socket())
            sock.connect(("127.0.0.1", attacked.port))
            if number % 2:
                sock.sendall(b"PUT /v1/backends/app/servers/x HTTP/1.1\r\nHost: loc")
        assert attacked.ask("GET", "/v1/status")[0] == 200   # the oldest made room
        bound = "admin connections are at their bound; the oldest idle one is cut"
        until(lambda: attacked.lbd.logged(bound), "the log says so")
        assert attacked.lbd.get("web")[0] == 200


PAGE = """<!doctype html><title>evil</title><pre id=out></pre><script>
const admin = ADMIN, rebound = "http://evil.example:PORT";
const tries = [
  [admin + "/v1/reload", {method: "POST", mode: "no-cors"}],
  [admin + "/v1/overrides", {method: "DELETE"}],
  [admin + "/v1/backends/app/servers/x", {method: "PUT", body: "{}", headers: {Authorization: "Bearer TOKEN"}}],
  [admin + "/v1/status", {headers: {Authorization: "Bearer TOKEN"}}],
  [rebound + "/v1/reload", {method: "POST", headers: {Authorization: "Bearer TOKEN"}}],
  [rebound + "/v1/status", {headers: {Authorization: "Bearer TOKEN"}}],
];
(async () => {
  for (const [url, how] of tries) {
    let said;
    try { const r = await fetch(url, how); said = r.type + " " + r.status; } catch (error) { said = "blocked"; }
    document.getElementById("out").textContent += said + ";";
  }
  document.title = "over";
})();
</script>"""


@pytest.fixture
def elsewhere():
    """A web server with the page of another origin; its port and a way to set the page."""
    pages = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = pages.get("/", b"")
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_address[1], pages
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.programs
def test_a_page_of_another_origin_in_a_browser(attacked, elsewhere, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here")
    port, pages = elsewhere
    admin = json.dumps(f"http://127.0.0.1:{attacked.port}")
    pages["/"] = PAGE.replace("ADMIN", admin).replace("PORT", str(attacked.port)).replace("TOKEN", OPERATOR).encode()
    before = attacked.settled()
    # With the token even, and with the name of the page leading to lbd's own address.
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         f"--user-data-dir={tmp_path}/profile", "--host-resolver-rules=MAP evil.example 127.0.0.1",
         "--virtual-time-budget=15000", "--dump-dom", f"http://evil.example:{port}/"],
        capture_output=True, text=True, timeout=90, check=False)
    assert "<title>over</title>" in done.stdout, done.stdout + done.stderr[-2000:]
    said = done.stdout.partition("<pre id=\"out\">")[2].partition("<")[0].split(";")[:-1]
    assert said == ["opaque 0", *["blocked"] * 5], said
    assert attacked.settled() == before
    until(lambda: len(attacked.refused()) >= 6, "all are logged")
