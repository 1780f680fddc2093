"""The standard descriptors are there, whatever a daemon is started with."""

import subprocess
import sys


def test_closed_ones_are_opened():
    code = ("import os\nfrom lbd.process import standard\nfor fd in (0, 2): os.close(fd)\nstandard.fill()\n"
            "print(*(os.readlink(f'/proc/self/fd/{fd}') for fd in (0, 2)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "/dev/null /dev/null\n"
