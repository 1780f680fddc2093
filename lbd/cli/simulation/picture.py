"""A picture: p99 of all algorithms over time as a PNG file, drawn by matplotlib where it is installed."""

import importlib
from collections.abc import Sequence
from typing import Any

from lbd.errors import LbdError
from lbd.simulation.figures import AlgorithmFigures

INSTALL = "pip install 'lbd[plot]'"
SIZE = (10.0, 5.6)      # inches, at DPI dots each
DPI = 120


def pen() -> Any:
    """The module of matplotlib; raises `LbdError` where it is not installed."""
    try:
        return importlib.import_module("matplotlib.figure")
    except ImportError:
        raise LbdError(f"--png needs matplotlib, which is not installed: {INSTALL}") from None


def draw(found: Sequence[AlgorithmFigures], title: str, file: str) -> None:
    """Write the picture, with the algorithms in the order of its legend. Raises `LbdError`."""
    figure = pen().Figure(figsize=SIZE, layout="constrained")
    axes = figure.add_subplot()
    for place, one in enumerate(found):
        if one.over_time:
            axes.plot(*zip(*one.over_time, strict=True), label=one.algorithm, linewidth=2.4 if not place else 1.1,
                      zorder=len(found) - place + 2, linestyle=("-", "--", ":")[place // 10 % 3])
    axes.set_yscale("log")
    axes.set_xlabel("seconds from the beginning")
    axes.set_ylabel("p99 in seconds")
    axes.set_title(title, fontsize="medium")
    axes.grid(which="both", alpha=0.25)
    if axes.lines:
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small", frameon=False)
    try:
        figure.savefig(file, dpi=DPI, format="png")
    except OSError as error:
        raise LbdError(f"--png: {file} cannot be written: {error.strerror}") from None
