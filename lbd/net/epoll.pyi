"""The epoll set of one worker: a level-triggered set inside the loop's own, with bounded work per wake-up."""

from collections.abc import Callable
from typing import Any

from typing_extensions import disjoint_base

@disjoint_base
class Watched:
    """A descriptor in the set."""

@disjoint_base
class Epoll:
    """The set. Register `fileno()` with the loop as a reader, and `run` as its callback.

    `failed(exception, source)` is told of what callbacks raise; without it `sys.unraisablehook` is. OSError where
    there is no descriptor for the set.
    """

    def __init__(self, failed: Callable[[BaseException, Any], object] | None = None) -> None: ...
    def fileno(self) -> int:
        """The descriptor that becomes readable when `run` has work; -1 once closed."""
    def run(self) -> None:
        """Run one turn: at most 256 events, then the callbacks that were put off. It never waits."""
    def tick(self) -> None:
        """Register what is still busy; to be called a few times a second, also where nothing happens."""
    def close(self) -> None:
        """Close everything in the set, then the set; every connection_lost is called before it returns."""
