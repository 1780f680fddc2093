"""lbd.cli.child_processes, driven in a process of its own: nothing is left behind, however it ends."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import lbd

# A parent of one demo server; it prints the server's pid and line, then does as its argument says.
PARENT = """
import sys
from lbd.cli.child_processes import ChildProcesses
from lbd.errors import LbdError
with ChildProcesses() as children:
    line = children.start("one", ["demo-server", "--port", "0", "--name", "one"], speaks=True)
    print(children.running["one"].pid, line, flush=True)
    try:
        print("stop" if children.wait(eval(sys.argv[1])) else "time is over", flush=True)
    except LbdError as error:
        print(error, flush=True)
print("end", flush=True)
"""


class Parent:
    """The running parent, and a descriptor that becomes readable when its child has ended."""

    def __init__(self, seconds: str) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", PARENT, seconds], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.out = self.process.stdout
        pid, _, self.line = self.out.readline().strip().partition(" ")
        self.child = int(pid)
        self.child_ended = os.pidfd_open(self.child)

    def ended(self) -> bool:
        """Within 20 s the child is no more."""
        return bool(select.select([self.child_ended], [], [], 20.0)[0])

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
        self.out.close()
        os.close(self.child_ended)


@pytest.fixture
def parent(request: pytest.FixtureRequest) -> Iterator[Parent]:
    made = Parent(getattr(request, "param", "None"))
    yield made
    made.close()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all(parent: Parent, end: signal.Signals) -> None:
    assert parent.line.startswith("one: listening on ")
    parent.process.send_signal(end)
    assert parent.out.read() == "stop\nend\n"
    assert parent.process.wait(20) == 0
    assert parent.ended()


def test_the_kernel_ends_them_when_the_parent_is_killed(parent: Parent) -> None:
    parent.process.kill()
    assert parent.ended()


def test_a_child_that_ends_is_noticed(parent: Parent) -> None:
    os.kill(parent.child, signal.SIGKILL)
    assert parent.out.read() == "one has ended by itself (exit code -9)\nend\n"


def test_a_stopped_child_is_killed_when_a_signal_comes_again(parent: Parent) -> None:
    os.kill(parent.child, signal.SIGSTOP)
    parent.process.send_signal(signal.SIGINT)
    assert parent.out.readline() == "stop\n"
    parent.process.send_signal(signal.SIGINT)
    assert parent.out.read() == "end\n"
    assert parent.ended()


@pytest.mark.parametrize("parent", ["0.01"], indirect=True)
def test_wait_comes_back_when_the_time_is_over(parent: Parent) -> None:
    assert parent.out.read() == "time is over\nend\n"
    assert parent.ended()


def test_one_that_cannot_start() -> None:
    code = ("from lbd.cli.child_processes import ChildProcesses\n"
            "with ChildProcesses() as children: children.start('odd', ['demo-server'], speaks=True)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[0].startswith("lbd: the following arguments are required: --port")
    assert done.stderr.splitlines()[-1] == "lbd.errors.LbdError: odd did not start (exit code 2)"


def test_the_working_directory_does_not_decide_which_code_runs(tmp_path: Path) -> None:
    (tmp_path / "lbd").mkdir()
    (tmp_path / "lbd" / "__init__.py").write_text("raise SystemExit('the wrong code')")
    code = ("from lbd.cli.child_processes import ChildProcesses\n"
            "with ChildProcesses() as children: print(children.start('one', ['--version'], speaks=True))")
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path,
                          env={**os.environ, "PYTHONPATH": str(Path(lbd.__file__).parents[1])})
    assert (done.stdout, done.stderr) == (f"lbd {lbd.__version__}\n", "")
