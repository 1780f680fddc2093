"""Tests of lbd.schema.packed: what comes out of a pickle is what went in."""

import copy
import pickle
from dataclasses import dataclass, fields

import pytest

from lbd.schema import ServerConfig
from lbd.schema.packed import packed
from lbd.schema.units import Address


@packed
@dataclass(frozen=True, slots=True)
class Pair:
    first: str = "a"
    second: object = None


@pytest.mark.parametrize("one", [
    Pair(), Pair("b", Pair()), Address("127.0.0.1", 80), Address(path="/run/x"), Address("a.example", 443, tls=True),
    ServerConfig(Address("::1", 1), weight=3, max_conns=7, backup=True, mode="maint")])
def test_it_comes_back(one: object) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(one, protocol)) == one
    assert copy.deepcopy(one) == one
    assert "__reduce__" in vars(type(one))
    assert one.__reduce__()[1] == tuple(getattr(one, field.name) for field in fields(one))  # type: ignore
