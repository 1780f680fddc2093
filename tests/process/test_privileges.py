"""Dropping root: who may ask for it, and what is left (in a child process)."""

import os
import subprocess
import sys

import pytest

from lbd.errors import LbdError
from lbd.process.privileges import identity

CHILD = """
import os, socket
from lbd.process.privileges import drop, identity, keep_from_children, keep_over_exec
drop("nobody", *identity("nobody", None))
assert os.getresuid() == (os.geteuid(),) * 3 and os.geteuid() != 0
status = open("/proc/self/status").read()
assert "CapEff:\\t0000000000000400" in status, status
assert "CapAmb:\\t0000000000000000" in status
assert "NoNewPrivs:\\t1" in status
assert identity("nobody", None) is None      # as the next image of an upgrade finds it
keep_over_exec()
assert "CapAmb:\\t0000000000000400" in open("/proc/self/status").read()
keep_from_children()
assert "CapAmb:\\t0000000000000000" in open("/proc/self/status").read()
try:
    os.setuid(0)
except PermissionError:
    print("dropped")
"""

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to drop")


def test_nothing_is_asked_for():
    assert identity(None, None) is None


@root_only
def test_unknown_names():
    with pytest.raises(LbdError, match=r"global\.user: this machine has no user 'no-such'"):
        identity("no-such", None)
    with pytest.raises(LbdError, match=r"global\.group: this machine has no group 'no-such'"):
        identity(None, "no-such")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_only_root_may():
    with pytest.raises(LbdError, match="only root"):
        identity("nobody", None)


@root_only
def test_only_the_right_to_bind_low_ports_is_left():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, env=environment, timeout=30)
    assert (child.stdout, child.stderr) == ("dropped\n", "")
