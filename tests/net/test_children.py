"""Reaping what was left to PID 1, without the ends of own children. In a process of its own: a run of tests has
children too."""

import subprocess
import sys

from lbd.net.children import import_path

BEGIN = """
import os, signal, subprocess, sys
from lbd.net import children

def child():
    pid = os.fork()
    if not pid:
        os._exit(7)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid
"""


def run(script):
    return subprocess.run([sys.executable, "-c", BEGIN + script], capture_output=True, text=True, check=True).stdout


def test_strangers_are_reaped_and_own_ones_are_left_to_who_waits():
    assert run("""
for _ in range(3): child()
print(children.reap(), children.reap())
own = child()
children.started(own)
print(children.reap(), os.waitpid(own, 0)[1] >> 8)
children.ended(own)
child()
print(children.reap())
""") == "3 0\n0 7\n1\n"


def test_nothing_is_reaped_while_children_are_started_untold():
    assert run("""
pid = child()
with children.untold():
    print(children.reap())
print(children.reap())
""") == "0\n1\n"


def test_a_child_has_the_path_of_its_parent_wherever_it_runs(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["lib", "/usr/lib/python311.zip", "/srv"])
    assert import_path() == f"{tmp_path}/lib:/srv"


def test_one_that_still_runs_is_none():
    assert run("""
with subprocess.Popen(["sleep", "60"]) as running:
    print(children.reap())
    running.kill()
    print(running.wait())
""") == "0\n-9\n"
