"""The target of a route."""

from lbd.routing.answers import no_route
from lbd.routing.target import RouteTarget
from tests import built


def test_a_target_is_plain_unless_it_answers_itself() -> None:
    known = built.target(3)
    assert (known.index, known.plain, known.logged, known.onward) == (3, True, True, None)
    assert not RouteTarget(known.row, known.backend, no_route).plain
