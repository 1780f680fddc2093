"""Tests of lbd.workers.template: forked workers are what executed ones would be (in a process of their own)."""

import json
import os
import subprocess
import sys

import pytest

# Begins the template of workers that tell about themselves, runs the code, and prints what `told` holds at the end.
BEGIN = """
import json, os, signal, sys
from pathlib import Path
from lbd.process import privileges
from lbd.workers import template

def main(words):
    status = Path("/proc/self/status").read_text()
    print(json.dumps({"words": words, "environment": dict(os.environ),
                      "files": [fd for fd in range(200) if os.path.lexists(f"/proc/self/fd/{fd}")],
                      "rights": privileges.rights(),
                      "input": os.readlink("/proc/self/fd/0"),
                      "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())), "path": sys.path,
                      "ignored": signal.getsignal(signal.SIGTERM) is signal.SIG_IGN, "status": status}))
    return len(words)

def fork(*words, environment={}, fds=()):
    reader, writer = os.pipe()
    child = template.fork([template.MODULE, *words], {"PYTHONPATH": "/a:/b", **environment}, writer, fds)
    os.close(writer)
    with os.fdopen(reader) as file:
        text = file.read()
    return child, text

told = {}
"""
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to drop")


def run(code):
    done = subprocess.run([sys.executable, "-c", f"{BEGIN}\n{code}\nprint(json.dumps(told))"], stdout=subprocess.PIPE,
                          check=True, text=True, timeout=60)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_worker_is_a_child_with_what_it_is_given():
    told = run("""
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
import resource
open_before, _ = os.pipe()
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (60, hard))
template.begin(main)
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))     # raised since
os.dup2(open_before, 77)
child, text = fork("a", "b", environment={"X": "1"}, fds=(77,))
told = {**json.loads(text), "code": child.wait()}
""")
    assert (told["words"], told["code"]) == (["a", "b"], 2)
    assert told["environment"] == {"PYTHONPATH": "/a:/b", "X": "1"}
    assert told["path"] == ["/a", "/b"]
    assert (told["files"], told["input"]) == ([0, 1, 2, 77], "/dev/null")
    assert (told["blocked"], told["ignored"]) == ([], False)


def test_what_breaks_is_written_and_a_signal_ends_it():
    told = run("""
def main(words):
    if words:
        raise ValueError("broken")
    os.write(1, b"x")
    signal.pause()
template.begin(main)
child, text = fork("x")
told["broken"] = text.splitlines()[-1], child.wait()
reader, writer = os.pipe()
child = template.fork([template.MODULE], {"PYTHONPATH": ""}, writer, ())
os.read(reader, 1)
child.send_signal(signal.SIGTERM)
told["killed"] = child.wait()
child.send_signal(signal.SIGTERM)
""")
    assert told == {"broken": ["ValueError: broken", 1], "killed": -15}


def test_workers_are_executed_without_a_template_and_once_it_is_gone():
    told = run("""
told["before"] = fork("a")[0] is None
template.begin(main)
inside, = map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
assert fork()[0].wait() == 0
told["name"] = Path(f"/proc/{inside}/comm").read_text()
os.kill(inside, signal.SIGKILL)
os.waitpid(inside, 0)
told["after"] = [fork("a")[0] is None for _ in range(2)]
""")
    assert told == {"before": True, "name": "lbd-template\n", "after": [True, True]}


def test_workers_are_executed_once_another_version_is_installed():
    told = run("""
template.begin(main)
told["same"] = fork()[0] is not None
template.installation.package = sys.executable
told["other"] = fork()[0] is None
""")
    assert told == {"same": True, "other": True}


def test_it_ends_with_the_process_that_began_it():
    told = run("""
reader, writer = os.pipe()
if not os.fork():
    template.begin(main)
    os.write(writer, Path(f"/proc/self/task/{os.getpid()}/children").read_bytes())
    os._exit(0)
os.wait()
pidfd = os.pidfd_open(int(os.read(reader, 20)))
import select
poll = select.poll()
poll.register(pidfd, select.POLLIN)
told["ended"] = bool(poll.poll(20_000))
""")
    assert told == {"ended": True}


@root_only
def test_rights_that_were_dropped_are_dropped_there_too():
    told = run("""
template.begin(main)
privileges.drop("nobody", *privileges.identity("nobody", None))
for _ in range(2):
    child, text = fork()
    told = {**json.loads(text), "mine": privileges.rights()}
""")
    assert told["rights"] == told["mine"]
    assert 0 not in told["rights"][0]
    for line in ("CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1"):
        assert line in told["status"]


def test_the_allocator_heeds_the_environment():
    told = run("""
import ctypes
template.begin(lambda words: template._allocate({"MALLOC_ARENA_MAX": "1", "MALLOC_TOP_PAD_": "1048576"}) or 0)
child, text = fork()
told["code"] = child.wait()
""")
    assert told == {"code": 0}
