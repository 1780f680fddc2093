"""A line of the table: its derived facts, and queries."""

import json

import jsonschema
import pytest
from aiohttp.test_utils import make_mocked_request

from lbd.admin import app
from lbd.admin.daemon_api import Refused
from lbd.admin.route import QUERIES, ApiRoute, query


def test_defaults():
    route = ApiRoute("GET", "/x", "read", lambda daemon: None, "text")
    assert (list(route.codes), route.media, route.body, route.query) == ([200], "application/json", None, ())


def test_queries():
    assert query(make_mocked_request("GET", "/x?wait=2s"), "wait", 0.0) == 2.0
    assert query(make_mocked_request("GET", "/x"), "wait", 7.0) == 7.0
    with pytest.raises(Refused, match=r'^wait: "2" has no unit; must be a duration'):
        query(make_mocked_request("GET", "/x?wait=2"), "wait", 0.0)


@pytest.mark.parametrize(("name", "text", "fine"), [
    ("server", "a", True), ("server", "a@10.0.0.1", True), ("server", "a@::1", True), ("server", "a@x", False),
    ("server", "a/b", False), ("scope", "server,backend", True), ("scope", "server,", False), ("since", "-1", False),
    ("force", "maybe", False), ("from", "10.0.0.300", False)])
def test_what_is_described_is_what_is_read(name, text, fine):
    kind = QUERIES[name]
    try:
        kind.parse(text)
        read = True
    except ValueError:
        read = False
    assert read is fine
    if kind.schema.get("type") == "string" and "pattern" in kind.schema and text != "a@x":
        assert jsonschema.Draft202012Validator(kind.schema).is_valid(text) is fine


async def test_a_mistyped_query_is_refused(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/reload?frce=1")
    assert (status, json.loads(text)["detail"]) == (400, 'unknown query "frce"; did you mean "force"?')
    assert daemon.forced == []
    assert (await ask(app.admin(daemon, None), "GET", "/?x=1"))[0] == 200
