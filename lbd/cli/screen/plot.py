"""A plot in characters: values over time as columns of blocks, with the highest value beside them."""

from collections.abc import Callable, Sequence

BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = len(BLOCKS) - 1
GAP = "·"       # a step of which nothing is known


def plot(values: Sequence[float | None], width: int, height: int, name: Callable[[float], str]) -> list[str]:
    """`height` lines of at most `width` columns, the newest value at the right; `name` formats a value. Of more values
    than columns, the oldest are left out."""
    known = [value for value in values if value is not None]
    if not known:
        return ["nothing measured yet", *[""] * (height - 1)]
    top = max(known)
    labels = [name(top) if top > 0 else "", *[""] * (height - 2), name(0.0)][:height]
    margin = max(map(len, labels))
    room = max(width - margin - 2, 1)
    columns = [column(value, top, height) for value in values[-room:]]
    lines = ["".join(cells[row] for cells in columns) for row in range(height)]
    return [f"{label:>{margin}} {'┤' if label else '│'}{line}" for label, line in zip(labels, lines, strict=True)]


def column(value: float | None, top: float, height: int) -> str:
    """The characters of a value from top to bottom; a known value has at least one eighth of a block."""
    if value is None:
        return " " * (height - 1) + GAP
    eighths = max(round(value / top * height * EIGHTHS), 1) if top > 0 else 1
    return "".join(BLOCKS[min(max(eighths - EIGHTHS * row, 0), EIGHTHS)] for row in reversed(range(height)))
