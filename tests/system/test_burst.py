"""A crowd of new clients beside a thousand busy ones."""

import re
import shutil
import subprocess
from contextlib import ExitStack

import pytest
from lbd_process import Lbd, until
from load import answer, ask, connect

BUSY, NEW = 1000, 500
# Answers to busy clients while the new ones are served: a worker that accepts one in a turn of its loop gives several
# times as many, since each turn answers hundreds. Counted, not timed: a slow machine is slow for both.
MEANWHILE = 40_000
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
[[listeners.web.routes]]
respond = { status = 200, body = "ok" }
"""


def answered(lbd):
    return sum(int(float(count)) for count in re.findall(r"^lbd_requests_total\{.*\} (\S+)$", lbd.metrics(), re.M))


@pytest.mark.programs
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_new_clients_do_not_wait_behind_busy_ones():
    with Lbd(TEXT) as lbd:
        wrk = subprocess.Popen(["wrk", "-t1", f"-c{BUSY}", "-d60s", f"http://127.0.0.1:{lbd.port('web')}/"],
                               stdout=subprocess.PIPE)
        try:
            until(lambda: lbd.status()["listeners"]["web"]["connections"] >= BUSY, "all are busy")
            before = answered(lbd)
            with ExitStack() as stack:
                socks = [stack.enter_context(connect(lbd.port("web"))) for _ in range(NEW)]
                for sock in socks:
                    ask(sock)
                for sock in socks:
                    assert answer(sock)[0] == 200
            meanwhile = answered(lbd) - before
        finally:
            wrk.terminate()
            wrk.communicate()
        print(f"\n{meanwhile} meanwhile")
        assert meanwhile < MEANWHILE
