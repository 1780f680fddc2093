"""Tests of lbd.proxy.tls: what a listener shows is made once, and anew when something about it changed."""

from pathlib import Path

import pytest

from lbd.backend.credentials import Credentials
from lbd.config import schema
from lbd.config.tls import ListenerTls, Pair
from lbd.errors import LbdError
from lbd.net.certificate import Pem
from lbd.proxy.tls import Faces
from tests.authority import Authority

PLACE = ("listeners", "web")


def listener(**more: object) -> schema.Listener:
    return schema.Listener(bind=(), tls=ListenerTls(certificates=(Pair("a.pem"),)), **more)  # type: ignore[arg-type]


def test_it_lives_on_until_something_changes(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    given = {PLACE: Credentials((Pem("a.pem", authority.issue("a.pem", "a").read_bytes(), b""),))}
    faces = Faces()
    first = faces.of("web", listener(), given)
    assert first is not None
    assert faces.of("web", listener(backlog=5), dict(given)) is first
    assert faces.of("web", listener(mode="tcp"), given) is not first
    renewed = {PLACE: Credentials((Pem("a.pem", authority.issue("a.pem", "a").read_bytes(), b""),))}
    assert faces.of("web", listener(), renewed) is not first
    assert faces.of("web", schema.Listener(bind=()), given) is None


def test_what_is_wrong_is_said_with_its_place() -> None:
    with pytest.raises(LbdError, match=r"^listeners\.web\.tls: there is no certificate"):
        Faces().of("web", listener(), {})
