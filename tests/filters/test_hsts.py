"""Strict-Transport-Security: in whose answers it stands."""

from lbd import schema
from lbd.filters.hsts import Hsts, replaced
from lbd.stats import endings

from .asked import CONTEXT, answer, exchange, place

TLS = schema.ListenerTls((), hsts=86400.0)
FIELD = b"strict-transport-security"


def test_it_replaces_the_servers_own() -> None:
    made = Hsts.of(place(tls=TLS), CONTEXT)
    assert made is not None
    head = answer("Strict-Transport-Security: max-age=1")
    made.on_response(exchange(), head)
    assert head.values(FIELD) == [b"max-age=86400"]
    assert replaced(place(tls=TLS)) == FIELD


def test_the_operators_edits_go_before() -> None:
    edited = place(tls=TLS, response_headers=schema.HeaderEdits(remove=("Strict-Transport-Security",)))
    made = Hsts.of(edited, CONTEXT)
    assert made is not None
    assert replaced(edited) is None
    head, asked = answer(), exchange()
    made.on_response(asked, head)
    assert head.values(FIELD) == []
    head.ending = endings.NO_SERVER
    made.on_response(asked, head)
    assert head.values(FIELD) == [b"max-age=86400"]


def test_without_tls_there_is_none() -> None:
    assert Hsts.of(place(), CONTEXT) is None
    assert Hsts.of(place(tls=schema.ListenerTls(())), CONTEXT) is None
