"""The table: nothing is changed by GET, and everyone may see only what is for everyone."""

from lbd.admin.routes import ROUTES, SHOWN
from lbd.admin.token import ROLES


def test_each_path_once_and_for_a_known_role():
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)
    assert {route.role for route in ROUTES} <= {"", *ROLES}
    assert {route.path for route in ROUTES if not route.role} == {"/healthz", "/readyz", "/", "/page/{file}"}


def test_get_only_reads_and_nothing_else_does():
    assert {route.role for route in ROUTES if route.method == "GET"} == {"", "read"}
    assert {route.role for route in ROUTES if route.method not in ("GET", "POST")} == {"operate", "register"}


def test_the_metrics_have_nothing_that_changes():
    assert {route.method for route in SHOWN} == {"GET"}
