"""A made-up protocol of lines in the real daemon: requests side by side on one connection, each ended by itself."""

import os
import socket

from lbd_process import ROOT, Lbd, until
from origin import Origin

MODULE = r"""
from lbd.downstream.acceptor import PROTOCOLS
from lbd.exchange.exchange import Exchange
from lbd.exchange.filter import Filter
from lbd.exchange.streams import Downstream
from lbd.http.message import Head
class Line(Downstream):      # "ID PATH" asks, "ID -" gives up; the answer is "ID STATUS BODY"
    def __init__(self, connection, name):
        super().__init__(connection.peer)
        self.connection, self.name, self.body, self.status = connection, name, b"", 0
        self.exchange = Exchange(connection.admission.context, connection.peer, self)

    def respond(self, head, data, end):
        self.status, self.body = head.status, head.text[head.size:] if end else data

    def ended(self, whole):
        self.connection.over(self, b"%b %d %b\n" % (self.name, self.status, self.body))

    def reset(self, ending):
        self.connection.over(self, b"%b reset\n" % self.name)
class LineConnection:
    def __init__(self, admission, peer):
        self.admission, self.peer, self.lines, self.idle = admission, peer, {}, False

    def connection_made(self, transport):
        self.transport = transport
        self.admission.connected(self, transport)

    def data_received(self, data):
        for name, path in map(bytes.split, data.splitlines()):
            if path == b"-":
                self.lines[name].exchange.cut(0)
                continue
            head, line = Head(b"GET %b HTTP/1.1\r\nHost: lines\r\n\r\n" % path), Line(self, name)
            self.lines[name] = line
            line.exchange.begin(head, self.peer.listener.settings.route(head))

    def over(self, line, text):
        del self.lines[line.name]
        self.transport.write(text)

    def connection_lost(self, exc):
        self.admission.disconnected(self)

class Lines(Filter):         # what makes a worker load this module
    PROTOCOLS["http"] = LineConnection
"""
CONFIG = """
[listeners]
lines = { bind = "127.0.0.1:$lines", backend = "app" }
[backends]
app = { filters = ["lines:Lines"], servers = { a = "127.0.0.1:PORT" } }
"""


def test_requests_on_one_connection_end_in_any_order_and_one_is_reset(tmp_path):
    (tmp_path / "lines.py").write_text(MODULE)
    paths = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    with Origin("a") as a, Lbd(CONFIG.replace("PORT", str(a.port)), environment=paths) as lbd, \
            socket.create_connection(("127.0.0.1", lbd.port("lines")), timeout=20) as client:
        answers = client.makefile("rb")
        client.sendall(b"1 /held\n2 /held\n3 /quick\n")
        assert answers.readline() == b'3 200 {"server": "a", "path": "/quick"}\n'
        assert all(a.held.acquire(timeout=20) for _ in "12")
        client.sendall(b"1 -\n4 /more\n")
        assert [answers.readline(), answers.readline()] == [b"1 reset\n", b'4 200 {"server": "a", "path": "/more"}\n']
        assert lbd.counted('lbd_backend_in_flight{backend="app"') == 1
        a.release.set()
        assert answers.readline() == b'2 200 {"server": "a", "path": "/held"}\n'
        until(lambda: lbd.counted('lbd_backend_in_flight{backend="app"') == 0, "all are over")
