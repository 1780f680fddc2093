"""Tests of lbd.cli.foreground: the process ends with the daemon, whatever else runs in it."""

import subprocess
import sys

CODE = """
import threading
from lbd.cli.foreground import leave
threading.Thread(target=threading.Event().wait).start()
print("said", end="")
leave(3)
"""


def test_it_leaves_without_waiting_for_threads():
    done = subprocess.run([sys.executable, "-c", CODE], stdout=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (3, "said")
