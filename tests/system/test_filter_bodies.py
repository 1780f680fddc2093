"""A filter of the operator's own that writes answers in capitals, in the real daemon."""

import http.client
import os
from pathlib import Path

from lbd_process import ROOT, Lbd
from origin import PATTERN, Origin

FILTER = """
from lbd.exchange.filter import Filter


class Upper(Filter):
    def on_request(self, exchange, head):
        head.remove(b"accept-encoding")

    def on_response_data(self, exchange, data, end):
        return data.upper()
"""
CONFIG = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
{filters}
servers = {{ a = "127.0.0.1:{port}" }}
"""
SIZE = 300_000
WHOLE = (PATTERN * 5)[:SIZE]


def fetched(connection: http.client.HTTPConnection, target: str) -> tuple[int, bytes]:
    """Status and body of an answer."""
    connection.request("GET", target)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_answers_of_any_length_and_framing_are_written_in_capitals(tmp_path: Path) -> None:
    (tmp_path / "capitals.py").write_text(FILTER)
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    with Origin("a") as a, Lbd(CONFIG.format(port=a.port, filters='filters = ["capitals:Upper"]'),
                               environment={"PYTHONPATH": path}) as lbd:
        connection = http.client.HTTPConnection("127.0.0.1", lbd.port("web"), timeout=20)
        assert fetched(connection, "/small") == (200, b'{"SERVER": "A", "PATH": "/SMALL"}')
        for target in (f"/bytes?n={SIZE}", f"/bytes?n={SIZE}&chunked=1", "/bytes?n=0", "/bytes?n=10&chunked=1"):
            size = SIZE if str(SIZE) in target else 10 if "=10" in target else 0
            assert fetched(connection, target) == (200, WHOLE[:size].upper()), target
        connection.close()


def test_a_filter_comes_and_goes_with_a_reload_and_a_wrong_one_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "capitals.py").write_text(FILTER)
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    with Origin("a") as a, Lbd(CONFIG.format(port=a.port, filters=""), environment={"PYTHONPATH": path}) as lbd:
        assert lbd.get("web")[1] == {"server": "a", "path": "/"}
        lbd.write(CONFIG.format(port=a.port, filters='filters = ["capitals:Lower"]'))
        code, answer = lbd.admin("POST", "/v1/reload")
        assert code != 200
        assert "backends.app.filters.0: cannot load 'capitals:Lower'" in str(answer)
        assert lbd.get("web")[1] == {"server": "a", "path": "/"}
        lbd.write(CONFIG.format(port=a.port, filters='filters = ["capitals:Upper"]'))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert lbd.get("web")[1] == {"SERVER": "A", "PATH": "/"}
