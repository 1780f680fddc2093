"""Requests of filters: their answers, their limits, and their ends."""

import pytest

from lbd.exchange.subrequest import request as head_of
from lbd.stats import endings, fields, scoreboard
from tests.rig import answer, request

ASKING = 'filters = [{{ use = "tests.filters.own:Asking", backend = "guard"{} }}]'
GUARD = '\n[backends.guard.servers]\ng = "{}"\n'


class Notes:
    """An access log of endings alone."""

    def __init__(self):
        self.endings = []

    def note(self, exchange, ending):
        self.endings.append(ending)

    def blame(self, exchange, ending, reason):
        """Nothing is remembered."""


@pytest.mark.parametrize(("said", "status"), [
    (answer(b"yes"), b"200"), (answer(b"no", status="401 Unauthorized"), b"403"),
    (b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", b"403")])
async def test_a_backend_is_asked_first(simple, rig, stage, spare, connect, said, status):
    simple(ASKING.format(""), more=GUARD.format(spare.address))
    client = await connect()
    for _ in range(2):
        await client.send(request("/x"))
        guard = spare.peers[0] if spare.peers else await spare.accept()
        asked = await guard.head()
        assert asked.startswith(b"GET /check HTTP/1.1\r\nHost: guard\r\n")
        assert b"\r\nX-Path: /x\r\n" in asked
        await guard.send(said)
        if status == b"200":
            server = stage.peers[0] if stage.peers else await stage.accept()
            await server.head()
            await server.send(answer())
        head, body = await client.message()
        assert head.startswith(b"HTTP/1.1 " + status)
        assert body == (b"ok" if status == b"200" else b"401 no")
    assert not rig.plane.context.streams
    assert rig.ending("ok") == (4 if status == b"200" else 2)
    assert rig.in_flight(1) == 0


async def test_no_server_can_be_asked(simple, refusing, connect):
    simple(ASKING.format(""), more=GUARD.format(refusing.address))
    client = await connect()
    await client.send(request())
    head, body = await client.message()
    assert head.startswith(b"HTTP/1.1 403")
    assert body.startswith(b"502 ")


async def test_its_time_runs_out(simple, rig, stage, spare, connect):
    simple(ASKING.format(", seconds = 1.0"), more=GUARD.format(spare.address))
    client = await connect()
    await client.send(request())
    await (await spare.accept()).head()
    assert (await client.message())[1] == b"0 "
    assert not rig.plane.context.streams


async def test_an_answer_that_is_too_large(simple, stage, spare, connect):
    simple(ASKING.format(""), more=GUARD.format(spare.address))
    client = await connect()
    await client.send(request())
    guard = await spare.accept()
    await guard.head()
    await guard.send(answer(b"x" * 70_000))
    assert (await client.message())[1] == b"0 "


async def test_an_answer_of_lbd_that_is_too_large_ends_it_once(simple, rig, stage, connect, refusing):
    simple(ASKING.format(""), more=GUARD.format(refusing.address))
    rig.plane.context.error_bodies = {502: b"x" * 70_000}
    rig.plane.context.access = notes = Notes()
    client = await connect()
    await client.send(request())
    assert (await client.message())[1] == b"0 "
    backend = rig.plane.in_force.backends["guard"]
    assert rig.board.total(scoreboard.BACKEND, backend.row.slot, fields.BACKEND_IN_FLIGHT) == 0
    assert rig.ending("client-closed") == 1
    assert notes.endings == [endings.CLIENT_CLOSED, endings.ANSWERED]      # of the question, of the request


async def test_it_is_given_up_with_the_exchange_that_asks(simple, rig, stage, spare, connect):
    simple(ASKING.format(""), more=GUARD.format(spare.address))
    client = await connect()
    await client.send(request())
    guard = await spare.accept()
    await guard.head()
    client.reset()
    await guard.ended()
    assert not rig.plane.context.streams


def test_the_head_of_a_request() -> None:
    made = head_of(b"POST", b"/a?b", b"h", [(b"X-A", b"1")], b"body")
    assert made.text.startswith(b"POST /a?b HTTP/1.1\r\nHost: h\r\nX-Request-Id: ")
    assert made.text.endswith(b"X-A: 1\r\nContent-Length: 4\r\n\r\nbody")
    for wrong in ((b"GET", b"/a b", b"h"), (b"G T", b"/", b"h"), (b"GET", b"/", b"h\r\nX: y")):
        with pytest.raises(ValueError, match=r"method|target"):
            head_of(*wrong)
