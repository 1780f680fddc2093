"""`/v1/explain`."""

import json

from lbd.admin import app
from lbd.errors import LbdError


async def test_the_question_is_passed_on(daemon, ask):
    path = "/v1/explain?url=http%3A%2F%2Fx%2Fy&method=PUT&header=A%3A+b&header=C%3A+d&from=10.0.0.1&listener=web"
    status, _, text = await ask(app.admin(daemon, None), "GET", path)
    assert (status, json.loads(text)) == (
        200, {"question": ["PUT", "http://x/y", ["A: b", "C: d"], "10.0.0.1", "web"]})


async def test_a_client_that_is_no_address_is_refused(daemon, ask):
    assert (await ask(app.admin(daemon, None), "GET", "/v1/explain?url=http://x/&from=me"))[0] == 400


async def test_what_means_nothing_is_refused_with_the_reason(daemon, ask):
    daemon.error = LbdError("'x' is no URL")
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/explain?url=x")
    assert (status, json.loads(text)["detail"]) == (400, "'x' is no URL")


async def test_a_ticket_for_a_live_request(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "POST", "/v1/explain")
    assert (status, json.loads(text)["ticket"]) == (201, "0123")
    daemon.error = LbdError("a worker did not take it")
    assert (await ask(app.admin(daemon, None), "POST", "/v1/explain"))[0] == 503


async def test_the_queries_are_described(daemon, ask):
    _, _, text = await ask(app.admin(daemon, None), "GET", "/v1/openapi.json")
    parameters = json.loads(text)["paths"]["/v1/explain"]["get"]["parameters"]
    assert [parameter["name"] for parameter in parameters] == ["method", "url", "header", "from", "listener"]
    assert all(parameter["in"] == "query" for parameter in parameters)
