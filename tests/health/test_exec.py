"""The check `exec`: real programs, what they see, and how they end."""

import asyncio
import fcntl
import os
import re
import signal

import pytest

from lbd.health.check import Subject
from lbd.health.exec import COMMAND, ExecOptions, check
from lbd.schema.kinds import ItemError
from lbd.schema.units import Address

SUBJECT = Subject(Address("10.0.0.1", 8080), "app", "a")


def shell(script):
    return ExecOptions(command=("/bin/sh", "-c", script))


@pytest.mark.parametrize(("script", "passed", "reason"), [
    ("exit 0", True, "sh: exit code 0"),
    ("exit 3", False, "sh: exit code 3"),
    ("echo replica is late; echo more; exit 1", False, "sh: exit code 1: replica is late"),
    ("echo all is well >&2", True, "sh: exit code 0: all is well"),
    ("printf 'a\\033[31mb'", True, "sh: exit code 0: a?[31mb"),
    ("kill -TERM $$", False, "sh: killed by SIGTERM"),
])
async def test_endings(script, passed, reason):
    result = await check(SUBJECT, shell(script), 5.0)
    assert (result.passed, result.reason) == (passed, reason)


@pytest.mark.parametrize(("address", "line"), [
    (Address("10.0.0.1", 8080), "10.0.0.1:8080 10.0.0.1 8080 app a"),
    (Address("::1", 80), "[::1]:80 ::1 80 app a"),
    (Address(path="/run/s"), "unix:/run/s   app a"),
    (Address(path="@s"), "unix:@s   app a"),
])
async def test_the_environment(address, line, monkeypatch):
    monkeypatch.setenv("SECRET", "x")
    script = 'test -z "$SECRET" && echo "$LBD_ADDRESS $LBD_HOST $LBD_PORT $LBD_BACKEND $LBD_SERVER"'
    result = await check(Subject(address, "app", "a"), shell(script), 5.0)
    assert result.reason == f"sh: exit code 0: {line}"


async def test_there_is_no_shell(tmp_path):
    result = await check(SUBJECT, ExecOptions(command=("/bin/echo", "$LBD_PORT; exit 1")), 5.0)
    assert result.reason == "echo: exit code 0: $LBD_PORT; exit 1"


async def test_a_program_that_is_not_there():
    result = await check(SUBJECT, ExecOptions(command=("/none/check",)), 5.0)
    assert not result.passed
    assert re.fullmatch(r"check: exit code 127 \(not found\): .*/none/check: .+", result.reason)


async def test_a_program_that_may_not_be_run(tmp_path):
    (tmp_path / "check").touch(0o600)
    result = await check(SUBJECT, ExecOptions(command=(str(tmp_path / "check"),)), 5.0)
    assert not result.passed
    assert re.fullmatch(r"check: exit code 126 \(cannot be executed\): .*check: .+", result.reason)


async def test_a_program_on_a_disk_that_does_not_answer(tmp_path):
    """A lease on a file holds up every open of it (fcntl(2)), as a slow disk does."""
    script = tmp_path / "check"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o700)
    signals = signal.signal(signal.SIGIO, signal.SIG_IGN)
    fd = os.open(script, os.O_RDWR)
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        result = await check(SUBJECT, ExecOptions(command=(str(script),)), 0.5)
    finally:
        os.close(fd)
        signal.signal(signal.SIGIO, signals)
    assert (result.passed, result.reason) == (False, "check: timeout")


@pytest.mark.parametrize("script", ["sleep 60 & echo $! > {file}; wait", "sleep 60 & echo $! > {file}"])
async def test_what_a_program_started_does_not_outlive_it(tmp_path, script):
    file = tmp_path / "pid"
    await check(SUBJECT, shell(script.format(file=file)), 0.5)
    await over(int(file.read_text()))


@pytest.mark.parametrize("script", ["exit 0", "sleep 60 & exit 3", "sleep 60"])
async def test_a_group_is_killed_only_while_its_number_is_its_own(script, monkeypatch):
    killed = []

    def kill(pid, number):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)     # raises once it was waited for
        killed.append(pid)
        original(pid, number)

    original = os.killpg
    monkeypatch.setattr(os, "killpg", kill)
    await check(SUBJECT, shell(script), 0.3)
    assert killed


async def over(pid):
    """Wait for the end of a process that is nobody's child here."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(fd, ended.set)
    try:
        async with asyncio.timeout(20):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(fd)
        os.close(fd)


async def test_too_long():
    result = await check(SUBJECT, ExecOptions(command=("/bin/sleep", "60")), 0.05)
    assert (result.passed, result.reason) == (False, "sleep: timeout")


async def test_a_program_that_talks_without_end_is_read_away():
    result = await check(SUBJECT, shell("head -c 1000000 /dev/zero | tr '\\0' x; exit 1"), 5.0)
    assert result.reason == "sh: exit code 1: " + "x" * 120


async def test_it_runs_at_the_root_in_a_session_of_its_own():
    result = await check(SUBJECT, shell('test "$(pwd)" = / && cut -d" " -f6 /proc/self/stat'), 5.0)
    assert result.passed
    assert int(result.reason.rpartition(" ")[2]) != os.getsid(0)


@pytest.mark.parametrize("bad", ["/bin/check", [], 1, [""]])
def test_bad_commands(bad):
    with pytest.raises(ValueError, match=r"is|empty"):
        COMMAND.parse(bad)


def test_a_bad_argument_is_named():
    with pytest.raises(ItemError, match="holds 1, which is an integer"):
        COMMAND.parse(["/bin/check", 1])
