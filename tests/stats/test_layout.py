"""Tests of lbd.stats.layout: nothing overlaps, and what should be aligned is."""

from lbd.stats import layout
from lbd.stats.fields import KINDS


def test_parts_of_a_lane_follow_each_other_on_pages() -> None:
    lane = layout.arrange()
    parts = [(lane.column, layout.CELL * KINDS[0].capacity)]
    for section, kind in zip(lane.sections, KINDS, strict=True):
        assert (section.fields, section.capacity) == (len(kind.fields), kind.capacity)
        parts.append((section.cells, section.stride * section.capacity))
        if section.latencies >= 0:
            parts.append((section.latencies, layout.LATENCY * section.capacity))
    end = 0
    for start, size in sorted(parts):
        assert start >= end
        assert start % layout.PAGE == 0
        end = start + size
    assert end <= lane.size
    assert lane.size % layout.PAGE == 0


def test_rows_are_whole_cache_lines_that_hold_their_fields() -> None:
    for section in layout.arrange().sections:
        assert section.stride % layout.LINE == 0
        assert section.fields * layout.CELL <= section.stride < section.fields * layout.CELL + layout.LINE


def test_latencies_are_of_servers_and_backends() -> None:
    with_latency = [kind.name for kind, section in zip(KINDS, layout.arrange().sections, strict=True)
                    if section.latencies >= 0]
    assert with_latency == ["server", "backend"]


def test_up() -> None:
    assert [layout.up(size, 64) for size in (0, 1, 64, 65)] == [0, 64, 64, 128]
