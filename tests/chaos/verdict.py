"""The verdict: what went wrong under load, and whether a fault that was made explains it."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

GRACE = 6.0     # seconds after a fault in which its effects may still show: checks, ejections, back-off


@dataclass
class Window:
    """A fault: its time span (monotonic), and the failures that it may cause."""

    name: str
    causes: frozenset[str]
    begins: float
    ends: float = float("inf")


@dataclass
class Verdict:
    """All that was seen. A wrong answer is never explained; other failures only by a fault near in time."""

    done: Counter[str] = field(default_factory=Counter)
    explained: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    @contextmanager
    def fault(self, name: str, causes: str, grace: float = GRACE) -> Iterator[None]:
        """A fault is in force while the block runs; `causes` are words of failures, or `all`."""
        window = Window(name, frozenset(causes.split()), time.monotonic())
        self.windows.append(window)
        try:
            yield
        finally:
            window.ends = time.monotonic() + grace

    def succeeded(self, what: str) -> None:
        self.done[what] += 1

    def failed(self, who: str, what: str, detail: str, since: float) -> None:
        """A failure of that kind of something that was begun at that time."""
        now = time.monotonic()
        for window in self.windows:
            if window.begins <= now and window.ends >= since and ("all" in window.causes or what in window.causes):
                self.explained[f"{who} {what} ({window.name})"] += 1
                return
        recent = ", ".join(f"{window.name} until {window.ends - self.begun:.1f}" for window in self.windows[-3:])
        self.wrong(f"{who}: {what}, begun at {since - self.begun:.2f} s: {detail} [{recent}]")

    def wrong(self, what: str) -> None:
        """Something that nothing explains."""
        self.violations.append(f"{time.monotonic() - self.begun:8.2f} s  {what}")

    def forget(self) -> None:
        """Drop windows that are over for long."""
        past = time.monotonic() - 120
        self.windows = [window for window in self.windows if window.ends > past]
