"""The stream: lines that are cut off are ended, and nobody waits for a reader longer than bearable."""

import os

import pytest

from lbd.log import stream
from lbd.log.stream import Stream, Unwritten


def test_a_line_that_was_cut_off_is_ended(tmp_path, monkeypatch):
    fd = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    room = [4]
    real = os.write

    def write(fd, data):
        if not room[0]:
            raise OSError(28, "No space left on device")
        done = real(fd, data[:room[0]])
        room[0] -= done
        return done

    monkeypatch.setattr(stream.os, "write", write)
    out = Stream(fd, 1.0)
    with pytest.raises(Unwritten, match="No space left") as caught:
        out.write(b"one\ntwo\nthree\n"[4:])
    assert caught.value.lines == 1
    room[0] = 100
    out.write(b"four\n")
    os.close(fd)
    assert (tmp_path / "log").read_bytes() == b"two\n" + b"four\n"


def test_the_end_of_a_line_that_was_cut_off_is_no_lost_line():
    reader, writer = os.pipe()
    out = Stream(writer, 0.0)
    with pytest.raises(Unwritten) as caught:
        out.write(b"x" * 2**20 + b"\n")
    assert caught.value.lines == 1
    with pytest.raises(Unwritten) as caught:
        out.write(b"y\nz\n")
    assert caught.value.lines == 2
    os.close(reader)
    os.close(writer)


def test_a_pipe_that_nobody_reads_loses_lines_and_keeps_its_flags():
    reader, writer = os.pipe()
    out = Stream(writer, 0.01)
    with pytest.raises(Unwritten, match="nobody reads there"):
        out.write(b"x" * 99 + b"\n" + b"y" * 2**20 + b"\n")
    assert os.get_blocking(writer)
    os.read(reader, 2**20)
    out.write(b"z\n")
    assert os.read(reader, 100) == b"\nz\n"
    os.close(reader)
    os.close(writer)
