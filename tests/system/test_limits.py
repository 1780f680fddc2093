"""`max_connections`: accepting pauses at it and goes on below it, and nobody is cut."""

import shutil
import signal
from contextlib import closing

import pytest
from lbd_process import Lbd, until
from load import Load, answer, ask, connect
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
        until(lambda: lbd.logged("connection limit reached, accepting pauses"), "it is said")
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
        lbd.replace_file(lbd.file.read_text().replace("max_connections = 2", "max_connections = 6"))
        lbd.send(signal.SIGHUP)
        for sock in socks:
            with closing(sock):
                assert answer(sock)[0] == 200


@pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is not installed")
def test_few_descriptors_make_few_connections_and_nobody_is_cut():
    prefix = ["prlimit", "--nofile=260:260"]
    with Origin("a") as origin, Lbd(TEXT % origin.port, workers=1, prefix=prefix) as lbd:
        with Load(lbd.port("web"), connections=100, once=True) as load:
            until(lambda: load.total > 500, "many answers")
        assert load.lost == load.refused == 0
        assert set(load.answered) == {200}
        until(lambda: lbd.logged("connection limit reached, accepting pauses"), "it is said")
        assert lbd.stop() == 0
