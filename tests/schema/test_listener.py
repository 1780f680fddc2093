"""Tests of lbd.schema.listener: keys of listeners and routes."""

from lbd.schema.keys import REQUIRED, keys
from lbd.schema.listener import ListenerConfig, Redirect, RouteConfig


def test_a_listener_must_say_where_it_listens() -> None:
    assert keys(ListenerConfig)["bind"][1].default is REQUIRED
    assert keys(Redirect)["to"][1].default is REQUIRED


def test_a_route_without_conditions_takes_everything() -> None:
    route = RouteConfig()
    assert (route.host, route.path, route.method, route.header) == (None, None, (), {})
