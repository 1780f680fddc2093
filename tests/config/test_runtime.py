"""Wishes, overrides and registrations: read, refused, and written so that they are read again."""

import pytest

from lbd.config.runtime import Override, OverrideRequest, RegistrationRequest, SavedRegistration, from_table, to_table
from lbd.errors import ConfigError
from lbd.schema.units import Address


def test_requests_for_overrides():
    wish = from_table(OverrideRequest, {"mode": "drain", "for": "10m", "weight": None, "reason": "disk"})
    assert (wish.mode, wish.for_, wish.weight, wish.reason) == ("drain", 600.0, None, "disk")


@pytest.mark.parametrize(("data", "words"), [
    ({"mode": "off"}, 'mode: "off" is not known; must be'), ({"weight": 1001}, "weight: 1001 is out of range"),
    ({"weight": True}, "weight: true is a boolean"), ({"wieght": 1}, 'unknown key; did you mean "weight"'),
    ({"reason": "a\nb"}, "cannot be printed"), ({"reason": "x" * 201}, "is too long"), ({"for": 5}, "without a unit"),
    ([], "a table"), ("x", "a table")])
def test_bad_requests_for_overrides(data, words):
    with pytest.raises(ConfigError) as caught:
        from_table(OverrideRequest, data)
    assert words in str(caught.value)


@pytest.mark.parametrize("data", [
    {}, {"address": "10.0.0.1"}, {"address": "10.0.0.1:80", "ttl": "0s"}, {"address": "10.0.0.1:80", "ttl": "2d"},
    {"address": "10.0.0.1:80", "tags": ["x"] * 33}, {"address": "10.0.0.1:80", "tags": [1]}, {"address": 5}])
def test_bad_offers(data):
    with pytest.raises(ConfigError):
        from_table(RegistrationRequest, data)


@pytest.mark.parametrize("value", [
    SavedRegistration("app", "b", RegistrationRequest(Address("::1", 80), 3, 5, 15.0, ("x", "y")), "me"),
    SavedRegistration("app", "b", RegistrationRequest(Address("h", 1))),
    Override("app", "a", "drain", 0, 7, "down", "me", "why", 5.0, 6.5), Override("app")])
def test_written_and_read_again(value):
    assert from_table(type(value), to_table(value)) == value
