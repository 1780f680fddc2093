"""A daemon's admin side that answers as it is told, on a Unix socket."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest


class FakeDaemon:
    """`answers` maps (method, path) to (status, body); `seen` keeps what was asked: method, path, headers, body."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bind = f"unix:{path}"
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {}
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []


def handler(daemon: FakeDaemon) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            daemon.seen.append((self.command, self.path, dict(self.headers), body))
            status, data = daemon.answers.get((self.command, self.path), (404, {"error": "no such page"}))
            content = data if isinstance(data, bytes) else json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

        def address_string(self) -> str:
            return "unix"

    return Handler


@pytest.fixture
def fake_daemon(tmp_path: Path) -> Iterator[FakeDaemon]:
    daemon = FakeDaemon(tmp_path / "admin.sock")
    with socketserver.ThreadingUnixStreamServer(str(daemon.path), handler(daemon)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield daemon
        server.shutdown()
        thread.join()
