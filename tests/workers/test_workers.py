"""The living workers: added, serving, retired, gone."""

from lbd.workers.workers import Workers


class Worker:
    """A worker of a slot."""

    def __init__(self, slot, born=0.0):
        self.slot = slot
        self.born = born


def test_workers_by_slot_and_age():
    workers = Workers()
    old, new, other = Worker(1, 1.0), Worker(1, 2.0), Worker(0, 3.0)
    for process in (new, other, old):
        workers.add(process)
    assert workers.by_slot() == [other, old, new]
    assert workers.serving == {}


def test_a_successor_serves_in_place_of_the_worker_before():
    workers = Workers()
    old, new = Worker(0), Worker(0)
    for process in (old, new):
        workers.add(process)
        workers.serve(process)
    assert workers.serving == {0: new}
    assert not workers.remove(old)
    assert workers.remove(new)
    assert list(workers) == []
    assert workers.changed.is_set()


def test_workers_beyond_the_wanted_slots_retire_and_live_on():
    workers = Workers()
    processes = [Worker(slot) for slot in range(3)]
    for process in processes:
        workers.add(process)
        workers.serve(process)
    assert workers.retire_beyond(1) == processes[1:]
    assert workers.serving == {0: processes[0]}
    assert len(list(workers)) == 3
