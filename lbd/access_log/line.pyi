"""Lines of the access log, made in one buffer: JSON, or the common log format with or without its combined fields."""

from collections.abc import Sequence
from typing import final

from lbd.stats.scoreboard import Record

LONGEST: int       # bytes of one value from a client; what is longer is cut
BATCH: int         # lines after which they are to be written, at the latest with the next tick of the clock

@final
class LineFormatter:
    """The lines that wait to be written. Bytes beyond ASCII and control characters are escaped: a line is one line."""

    count: int      # lines
    size: int       # bytes
    full: bool      # they are to be written now
    zero: float     # Unix time of the moment at which `scoreboard.now` began to count

    def __init__(self, form: str, columns: Sequence[str], sample: float, generation: int, worker: int) -> None:
        """`form` is json, common or combined; `columns` are of `columns.NAMES`, or `header:NAME`, and for json only.

        `sample` (0 to 1) is the share of what is written of the requests that went well; what ended otherwise, or with
        a status from 500 on, is always written. ValueError for what is not known.
        """
    def add(self, record: Record, listener: str, route: int, backend: str, server: str | None, client: bytes,
            head: bytes, minor: int, bytes_in: int, bytes_out: int, ending: int, reason: str | None = None,
            port: int = -1) -> None:
        """The request that `record` has just finished. `head` begins with the head of the request, b"" if there was
        none; `route` is -1 and `backend` "" where there is none, and so is `port`, that of the client."""
    def refused(self, started: float, ended: float, listener: str, client: bytes, status: int, head: bytes, minor: int,
                bytes_in: int, bytes_out: int, ending: int, reason: str | None = None, port: int = -1) -> None:
        """Something that never became a request, at that time of `scoreboard.now`."""
    def look_at_clock(self) -> None:
        """To be called before the first line of a batch: a wall clock that was set meanwhile is followed."""
    def take(self) -> bytes:
        """All lines, and begin anew."""
