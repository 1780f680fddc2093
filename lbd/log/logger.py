"""The daemon's own log: one structured line per event, coloured on a terminal, JSON elsewhere."""

import os
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

# structlog loads rich where it finds it, for tracebacks in colour that lbd does not show: 80 ms and 5 MiB for every
# process of the daemon.
_loaded: dict[str, Any] = sys.modules
_loaded.setdefault("rich", None)

import structlog  # noqa: E402
from structlog.typing import FilteringBoundLogger, Processor  # noqa: E402

if _loaded["rich"] is None:
    del _loaded["rich"]

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_SECRET = ("token", "password", "secret", "authorization", "cookie")

Event = Mapping[str, Any]

logger: FilteringBoundLogger = structlog.get_logger()

MOST_TRACEBACKS = 10   # a second, of one process: a fault that happens once mostly happens again and again

FORMS = ("json", "console", "color")


def form_for(wanted: str, fd: int) -> str:
    """The form (of `FORMS`) for the configured one (`auto`, `json`, `console`) and the descriptor that lines go to."""
    if wanted == "json":
        return "json"
    try:
        terminal = os.isatty(fd)
    except OSError:
        terminal = False
    if terminal:
        return "color"
    return "console" if wanted == "console" else "json"


class Tracebacks:
    """The bound of events with a traceback per second: those beyond it are left out, and the next event that an error
    is told by says how many they were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = float("-inf")
        self._count = 0
        self.left_out = 0

    def __call__(self, _logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        now = self._clock()
        if now - self._began >= 1.0:
            self._began, self._count = now, 0
        if event.get("exc_info"):
            self._count += 1
            if self._count > MOST_TRACEBACKS:
                self.left_out += 1
                raise structlog.DropEvent
        if self.left_out and self._count <= 1 and LEVELS.get(method, LEVELS["error"]) >= LEVELS["error"]:
            event["tracebacks_left_out"] = self.left_out
            self.left_out = 0
        return event


_tracebacks = Tracebacks()     # of this process, however often the log is set up


def set_up(level: str, form: str, write: Callable[[str], None], note: Callable[[Event], None] | None = None,
           **always: Any) -> None:
    """Send every event of at least `level` through `write`, a line at a time, ending in a newline.

    `form` is one of `FORMS`; `note` gets every event of at least `info`, whatever the level; `always` are fields of
    every line. May be called again at any time.
    """
    least = LEVELS[level]

    def kept(_logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        number = LEVELS.get(method, LEVELS["error"])
        if note is not None and number >= LEVELS["info"]:
            note(event)
        if number < least:
            raise structlog.DropEvent
        return event

    def bind(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**always, **event}

    rendered: list[Processor] = [structlog.processors.JSONRenderer(default=str)]
    if form != "json":
        rendered = [_for_a_terminal, structlog.dev.ConsoleRenderer(colors=form == "color", pad_event_to=0)]
    structlog.configure(
        processors=[
            bind,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _tracebacks,
            structlog.processors.format_exc_info,
            _hide_secrets,
            kept,
            *rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least if note is None else min(least, LEVELS["info"])),
        logger_factory=lambda *_: _Lines(write),
        cache_logger_on_first_use=False,
    )


def printable(value: object) -> str:
    """The text without control characters: parts of it come from peers, and a terminal obeys them."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in str(value))


def write_stderr(line: str) -> None:
    """Write a whole line to standard error, in one write where the kernel allows; a closed or full pipe loses it."""
    try:
        os.write(2, line.encode(errors="backslashreplace"))
    except OSError:
        return


class _Lines:
    """The logger that structlog calls with a rendered event."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def msg(self, text: str) -> None:
        self._write(text + "\n")

    debug = info = warning = error = critical = exception = msg


def _for_a_terminal(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """JSON escapes what a terminal would obey; here it is replaced. An exception keeps its lines."""
    for name, value in event.items():
        if name in ("exception", "stack"):
            event[name] = "\n".join(map(printable, str(value).split("\n")))
        elif not (text := value if isinstance(value, str) else repr(value)).isprintable():
            event[name] = printable(text)
    return event


def _hide_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if any(word in name.lower() for word in _SECRET):
            event[name] = "(hidden)"
    return event
