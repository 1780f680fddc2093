"""lbd.simulation.workload: requests by chance, the same for the same seed."""

from collections import Counter
from collections.abc import Callable
from random import Random
from statistics import fmean

from lbd.simulation.workload import SimulatedRequest, WorkloadShape, make_request, popular, source, synthetic

Shapes = Callable[..., WorkloadShape]


def facts(asked: SimulatedRequest) -> tuple[object, ...]:
    return tuple(getattr(asked, name) for name in SimulatedRequest.__slots__)


def test_the_seed_decides(shape: Shapes) -> None:
    one, same, other = (list(map(facts, synthetic(shape(seed=seed)))) for seed in (1, 1, 2))
    assert one == same != other


def test_rate_work_workers_and_writes_are_as_asked_for(shape: Shapes) -> None:
    asked = synthetic(shape(requests=20_000, rate=500.0, tail=1.0, writes=0.25, workers=4))
    assert [one.number for one in asked] == list(range(20_000))
    assert abs(asked[-1].at - 40.0) < 2
    assert abs(fmean(one.effort for one in asked) - 1.0) < 0.1
    assert abs(Counter(one.method for one in asked)[b"POST"] / 20_000 - 0.25) < 0.02
    assert min(Counter(one.worker for one in asked).values()) > 4500


def test_without_a_tail_all_are_equal_and_without_a_rate_at_once(shape: Shapes) -> None:
    assert {(one.effort, one.at) for one in synthetic(shape(tail=0.0, rate=0.0))} == {(1.0, 0.0)}


def test_some_are_more_popular() -> None:
    counts = Counter(popular(Random(1), 1000, 50_000))
    assert set(counts) <= set(range(1000))
    assert counts[0] > 5 * counts[100] > 0


def test_every_client_has_its_own_address() -> None:
    addresses = {source(client) for client in range(10_000)}
    assert len(addresses) == 10_000
    assert all(all(0 <= int(part) < 256 for part in address.split(b".")) and address.count(b".") == 3
               for address in addresses)


def test_keys_of_algorithms_name_the_client() -> None:
    asked = make_request(0, 0.0, 1.0, 0, 12, b"10.0.0.1", b"/x", b"GET", ("tenant",))
    assert asked.target == b"/x?tenant=12"
    assert asked.field(b"cookie") == b"tenant=12"
    assert asked.field(b"x-user") == b"12"
    assert make_request(0, 0.0, 1.0, 0, 12, b"10.0.0.1", b"/x?y=1", b"GET", ("tenant",)).target == b"/x?y=1"
