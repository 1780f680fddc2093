"""A crowd of new clients beside a thousand busy ones."""

import shutil
import subprocess
import time
from contextlib import ExitStack

import pytest
from lbd_process import Lbd, until
from load import answer, ask, connect

BUSY, NEW, SECONDS = 1000, 500, 1.0
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
[[listeners.web.routes]]
respond = { status = 200, body = "ok" }
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_new_clients_do_not_wait_behind_busy_ones():
    with Lbd(TEXT) as lbd:
        wrk = subprocess.Popen(["wrk", "-t1", f"-c{BUSY}", "-d10s", f"http://127.0.0.1:{lbd.port('web')}/"],
                               stdout=subprocess.PIPE)
        try:
            until(lambda: lbd.status()["listeners"]["web"]["connections"] >= BUSY, "all are busy")
            begin = time.monotonic()
            with ExitStack() as stack:
                socks = [stack.enter_context(connect(lbd.port("web"))) for _ in range(NEW)]
                for sock in socks:
                    ask(sock)
                for sock in socks:
                    assert answer(sock)[0] == 200
            taken = time.monotonic() - begin
        finally:
            wrk.terminate()
            wrk.communicate()
        assert taken < SECONDS
