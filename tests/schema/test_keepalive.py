"""Tests of lbd.schema.keepalive: how it may be written, and what is no such thing."""

import pytest

from lbd.schema.keepalive import KEEPALIVE, OFF, Keepalive


@pytest.mark.parametrize(("value", "settings"), [
    (True, Keepalive(120.0, 30.0, 4)), (False, OFF), ({"idle": "1m"}, Keepalive(60.0, 30.0, 4)),
    ({"idle": "5m", "interval": "10s", "count": 9}, Keepalive(300.0, 10.0, 9)), ({}, Keepalive()),
])
def test_what_may_be_written(value: object, settings: Keepalive) -> None:
    assert KEEPALIVE.parse(value) == settings
    assert KEEPALIVE.write is not None
    assert KEEPALIVE.parse(KEEPALIVE.write(settings)) == settings


@pytest.mark.parametrize(("value", "error"), [
    ("2m", "is a string"), (5, "is an integer"), ({"idel": "2m"}, 'has an unknown key "idel"'),
    ({"idle": 5}, 'the key "idle", which is a number without a unit'), ({"idle": "1ms"}, "is too short"),
    ({"interval": "10h"}, "is too long"), ({"count": 0}, 'the key "count", which is out of range'),
])
def test_what_is_no_keepalive(value: object, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        KEEPALIVE.parse(value)
