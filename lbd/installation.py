"""The installation that this process was started from, which may be replaced by another version while it runs."""

import os

from lbd import __file__ as package


def _marks() -> tuple[int, int] | None:
    try:
        about = os.stat(package)
    except OSError:
        return None
    return about.st_ino, about.st_mtime_ns


_started = _marks()


def replaced() -> bool:
    """Whether another version, or none, is there now: what is imported from now on may not fit what was before."""
    return _marks() != _started
