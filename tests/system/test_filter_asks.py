"""The filter of the guide, which asks another backend whether a request may pass, in the real daemon."""

import os
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from lbd_process import ROOT, Lbd
from origin import Origin

GUIDE = ROOT / "lbd" / "guide" / "filters.md"
CONFIG = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
filters = [{{ use = "ask_first:AskFirst", backend = "guard" }}]
servers = {{ a = "127.0.0.1:{app}" }}
[backends.guard]
servers = {{ g = "127.0.0.1:{guard}" }}
"""


class Guard(BaseHTTPRequestHandler):
    """Lets pass what is below /open/."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200 if self.headers["X-Path"].startswith("/open/") else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def guard() -> Iterator[int]:
    """The port of a guard."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Guard)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_request_is_held_until_another_backend_lets_it_pass(tmp_path: Path, guard: int) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    (tmp_path / "ask_first.py").write_text(example)
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    with Origin("a") as app, Lbd(CONFIG.format(app=app.port, guard=guard), environment={"PYTHONPATH": path}) as lbd:
        for _ in range(3):
            assert lbd.get("web", "/open/x") == (200, {"server": "a", "path": "/open/x"})
            assert lbd.get("web", "/shut/x") == (403, "not allowed\n")
        assert app.requests == 3
        assert lbd.counted('lbd_endings_total{ending="answered"') == 3
        assert lbd.counted('lbd_backend_in_flight{backend="guard"') == 0
        assert lbd.counted('lbd_server_requests_total{backend="guard"') == 6
