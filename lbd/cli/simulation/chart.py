"""A chart: several series as lines in the terminal, made of the dots of Braille characters, on a logarithmic scale."""

import math
from collections.abc import Sequence

from rich.text import Text

from lbd.simulation.advice import span

Series = Sequence[tuple[float, float]]      # (x, y), by x; y above 0

STYLES = ("bold green", "cyan", "magenta", "yellow", "red", "blue")
EMPTY = 0x2800                              # the Braille character without dots
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))     # by row and column within a character
LEAST_WIDTH = 30                            # characters, without the scale
SCALE = 10                                  # characters at the left for the scale


class Canvas:
    """`width` by `height` characters, each of 2 by 4 dots; a character has the style of what was drawn last there."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.cells = [[0] * width for _ in range(height)]
        self.styles = [[""] * width for _ in range(height)]

    def dot(self, x: int, y: int, style: str) -> None:
        """Draw a dot; y grows downwards."""
        if 0 <= x < self.width * 2 and 0 <= y < self.height * 4:
            self.cells[y // 4][x // 2] |= DOTS[y % 4][x % 2]
            self.styles[y // 4][x // 2] = style

    def line(self, begin: tuple[int, int], end: tuple[int, int], style: str) -> None:
        """Draw the dots of a line between two points."""
        steps = max(abs(end[0] - begin[0]), abs(end[1] - begin[1]), 1)
        for step in range(steps + 1):
            self.dot(round(begin[0] + (end[0] - begin[0]) * step / steps),
                     round(begin[1] + (end[1] - begin[1]) * step / steps), style)

    def row(self, place: int) -> Text:
        """The line of characters at that index from the top."""
        text = Text()
        for cell, style in zip(self.cells[place], self.styles[place], strict=True):
            text.append(chr(EMPTY + cell) if cell else " ", style)
        return text


def chart(series: Sequence[tuple[str, Series]], width: int, height: int) -> Text:
    """Seconds over seconds for each named series; the first is drawn last, so that it lies on top."""
    points = [point for _, line in series for point in line]
    if not points:
        return Text("Nothing was answered: there is nothing to draw.", "yellow")
    canvas = Canvas(max(width - SCALE - 1, LEAST_WIDTH), height)
    last = max(x for x, _ in points) or 1.0
    low, high = bounds([y for _, y in points])

    def place(point: tuple[float, float]) -> tuple[int, int]:
        across = round(point[0] / last * (canvas.width * 2 - 1))
        return across, round((high - math.log10(point[1])) / (high - low) * (height * 4 - 1))

    for number in reversed(range(len(series))):
        placed = [place(point) for point in series[number][1]]
        for begin, end in zip(placed, placed[1:] or placed, strict=False):
            canvas.line(begin, end, STYLES[number % len(STYLES)])
    text = Text()
    for row in range(height):
        marked = row % max(height // 4, 1) == 0 or row == height - 1
        value = 10 ** (high - (high - low) * row / max(height - 1, 1))
        text.append(f"{span(value) if marked else '':>{SCALE - 1}} ", "dim").append("┤" if marked else "│", "dim")
        text.append(canvas.row(row)).append("\n")
    right = f"{last:.3g} s"
    text.append(" " * SCALE + "└" + "─" * canvas.width + "\n", "dim")
    text.append(" " * (SCALE + 1) + "0" + right.rjust(canvas.width - 1) + "\n", "dim")
    text.append(" " * (SCALE + 1))
    for number, (name, _) in enumerate(series):
        text.append("━━ ", STYLES[number % len(STYLES)]).append(f"{name}   ")
    return text


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """The decimal logarithms at the ends of the scale, at least a factor of 2 apart."""
    low, high = math.log10(min(values)), math.log10(max(values))
    missing = max(math.log10(2) - (high - low), 0.0)
    return low - missing / 2, high + missing / 2
