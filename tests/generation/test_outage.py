"""The outages that a reload would be."""

from types import SimpleNamespace

import pytest

from lbd.errors import LbdError
from lbd.generation import outage

UP, DOWN = SimpleNamespace(mode="ready", health="up"), SimpleNamespace(mode="ready", health="down")


def test_only_the_loss_of_the_last_one_is_refused():
    outage.refuse({"app": (DOWN,)}, SimpleNamespace(endpoints={"app": (DOWN,), "new": (DOWN,)}))
    outage.refuse({"app": (UP,)}, SimpleNamespace(endpoints={"app": (DOWN, UP)}))
    with pytest.raises(LbdError, match=r"^backends\.app: it has a usable server now and would have none"):
        outage.refuse({"app": (UP,)}, SimpleNamespace(endpoints={"app": (DOWN,)}))


def test_a_backend_is_served_by_one_that_is_up_and_ready():
    assert outage.served((DOWN, UP))
    assert not outage.served((DOWN, SimpleNamespace(mode="drain", health="up")))
    assert not outage.served(())
