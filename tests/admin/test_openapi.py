"""The description: complete, well-formed, and true for bodies made by it."""

import json

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.admin import app
from lbd.admin.openapi import body, describe
from lbd.admin.routes import ROUTES
from lbd.config.runtime import OverrideRequest, RegistrationRequest, from_table
from lbd.errors import ConfigError, LbdError, NotReady


async def test_served_with_every_route(daemon, ask):
    status, _, text = await ask(app.admin(daemon, None), "GET", "/v1/openapi.json")
    document = json.loads(text)
    assert (status, document["openapi"]) == (200, "3.1.0")
    assert {(method.upper(), path) for path, found in document["paths"].items() for method in found} == {
        (route.method, route.path) for route in ROUTES}
    names = [operation["operationId"] for found in document["paths"].values() for operation in found.values()]
    assert len(set(names)) == len(names)


CHANGES = [("POST", "/v1/reload"), ("POST", "/v1/rollback"), ("POST", "/v1/upgrade"), ("POST", "/v1/plan"),
           ("POST", "/v1/confirm"), ("PATCH", "/v1/backends/{backend}"), ("DELETE", "/v1/overrides"),
           *((method, "/v1/backends/{backend}/servers/{server}") for method in ("PUT", "PATCH", "DELETE"))]


@pytest.mark.parametrize(("method", "path", "error", "wanted"), [
    *((*change, NotReady("lbd is starting"), {503}) for change in CHANGES),
    *((*change, LbdError("no"), {409, 503}) for change in CHANGES),
    ("POST", "/v1/reload", ConfigError([]), {422}), ("POST", "/v1/plan", ConfigError([]), {422})])
async def test_a_refused_change_has_a_status_that_is_described(daemon, ask, method, path, error, wanted):
    daemon.error = daemon.runtime_changes.error = error
    body = '{"address": "10.0.0.1:80"}' if method == "PUT" else '{"mode": "drain"}' if method == "PATCH" else None
    status, _, text = await ask(app.admin(daemon, None), method, path.format(backend="app", server="a"), body=body)
    assert status in wanted, text
    described = describe(ROUTES)["paths"][path][method.lower()]["responses"]
    assert str(status) in described
    assert status != 503 or "starts or stops" in described["503"]["description"]


def test_every_path_parameter_is_described():
    for path, found in describe(ROUTES)["paths"].items():
        for operation in found.values():
            names = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert names == {part[1:-1] for part in path.split("/") if part.startswith("{")}


ANYTHING = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
WISHES = st.fixed_dictionaries({}, optional={
    "mode": st.sampled_from(["ready", "drain", "maint", "off", None]), "weight": st.integers(-1, 1001) | ANYTHING,
    "health": st.sampled_from(["up", "down", "ejected"]), "reason": st.text(max_size=300), "for": st.sampled_from(
        ["1s", "1h", "0s", "1", 5])})
OFFERS = st.fixed_dictionaries({}, optional={
    "address": st.sampled_from(["10.0.0.1:80", "[::1]:80", "x", ":80"]) | ANYTHING, "ttl": st.sampled_from(["5s", "x"]),
    "tags": st.lists(st.text(max_size=300)) | ANYTHING, "weight": ANYTHING})


@pytest.mark.parametrize(("cls", "made"), [
    (OverrideRequest, WISHES), (RegistrationRequest, OFFERS),
    (OverrideRequest, ANYTHING), (RegistrationRequest, ANYTHING)])
def test_what_is_read_fulfils_the_description(cls, made):
    validator = jsonschema.Draft202012Validator(body(cls))

    @settings(deadline=None)
    @given(made)
    def check(data):
        try:
            from_table(cls, data)
        except ConfigError:
            return
        validator.validate(data)

    check()
