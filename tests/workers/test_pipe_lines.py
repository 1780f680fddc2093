"""Lines of a worker's pipe: whole, bounded, complete at the end."""

import asyncio
import os

from lbd.workers import pipe_lines as module
from lbd.workers.pipe_lines import PipeLines


def reading(got):
    reader, writer = os.pipe()
    return PipeLines(asyncio.get_running_loop(), reader, got.append), writer


async def test_lines_are_handed_on_whole_and_the_rest_at_the_end():
    got = []
    lines, writer = reading(got)
    os.write(writer, b"one\ntw")
    lines.read()
    assert got == ["one"]
    os.write(writer, b"o\nthr\xffee")
    os.close(writer)
    lines.read()
    assert got == ["one", "two", "thr\\xffee"]
    lines.close()


async def test_a_line_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 10)
    got = []
    lines, writer = reading(got)
    os.write(writer, b"x" * 25 + b"\nend\n")
    os.close(writer)
    for _ in range(10):
        lines.read()
    assert "".join(got) == "x" * 25 + "end"
    assert all(len(line) <= 20 for line in got)
