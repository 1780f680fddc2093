"""lbd.simulation.worker_timer: a server that backs off is tried again, and then the timer rests."""

import pytest

from lbd import schema
from lbd.simulation.events import EventQueue
from lbd.simulation.fleet import from_words, parse
from lbd.simulation.scenario import Scenario, SimulatedWorker
from lbd.simulation.worker_timer import INTERVAL, WorkerTimer
from lbd.simulation.workload import FIRST
from lbd.stats.scoreboard import Board, freeze


def test_a_server_is_tried_again_after_its_back_off() -> None:
    scenario = Scenario(from_words(parse("5ms,5ms"), 1), [], 1, 0, [], 1)
    settings = schema.BackendConfig(servers=scenario.fleet.settings.servers)
    worker = SimulatedWorker(Board.create(1), 0, scenario, settings)
    events = EventQueue(lambda now, flight, ending: None)
    server = worker.servers["a"]
    try:
        events.advance(FIRST)
        server.backoff.until = FIRST + 2.5 * INTERVAL
        timer = WorkerTimer([worker], events)
        timer.start(FIRST)
        timer.start(FIRST)
        for _ in range(3):
            assert server.backoff.until
            events.run_next()
        assert not server.backoff.until
        assert events.now == pytest.approx(FIRST + 3 * INTERVAL)
        with pytest.raises(IndexError):
            events.run_next()
    finally:
        freeze(None)
