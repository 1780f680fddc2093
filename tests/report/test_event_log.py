"""The ring of events: bounded, numbered, and waited for."""

import asyncio
import threading

from lbd.report.event_log import KEPT, EventLog
from tests.waiting import turn


def numbers(found):
    return [event["number"] for event in found["events"]]


def test_events_are_numbered_and_asked_for_by_number():
    events = EventLog()
    events.note({"event": "one"})
    events.note({"event": "two", "odd": object})
    assert events.since(0)["events"][0] == {"number": 1, "event": "one"}
    assert (numbers(events.since(1)), events.since(1)["last"]) == ([2], 2)
    assert events.since(2) == {"events": [], "last": 2}


def test_a_number_from_before_a_restart_means_all():
    events = EventLog()
    events.note({"event": "one"})
    assert numbers(events.since(700)) == [1]


def test_only_so_many_are_kept():
    events = EventLog()
    for _ in range(KEPT + 10):
        events.note({"event": "one"})
    assert numbers(events.since(0)) == list(range(11, KEPT + 11))


async def test_who_waits_hears_of_the_next_one_from_any_thread():
    events = EventLog()
    events.note({"event": "one"})
    waiting = asyncio.ensure_future(events.wait(1, 10.0))
    await turn()
    thread = threading.Thread(target=events.note, args=({"event": "two"},))
    thread.start()
    assert numbers(await waiting) == [2]
    thread.join()


async def test_nothing_happens_in_time():
    assert await EventLog().wait(0, 0.0) == {"events": [], "last": 0}
