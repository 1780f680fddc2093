"""Least time: the fast get most, the slow a trickle that notices when they are fast again."""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random

import pytest

from lbd.balance.least_time import LeastTime, TimeOptions
from lbd.stats import endings, scoreboard
from lbd.stats.scoreboard import BACKEND, PROCESS, ROUTE, Record
from tests.balance.fleet import Fleet, Request, picks


class Play:
    """Steady load on a fleet, in simulated time: 4 workers, so many requests at a time, services of given seconds."""

    def __init__(self, fleet: Fleet, concurrency: int, seconds: Callable[[int, float], float]) -> None:
        self.fleet = fleet
        self.seconds = seconds
        self.random = Random(1)
        self.workers = [fleet.make(LeastTime, worker=worker) for worker in range(4)]
        self.events: list[tuple[float, int, Record]] = []
        self.seen: list[tuple[float, int]] = []
        for number in range(concurrency):
            record = Record(fleet.board.row(number % 4, PROCESS, 0))
            heapq.heappush(self.events, (1000 + number * 0.001, number, record))

    def until(self, end: float) -> Counter[int]:
        """Play on until that time; how many requests each server got."""
        begun = len(self.seen)
        while self.events[0][0] < end:
            moment, number, record = heapq.heappop(self.events)
            lane = number % 4
            scoreboard.freeze(moment)
            record.head(200)
            record.finish(endings.OK, 0, 0)
            record.begin(self.fleet.board.row(lane, ROUTE, 0), self.fleet.board.row(lane, BACKEND, 0))
            server = self.workers[lane].pick(Request())
            record.took(self.fleet.row(server.slot, lane))
            self.seen.append((moment, server.slot))
            spent = self.random.expovariate(1 / self.seconds(server.slot, moment))
            heapq.heappush(self.events, (moment + spent, number, record))
        return Counter(slot for _, slot in self.seen[begun:])


def test_shares_follow_speed_and_everyone_gets_a_trickle() -> None:
    play = Play(Fleet([1, 1, 1]), 12, lambda slot, _: (0.005, 0.020, 0.080)[slot])
    play.until(1010)
    found = play.until(1030)
    total = sum(found.values())
    assert found[0] / total > 0.6
    assert found[0] > found[1] > found[2] > 0


def test_a_slow_server_that_gets_fast_has_its_share_within_three_decays() -> None:
    play = Play(Fleet([1, 1, 1]), 32, lambda slot, moment: (0.005, 0.020, 0.080 if moment < 1015 else 0.005)[slot])
    play.until(1045)
    found = play.until(1050)
    assert found[2] == pytest.approx(found[0], rel=0.1)


def test_a_server_that_gets_slow_loses_its_share() -> None:
    play = Play(Fleet([1, 1, 1]), 12, lambda slot, moment: 0.100 if slot == 0 and moment > 1020 else 0.005)
    before = play.until(1020)
    assert before[0] == pytest.approx(before[1], rel=0.1)
    play.until(1022)
    after = play.until(1030)
    assert after[0] < 0.1 * after[1]


def test_a_cold_server_does_not_win_every_pick() -> None:
    fleet = Fleet([1, 1, 1])
    for slot in (0, 1):
        fleet.answer(slot, 1000.0, 0.010)
    algorithm = fleet.make(LeastTime)
    for _ in range(30):
        fleet.load(algorithm.pick(Request()).slot, 1)
    assert fleet.loads() == [10, 10, 10]


def test_weights_count() -> None:
    fleet = Fleet([4, 1])
    for slot in (0, 1):
        fleet.answer(slot, 1000.0, 0.010)
    algorithm = fleet.make(LeastTime)
    for _ in range(50):
        fleet.load(algorithm.pick(Request()).slot, 1)
    assert fleet.loads() == [40, 10]


def test_works_without_figures_of_the_backend() -> None:
    fleet = Fleet([1, 1])
    context = fleet.context()
    algorithm = LeastTime(TimeOptions(), type(context)(context.board, context.worker, context.random))
    algorithm.rebuild(fleet.servers)
    assert picks(algorithm, 4) == ["s0", "s1", "s0", "s1"]


def test_says_how_latency_is_measured() -> None:
    one = Fleet([1]).make(LeastTime, measure="last-byte", decay=3.0)
    assert (one.last_byte, one.decay) == (True, 3.0)
    default: Sequence[object] = (TimeOptions().measure, TimeOptions().decay)
    assert default == ("header", 10.0)
