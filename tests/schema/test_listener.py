"""Tests of lbd.schema.listener: keys of listeners and routes."""

from lbd.schema.keys import REQUIRED, keys
from lbd.schema.listener import Listener, Redirect, Route


def test_a_listener_must_say_where_it_listens() -> None:
    assert keys(Listener)["bind"][1].default is REQUIRED
    assert keys(Redirect)["to"][1].default is REQUIRED


def test_a_route_without_conditions_takes_everything() -> None:
    route = Route()
    assert (route.host, route.path, route.method, route.header) == (None, None, (), {})
