"""The supervisor's end of the access log: whole lines from many pipes, and a sink that fails or blocks."""

import os
import queue

import pytest

from lbd.access_log.collector import AccessLogCollector

SOON = 20.0   # seconds that anything may take before the test fails


class Noting:
    """A sink that a test looks into."""

    def __init__(self, broken: bool = False) -> None:
        self.written: queue.Queue[bytes] = queue.Queue()
        self.broken = broken
        self.opened = self.closed = 0

    def write(self, data: bytes) -> None:
        self.written.put(data)
        if self.broken:
            raise OSError(28, "No space left on device")

    def reopen(self) -> None:
        self.opened += 1
        if self.broken:
            raise OSError(2, "No such file or directory")

    def close(self) -> None:
        self.closed += 1

    def next(self) -> bytes:
        return self.written.get(timeout=SOON)


@pytest.fixture
def log():
    made = AccessLogCollector()
    yield made
    made.close(SOON)


def test_lines_come_whole_whatever_pipe_they_come_through(log):
    sink = Noting()
    log.use(sink)
    one, other = log.pipe(), log.pipe()
    os.write(one, b"first, ")
    os.write(other, b"another\n")
    assert sink.next() == b"another\n"
    os.write(one, b"its end\nand a half")
    assert sink.next() == b"first, its end\n"
    os.close(one)
    os.write(other, b"last\n")
    assert sink.next() == b"last\n"
    os.close(other)


def test_lines_that_wait_are_written_before_the_end(log):
    sink = Noting()
    log.use(sink)
    pipe = log.pipe()
    os.write(pipe, b"one\n")
    os.close(pipe)
    log.close(SOON)
    assert sink.next() == b"one\n"
    assert sink.closed == 1


def test_a_sink_that_fails_loses_lines_and_counts_them(log):
    sink = Noting(broken=True)
    log.use(sink)
    pipe = log.pipe()
    os.write(pipe, b"one\ntwo\n")
    sink.next()
    working = Noting()
    log.reopen()
    log.use(working)
    os.write(pipe, b"three\n")
    assert working.next() == b"three\n"
    assert (log.lost, sink.opened, sink.closed) == (2, 1, 1)
    os.close(pipe)


def test_without_a_sink_lines_go_nowhere(log):
    pipe = log.pipe()
    os.write(pipe, b"one\n")
    os.close(pipe)
    log.reopen()
    log.close(SOON)
    assert log.lost == 0


def test_another_reader_goes_on_in_the_middle_of_a_line(log):
    sink = Noting()
    log.use(sink)
    pipe = log.pipe()
    os.write(pipe, b"one\nhalf of ")
    assert sink.next() == b"one\n"
    ((reader, begun),) = log.leave(SOON)
    assert begun == b"half of "
    os.write(pipe, b"another\n")
    heir, heirs = AccessLogCollector(), Noting()
    heir.use(heirs)
    heir.adopt(os.dup(reader), begun)
    assert heirs.next() == b"half of another\n"
    log.stay()   # there was no other version after all
    os.close(pipe)
    heir.close(SOON)


def test_an_end_without_any_work():
    AccessLogCollector().close(SOON)
