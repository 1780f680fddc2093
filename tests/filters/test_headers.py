"""The operator's fields of requests and of answers."""

from lbd import schema
from lbd.filters.headers import Headers, changes, edits

from .asked import CONTEXT, answer, exchange, place, request

WANTED = schema.HeaderEdits(set={"X-Set": "1"}, add={"X-Add": "2"}, remove=("X-Gone",))


def test_edits_made_ready() -> None:
    assert edits(schema.HeaderEdits()) == ((), b"")
    assert edits(WANTED) == ((b"x-gone", b"x-set"), b"X-Set: 1\r\nX-Add: 2\r\n")
    assert changes(edits(WANTED)) == "-x-gone, -x-set, +X-Set: 1, +X-Add: 2"


def test_edits_of_a_request() -> None:
    made = Headers.of(place(request_headers=WANTED), CONTEXT)
    assert made is not None
    head = request("X-Gone: a", "X_Gone: a", "X-Set: b", "X-Add: c")
    made.on_request(exchange(), head)
    assert (head.values(b"x-gone"), head.values(b"x_gone")) == ([], [])
    assert head.values(b"x-set") == [b"1"]
    assert head.values(b"x-add") == [b"c", b"2"]
    assert made.describe() == "requests: -x-gone, -x-set, +X-Set: 1, +X-Add: 2"


def test_edits_of_an_answer() -> None:
    made = Headers.of(place(response_headers=WANTED), CONTEXT)
    assert made is not None
    head = answer("X-Gone: a", "X_Gone: a", "X-Set: b")
    made.on_response(exchange(), head)
    assert (head.values(b"x-gone"), head.values(b"x_gone"), head.values(b"x-set")) == ([], [b"a"], [b"1"])


def test_nothing_to_edit() -> None:
    assert Headers.of(place(), CONTEXT) is None
    assert Headers.of(place()._replace(backend=None), CONTEXT) is None
