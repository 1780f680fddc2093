"""The interface of transports: every kind has all of its methods."""

import asyncio

import pytest

from lbd.net.secure import Secure
from lbd.net.stream import Sock
from lbd.net.transport import Transport

METHODS = [name for name in vars(Transport) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [Sock, Secure, asyncio.Transport])
def test_every_kind_has_them(kind: type) -> None:
    assert len(METHODS) == 10
    assert [name for name in METHODS if not callable(getattr(kind, name, None))] == []
