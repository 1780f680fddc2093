"""Consistent hash: what moves when servers come and go, bounded loads, and rings that stay small."""

import pytest

from lbd.balance.consistent_hash import MEAN_POINTS, POINTS, RING_POINTS, ConsistentHash, points
from tests.balance.fleet import Fleet, Request, picks, urls


@pytest.mark.parametrize("size", [3, 10, 50])
def test_a_new_server_takes_its_share_and_nothing_else_moves(size: int) -> None:
    before = picks(Fleet([1] * size).make(ConsistentHash), urls(10_000))
    after = picks(Fleet([1] * (size + 1)).make(ConsistentHash), urls(10_000))
    moved = [new for new, old in zip(after, before, strict=True) if new != old]
    assert set(moved) == {f"s{size}"}
    assert len(moved) * (size + 1) / 10_000 == pytest.approx(1, rel=0.35)


def test_one_key_has_one_server() -> None:
    one = Fleet([1] * 10).make(ConsistentHash, key="cookie:user")
    assert len(set(picks(one, [Request(request.target, fields={b"cookie": b"user=u5"}) for request in urls(50)]))) == 1


def test_no_server_is_above_its_share_by_more_than_the_factor() -> None:
    fleet = Fleet([1, 1, 1, 1])
    workers = [fleet.make(ConsistentHash, worker=worker, key="path", balance_factor=1.25) for worker in range(4)]
    for turn in range(400):
        server = workers[turn % 4].pick(Request(b"/hot"))
        fleet.load(server.slot, 1, lane=turn % 4)
        assert max(fleet.loads()) <= 1.25 * (turn + 1) / 4 + 1
    assert sorted(fleet.loads())[-1] <= 126


def test_a_key_comes_home_when_there_is_room_again() -> None:
    fleet = Fleet([1, 1, 1, 1])
    one = fleet.make(ConsistentHash, balance_factor=1.5)
    home = one.pick(Request())
    fleet.load(home.slot, 50)
    assert one.pick(Request()) is not home
    fleet.load(home.slot, -50)
    assert one.pick(Request()) is home


def test_points_are_160_per_weight_while_the_ring_is_small() -> None:
    assert points([1, 2, 3]) == [160, 320, 480]
    assert points([1] * 5000) == [POINTS] * 5000


@pytest.mark.parametrize("weights", [[1000] * 5000, [1000] + [1] * 4999, list(range(1, 1001)), [1000]])
def test_points_are_bounded_and_by_weight(weights: list[int]) -> None:
    found = points(weights)
    assert min(found) >= 1
    assert sum(found) <= min(MEAN_POINTS * len(weights), RING_POINTS) + len(weights)
    heavy = max(range(len(weights)), key=weights.__getitem__)
    assert found[heavy] / sum(found) == pytest.approx(weights[heavy] / sum(weights), rel=0.05)
