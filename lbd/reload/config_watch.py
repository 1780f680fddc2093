"""The watch over the files of the configuration, while the one in force asks for it."""

import asyncio
from collections.abc import Callable, Sequence

from lbd.generation.file_watch import FileWatch
from lbd.net.tasks import Tasks


class ConfigWatch:
    """`changed` is called when one of `files` is another than before, while followed; `since` (nanoseconds since 1970):
    than at that moment, when they were read."""

    def __init__(self, tasks: Tasks, files: Callable[[], Sequence[str]], changed: Callable[[], None],
                 since: int = 0) -> None:
        self._tasks = tasks
        self._files = files
        self._watch = FileWatch(files, changed, since)
        self._watching: asyncio.Task[None] | None = None

    def follow(self, wanted: bool) -> None:
        """Watch the files, where there are some, or no longer."""
        wanted = wanted and bool(self._files())
        if wanted and self._watching is None:
            self._watching = self._tasks.start("watch over the files", self._watch.run())
        elif not wanted and self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def mode(self, others: str) -> str:
        """The way in which changes are noticed: `off`, `events`, or `polling: REASON`; `others` is the reason why other
        files are polled, "" when they are not."""
        polls = (self._watch.polls if self._watching is not None else "") or others
        return f"polling: {polls}" if polls else "off" if self._watching is None else "events"
