"""Classes of statuses and buckets, as the scoreboard counts them."""

import pytest

from lbd.stats import fields
from lbd.stats.scoreboard import BACKEND, ROUTE, SERVER, Board


@pytest.mark.parametrize(("status", "place"), [(200, 1), (101, 0), (599, 4), (600, 4), (999, 4), (1000, 5), (0, 5),
                                               (99, 5)])
def test_a_request_counts_in_the_class_of_its_status(board: Board, lane, status, place):
    lane.answer(0, at=10.0, seconds=0.5, status=status)
    counted = board.totals(ROUTE, 0)[fields.ROUTE_REQUESTS:fields.ROUTE_REQUESTS + len(fields.CODES)]
    assert counted == [float(number == place) for number in range(len(fields.CODES))]


@pytest.mark.parametrize(("status", "failures"), [(500, 0), (501, 0), (502, 1), (504, 1), (505, 0)])
def test_answers_that_count_as_failures(board: Board, lane, status, failures):
    lane.answer(0, at=10.0, seconds=0.5, status=status)
    assert board.total(SERVER, 0, fields.SERVER_FAILURES) == failures


@pytest.mark.parametrize("status", [499, 500, 503, 563, 564, 599, 600])
@pytest.mark.parametrize("ranges", [[(500, 500)], [(503, 563)], [(564, 599)], [(500, 599)], [(400, 700)], []])
def test_which_answers_count_is_the_backends_choice(board: Board, lane, status, ranges):
    lane.backend.measure(10.0, False, ranges)
    lane.answer(0, at=10.0, seconds=0.5, status=status)
    expected = any(first <= status <= last for first, last in ranges) and 500 <= status <= 599
    assert board.total(SERVER, 0, fields.SERVER_FAILURES) == expected


def test_a_bound_belongs_to_its_bucket(board: Board, lane):
    lane.answer(0, at=10.0, seconds=0.5)
    lane.answer(0, at=100.0, seconds=61.0)
    totals = board.totals(BACKEND, 0)
    assert totals[fields.BACKEND_RESPONSE + fields.RESPONSE_BOUNDS.index(0.5)] == 1
    assert totals[fields.BACKEND_RESPONSE + len(fields.RESPONSE_BOUNDS)] == 1
    assert totals[fields.BACKEND_RESPONSE + len(fields.RESPONSE_BOUNDS) + 1] == 61.5
