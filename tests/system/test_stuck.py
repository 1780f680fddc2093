"""A supervisor whose own log nobody reads: checks, status and the end go on."""

import os
import signal
import subprocess
import sys

from lbd_process import ROOT, Backend, Lbd, until

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
health = { type = "tcp", interval = "100ms" }
servers = { a = "127.0.0.1:%d" }
"""


def ready(lbd):
    """It answers, and says that it is."""
    try:
        return lbd.admin("GET", "/readyz")[0] == 200
    except OSError:
        return False


def test_a_log_that_nobody_reads_holds_up_nothing():
    with Backend("a") as backend:
        lbd = Lbd(TEXT % backend.port, workers=1)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writer, True)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        lbd._process = subprocess.Popen([sys.executable, "-m", "lbd", "-c", str(lbd.file)], cwd=ROOT, stdout=writer,
                                        stderr=writer, stdin=subprocess.DEVNULL, env=environment)
        try:
            until(lambda: ready(lbd), "it is ready")
            for _ in range(20):
                lbd.send(signal.SIGHUP)
            checked = lbd.status()["backends"]["app"]["servers"]["a"]["checked"]
            until(lambda: lbd.status()["backends"]["app"]["servers"]["a"]["checked"] != checked, "checks go on")
            assert lbd.get("web")[0] == 200
            assert lbd.stop() == 0
        finally:
            lbd.close()
            os.close(reader)
            os.close(writer)
