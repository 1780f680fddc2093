"""Passive ejection, with figures and a clock that the test makes."""

import pytest

from lbd.backend.outlier import EJECTED, NOT_ENFORCED, RETURNED, TOO_MANY, FailureCounts, Outliers, Streak
from lbd.schema import Outlier

A, B, C = (("app", name, f"10.0.0.{place}:80") for place, name in enumerate("abc", 1))


def outliers(servers=(A, B, C), **settings):
    made = Outliers(Outlier(**{"consecutive": 5, "base": 30.0, "max": 300.0, "max_ejected": 0.5, **settings}))
    made.keep_only(list(servers))
    return made


class Lanes:
    """Failure counts of one server by two workers."""

    def __init__(self):
        self.failures = [0.0, 0.0]
        self.succeeded = [0.0, 0.0]
        self.time = 0.0

    def fail(self, lane, times=1):
        self.failures[lane] += times

    def succeed(self, lane):
        self.time += 1
        self.failures[lane] = 0.0
        self.succeeded[lane] = self.time

    def figures(self):
        return FailureCounts(tuple(self.failures), tuple(self.succeeded))


def test_failures_of_all_lanes_are_one_streak():
    lanes, streak = Lanes(), Streak()
    lanes.fail(0, 2)
    lanes.fail(1, 2)
    assert streak.count(lanes.figures()) == 4
    lanes.fail(1)
    assert streak.count(lanes.figures()) == 5


def test_a_success_in_one_lane_ends_the_streak_in_all():
    lanes, streak = Lanes(), Streak()
    lanes.fail(0, 4)
    lanes.fail(1, 4)
    lanes.succeed(0)
    lanes.fail(0)
    assert streak.count(lanes.figures()) == 1
    lanes.fail(1, 3)
    assert streak.count(lanes.figures()) == 4
    lanes.succeed(1)
    assert streak.count(lanes.figures()) == 0


def test_a_server_that_fails_every_third_request_has_no_streak_however_many_lanes_there_are():
    figures, streak = FailureCounts([0.0] * 64, [0.0] * 64), Streak()
    for request in range(640):
        lane = request % 64
        if request % 3 == 0:
            figures.failures[lane] += 1
        else:
            figures.failures[lane] = 0.0
            figures.succeeded[lane] = float(request)
        assert streak.count(figures) <= 1


def test_a_lane_that_died_or_came_later():
    lanes, streak = Lanes(), Streak()
    lanes.succeed(1)
    lanes.fail(0, 3)
    streak.begin(lanes.figures())
    lanes.fail(0)
    lanes.failures.append(2.0)
    lanes.succeeded.append(0.0)
    assert streak.count(lanes.figures()) == 3
    lanes.failures[0] = lanes.succeeded[0] = 0.0
    assert streak.count(lanes.figures()) == 2
    lanes.fail(0)
    assert streak.count(lanes.figures()) == 3


def failing(outliers, now, *servers, times=5):
    """The servers fail so often more; returns what is decided."""
    for server in servers:
        lanes.setdefault(server, Lanes()).fail(0, times)
    return [(d.server, d.what) for d in outliers.judge(now, {s: lanes[s].figures() for s in servers})]


lanes: dict = {}


@pytest.fixture(autouse=True)
def fresh():
    lanes.clear()


def test_ejection_and_return():
    some = outliers()
    assert failing(some, 0.0, A, times=4) == []
    assert failing(some, 0.1, A, times=1) == [(A, EJECTED)]
    assert some.ejected(A)
    assert some.judge(30.0, {}) == []
    assert [d.what for d in some.judge(30.1, {})] == [RETURNED]
    assert not some.ejected(A)
    assert failing(some, 30.2, A, times=4) == []


def test_each_ejection_is_longer_up_to_the_longest_and_good_times_make_up_for_it():
    some = outliers(max=70.0)
    now, seconds = 0.0, []
    for _ in range(4):
        failing(some, now, A)
        seconds.append(some.cases[A].seconds)
        now = some.cases[A].until
        some.judge(now, {})
    assert seconds == [30.0, 60.0, 70.0, 70.0]
    failing(some, now + 95.0, A)
    assert some.cases[A].seconds == 60.0


def test_never_more_than_the_share_of_a_backend():
    some = outliers()
    assert failing(some, 0.0, A) == [(A, EJECTED)]
    assert failing(some, 0.1, B) == [(B, TOO_MANY)]
    assert failing(some, 0.2, B) == []
    some.judge(30.0, {})
    assert failing(some, 30.1, B) == [(B, EJECTED)]
    assert some.cases[B].counts == {TOO_MANY: 1, EJECTED: 1}


@pytest.mark.parametrize(("share", "servers", "out"), [
    (0.5, 1, 0), (0.5, 2, 1), (1.0, 2, 2), (0.0, 2, 0), (0.34, 3, 1)])
def test_shares(share, servers, out):
    some = outliers((A, B, C)[:servers], max_ejected=share)
    decided = [failing(some, 0.0, server)[0][1] for server in (A, B, C)[:servers]]
    assert decided.count(EJECTED) == out


def test_passing_checks_end_it_early():
    some = outliers()
    failing(some, 0.0, A)
    assert some.passed(A, 7, 2, 1.0) is None
    assert some.passed(A, 1, 2, 2.0) is None
    assert some.passed(A, 2, 2, 3.0) is not None
    assert not some.ejected(A)
    assert some.passed(A, 3, 2, 4.0) is None
    assert some.passed(("app", "x", ""), 3, 2, 4.0) is None


def test_without_enforcement_it_only_counts_once_a_period():
    some = outliers(enforce=False)
    assert failing(some, 0.0, A) == [(A, NOT_ENFORCED)]
    assert failing(some, 1.0, A) == []
    assert failing(some, 31.0, A) == [(A, NOT_ENFORCED)]
    assert not some.ejected(A)
    assert some.cases[A].counts == {NOT_ENFORCED: 2}


def test_servers_come_and_go():
    some = outliers()
    failing(some, 0.0, A)
    some.keep_only([A])
    assert some.ejected(A)
    some.keep_only([B])
    assert not some.ejected(A)
    assert some.judge(1.0, {A: FailureCounts([9.0], [0.0])}) == []
