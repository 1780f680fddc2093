"""The lifecycle: ready only between start and stop."""

from lbd.control.lifecycle import READY, STOPPING, Lifecycle


def test_only_one_state_is_ready():
    life = Lifecycle()
    assert not life.is_ready
    assert life.uptime >= 0.0
    life.state = READY
    assert life.is_ready
    life.state = STOPPING
    assert not life.is_ready
    assert not life.stop.is_set()
    assert not life.cut.is_set()
