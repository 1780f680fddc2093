"""The daemon's own log: nobody who does not read it holds lbd up."""

import os
import queue

from lbd.log.output import LogOutput


def test_a_reader_that_does_not_read_costs_lines_which_are_counted_and_told_of():
    reader, writer = os.pipe()
    told = queue.Queue()
    out = LogOutput(writer, 2**18, told.put)
    for _ in range(5000):
        out.write("x" * 99 + "\n")
    assert not out.flush(0.01)
    assert out.dropped > 1000
    seen = 0
    while seen < (5000 - out.dropped) * 100:
        seen += len(os.read(reader, 2**16))
    assert told.get(timeout=20) == out.dropped
    assert out.flush(20)
    os.close(reader)
    os.close(writer)
