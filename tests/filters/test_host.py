"""The Host that servers get."""

from lbd.filters.host import Host

from .asked import CONTEXT, exchange, place, request


def test_the_backends_host_replaces_the_clients() -> None:
    made = Host.of(place(host="app.internal"), CONTEXT)
    assert made is not None
    head = request()
    made.on_request(exchange(), head)
    assert head.values(b"host") == [b"app.internal"]
    assert made.describe() == "Host: app.internal"


def test_the_clients_host_stays() -> None:
    assert Host.of(place(), CONTEXT) is None
