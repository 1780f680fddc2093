"""Tests of lbd.routing.rejections: why a connection was refused is in the daemon's log, and no flood fills it."""

from typing import Any

from lbd.routing.rejections import LINES, Rejections
from lbd.stats import endings


def test_each_ending_has_its_bound_and_the_rest_is_summed_up(told: list[Any]) -> None:
    now = [5.0]
    rejections = Rejections("web", lambda: now[0])
    rejections.tick()
    for _ in range(LINES + 7):
        rejections.log_rejection(b"192.0.2.1", endings.DENIED)
    rejections.log_rejection(b"", endings.PROXY_HEADER, "no PROXY header")
    assert len(told) == LINES + 1
    assert told[0] == {"event": "connection refused", "log_level": "info", "listener": "web", "client": "192.0.2.1",
                       "ending": "denied", "reason": endings.ENDINGS[endings.DENIED].text}
    assert (told[-1]["client"], told[-1]["reason"]) == (None, "no PROXY header")
    told.clear()
    rejections.tick()
    assert told == []
    now[0] += 1.0
    rejections.tick()
    rejections.tick()
    assert told == [{"event": "more connections refused", "log_level": "info", "listener": "web", "ending": "denied",
                     "count": 7}]
    told.clear()
    for _ in range(LINES + 2):
        rejections.log_rejection(b"192.0.2.1", endings.DENIED)
    now[0] += 1.0
    rejections.log_rejection(b"192.0.2.2", endings.DENIED)          # without a tick between
    assert [line.get("count") for line in told[LINES:]] == [2, None]
