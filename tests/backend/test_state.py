"""The states of a server: what each of them allows, and the identity that outlives them."""

import pytest

from lbd.backend.snapshot import Endpoint
from lbd.backend.state import available, identity_of, ready, serves, usable
from lbd.schema.units import Address

SERVER = Endpoint("app", "a", Address("10.0.0.1", 80), 0)


@pytest.mark.parametrize(("changes", "expected"), [
    ({}, (True, True, True, True)),
    ({"weight": 0}, (True, False, False, True)),
    ({"mode": "drain"}, (False, False, False, True)),
    ({"mode": "maint"}, (False, False, False, False)),
    ({"health": "down"}, (False, True, False, False)),
    ({"health": "unknown"}, (False, True, False, False)),
    ({"health": "ejected"}, (False, True, False, False)),
    ({"health": "down", "address": Address("app.example", 80)}, (False, False, False, False)),
])
def test_what_a_state_allows(changes: dict[str, object], expected: tuple[bool, ...]) -> None:
    server = SERVER._replace(**changes)  # type: ignore[arg-type]
    assert (available(server), ready(server), usable(server), serves(server)) == expected


def test_an_identity_is_backend_name_and_address() -> None:
    assert identity_of("app", "a", Address("10.0.0.1", 80)) == SERVER.identity == ("app", "a", "10.0.0.1:80")
    assert SERVER.path == ("app", "a")
