"""The interface of what carries bytes between connections: `lbd.net.splice` is its one implementation."""

from lbd.net.carrier import Carrier
from lbd.net.splice import Relay


def test_relays_are_carriers() -> None:
    assert issubclass(Relay, Carrier)
