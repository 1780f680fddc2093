"""lbd.cli.simulation.chart: lines of dots in the terminal."""

from lbd.cli.simulation.chart import EMPTY, Canvas, bounds, chart


def test_dots() -> None:
    canvas = Canvas(2, 1)
    for x, y in ((0, 0), (1, 3), (2, 1), (9, 0), (0, -1)):
        canvas.dot(x, y, "red")
    assert canvas.row(0).plain == chr(EMPTY + 0x81) + chr(EMPTY + 0x02)


def test_lines_join_their_ends() -> None:
    canvas = Canvas(3, 1)
    canvas.line((0, 0), (5, 0), "")
    assert canvas.row(0).plain == chr(EMPTY + 0x09) * 3


def test_a_rising_line() -> None:
    drawn = chart([("up", [(0.0, 0.001), (10.0, 1.0)]), ("flat", [(0.0, 0.03), (10.0, 0.03)])], 60, 8).plain
    lines = drawn.splitlines()
    assert len(lines) == 11
    assert max(map(len, lines)) <= 60
    assert lines[0].startswith("   1.00 s ┤")
    assert lines[0].strip()[-1] > chr(EMPTY)
    assert lines[7].startswith("  1.00 ms ┤" + lines[7][11])
    assert lines[9].split() == ["0", "10", "s"]
    assert lines[10].split() == ["━━", "up", "━━", "flat"]


def test_all_equal_and_nothing() -> None:
    low, high = bounds([1.0, 1.0])
    assert low < 0 < high
    assert "━━ dot" in chart([("dot", [(1.0, 0.5)]), ("none", [])], 10, 4).plain
    assert "nothing to draw" in chart([("none", [])], 60, 8).plain
