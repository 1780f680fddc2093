"""`max_connections`: accepting pauses at it and goes on below it, and nobody is cut."""

import signal
from contextlib import closing

from lbd_process import Lbd, until
from load import answer, ask, connect
from origin import Origin

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
servers = { a = "127.0.0.1:%d" }
"""


def accepted(lbd):
    return lbd.status()["listeners"]["web"]["connections"]


def test_accepting_pauses_and_goes_on():
    with Origin("a") as origin, Lbd(TEXT % origin.port, workers=1, settings="max_connections = 4") as lbd:
        socks = [connect(lbd.port("web")) for _ in range(10)]
        for sock in socks:
            ask(sock)
        for sock in socks[:4]:
            assert answer(sock)[0] == 200
        until(lambda: accepted(lbd) == 4, "four are in")
        assert lbd.logged("connection limit reached, accepting pauses")
        for first, sock in zip(socks, socks[4:], strict=False):
            first.close()   # makes room for exactly one
            assert answer(sock)[0] == 200
        for sock in socks:
            sock.close()
        until(lambda: accepted(lbd) == 0, "all are gone")


def test_a_raised_limit_lets_in_those_who_wait():
    with Origin("a") as origin, Lbd(TEXT % origin.port, workers=1, settings="max_connections = 2") as lbd:
        socks = [connect(lbd.port("web")) for _ in range(6)]
        for sock in socks:
            ask(sock)
        until(lambda: accepted(lbd) == 2, "two are in")
        lbd.file.write_text(lbd.file.read_text().replace("max_connections = 2", "max_connections = 6"))
        lbd.send(signal.SIGHUP)
        for sock in socks:
            with closing(sock):
                assert answer(sock)[0] == 200
