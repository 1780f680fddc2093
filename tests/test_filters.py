"""The table of filters."""

from lbd import schema
from lbd.filters import FILTERS, built_in
from tests.filters.asked import CONTEXT, place


def test_the_order_is_that_of_the_table() -> None:
    every = place(schema.RouteConfig(strip_prefix="/a"), schema.ListenerTls((), hsts=1.0, client_ca="x"),
                  schema.TracingConfig(enabled=True), host="h", sticky=schema.Sticky(),
                  request_headers=schema.HeaderEdits(remove=("X",)))
    assert [type(one).__name__ for one in built_in(every, CONTEXT)] == [
        "StickyCookie", "Hsts", "StripPrefix", "Headers", "Host", "ClientCertificate", "Trace"]
    assert list(FILTERS) == [
        "explain", "sticky", "hsts", "strip_prefix", "headers", "host", "client_certificate", "trace"]


def test_every_filter_tells_what_it_does() -> None:
    every = place(schema.RouteConfig(strip_prefix="/a"), schema.ListenerTls((), hsts=1.0, client_ca="x"),
                  schema.TracingConfig(enabled=True), host="h", sticky=schema.Sticky(),
                  request_headers=schema.HeaderEdits(remove=("X",)))
    for one in built_in(every, CONTEXT):
        assert one.describe() != type(one).__name__


def test_a_plain_route_has_none() -> None:
    assert built_in(place(), CONTEXT) == []
