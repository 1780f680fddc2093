"""Where lines end up: standard output, a file that is rotated, a syslog."""

import os
import socket

import pytest

from lbd.access_log.sinks import SYSLOG, sink
from lbd.errors import LbdError


def test_off_is_none():
    assert sink("off") is None


def test_standard_output(capfd):
    out = sink("stdout")
    out.write(b"one\ntwo\n")
    out.reopen()
    out.close()
    assert capfd.readouterr().out == "one\ntwo\n"


def test_a_file_is_appended_to_and_followed_when_it_is_moved(tmp_path):
    path = tmp_path / "access.log"
    path.write_text("before\n")
    file = sink(str(path))
    file.write(b"one\n")
    path.rename(tmp_path / "access.log.1")
    file.write(b"two\n")
    file.reopen()
    file.write(b"three\n")
    file.close()
    assert (tmp_path / "access.log.1").read_text() == "before\none\ntwo\n"
    assert path.read_text() == "three\n"
    assert os.stat(path).st_mode & 0o007 == 0


def test_a_file_that_cannot_be_opened_anew_stays(tmp_path):
    directory = tmp_path / "logs"
    directory.mkdir()
    file = sink(str(directory / "access.log"))
    directory.rename(tmp_path / "old")
    with pytest.raises(OSError, match="No such file"):
        file.reopen()
    file.write(b"one\n")
    file.close()
    assert (tmp_path / "old" / "access.log").read_text() == "one\n"


@pytest.mark.parametrize("access", ["/nowhere/at/all.log", "unix:/nowhere/log"])
def test_what_cannot_be_opened_says_so(access):
    with pytest.raises(LbdError, match=r"log\.access: cannot open .*: No such file or directory"):
        sink(access)


def test_who_may_not_write_there_is_named(monkeypatch):
    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(LbdError, match=rf"cannot open /x/a\.log: Permission denied for user {os.geteuid()}$"):
        sink("/x/a.log")


def test_a_syslog_gets_a_message_per_line_also_after_it_was_started_anew(tmp_path):
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as first:
        first.bind(path)
        log = sink(f"unix:{path}")
        log.write(b"one\ntwo\n")
        assert [first.recv(100), first.recv(100)] == [SYSLOG + b"one", SYSLOG + b"two"]
    os.unlink(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as second:
        second.bind(path)
        log.write(b"three\n")
        assert second.recv(100) == SYSLOG + b"three"
    log.close()
