"""One line of the table: what it says by itself, and queries."""

import pytest
from aiohttp.test_utils import make_mocked_request

from lbd.admin.asked import Refused
from lbd.admin.route import Route, query


def test_defaults():
    route = Route("GET", "/x", "read", lambda daemon: None, "text")
    assert (list(route.codes), route.media, route.body, route.query) == ([200], "application/json", None, ())


def test_queries():
    assert query(make_mocked_request("GET", "/x?wait=2s"), "wait", 0.0) == 2.0
    assert query(make_mocked_request("GET", "/x"), "wait", 7.0) == 7.0
    with pytest.raises(Refused, match=r'^wait: "2" has no unit; must be a duration'):
        query(make_mocked_request("GET", "/x?wait=2"), "wait", 0.0)
