"""Child processes: started, signalled, and told of at their end."""

import asyncio
import os
import signal
import sys

import pytest

from lbd.workers.child_process import ChildProcess


async def run(source, *, kill=None, fds=()):
    """The child, once it has ended, and what it wrote."""
    ended = asyncio.Event()
    reader, writer = os.pipe()
    child = ChildProcess(asyncio.get_running_loop(), [sys.executable, "-c", source], os.environ, fds, writer, ended.set)
    os.close(writer)
    if kill is not None:
        child.send_signal(kill)
    async with asyncio.timeout(30):
        await ended.wait()
    with os.fdopen(reader) as file:
        return child, file.read()


@pytest.mark.parametrize(("source", "reason", "words"), [
    ("pass", "", "exit code 0"), ("raise SystemExit(3)", "stood still", "exit code 3")])
async def test_an_exit_code_is_told(source, reason, words):
    child, _ = await run(source)
    assert child.describe_end(reason) == words


@pytest.mark.parametrize(("number", "reason", "words"), [
    (signal.SIGKILL, "", "killed by SIGKILL"), (signal.SIGKILL, "stood still", "stood still"),
    (signal.SIGTERM, "stood still", "killed by SIGTERM"), (signal.SIGRTMIN + 1, "", "killed by signal 35")])
async def test_a_signal_is_told_and_the_reason_of_a_kill(number, reason, words):
    child, _ = await run("import time; time.sleep(60)", kill=number)
    assert child.describe_end(reason) == words


async def test_output_and_descriptors():
    reader, writer = os.pipe()
    _, text = await run(f"import os; os.write({writer}, b'x'); print('out', flush=True); os.write(2, b'error')",
                        fds=(writer,))
    assert os.read(reader, 9) == b"x"
    assert text == "out\nerror"
    os.close(reader)
    os.close(writer)


async def test_a_program_that_is_not_there():
    with pytest.raises(FileNotFoundError):
        ChildProcess(asyncio.get_running_loop(), ["/nowhere/python"], {}, (), 2, lambda: None)
