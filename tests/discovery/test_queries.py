"""Queries: real datagrams and connections to servers that answer, refuse, keep silent, or say too much."""

import socket
import threading
from dataclasses import replace

import pytest

from lbd.discovery.dns_records import DnsRecords, Unanswered
from lbd.discovery.name_files import NameSources
from lbd.discovery.queries import Queries
from lbd.net.tasks import Tasks
from tests.discovery.name_server import NameServer, answer

MANY = [f"10.0.{number // 250}.{number % 250 + 1}" for number in range(900)]
ZONE = {
    "app.test": {"A": ["10.0.0.1", "10.0.0.2"], "AAAA": ["fd00::1"], "ttl": 7},
    "www.test": {"CNAME": "deep.test", "ttl": 9}, "deep.test": {"CNAME": "app.test", "ttl": 3},
    "dangling.test": {"CNAME": "nowhere.test"},
    "big.test": {"A": MANY, "truncated": True},
    "broken.test": {"rcode": "SERVFAIL"}, "dead.test": {"silent": True},
}


@pytest.fixture
async def queries():
    tasks = Tasks(lambda name, error: pytest.fail(f"{name}: {error!r}"))
    yield Queries(tasks)
    await tasks.cancel()


@pytest.fixture
def server():
    server = NameServer(lambda: ZONE)
    yield server
    server.close()


@pytest.fixture
def silent():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock


def at(*ports, **settings):
    return NameSources(servers=tuple(("127.0.0.1", port) for port in ports), **settings)


@pytest.mark.parametrize(("name", "kind", "wanted"), [
    ("app.test", "A", DnsRecords(("10.0.0.1", "10.0.0.2"), 7.0)),
    ("app.test", "AAAA", DnsRecords(("fd00::1",), 7.0)),
    ("APP.test", "AAAA", DnsRecords(("fd00::1",), 7.0)),
    ("www.test", "A", DnsRecords(("10.0.0.1", "10.0.0.2"), 3.0)),       # the shortest of the chain
    ("dangling.test", "A", DnsRecords()),
    ("big.test", "AAAA", DnsRecords()),
    ("nowhere.test", "A", DnsRecords(exists=False))])
async def test_what_is_answered(queries, server, name, kind, wanted):
    found = await queries.query(name, kind, at(server.port))
    assert replace(found, addresses=tuple(sorted(found.addresses))) == wanted     # the server shuffles them


@pytest.mark.parametrize("tcp", [False, True])
async def test_what_is_too_long_comes_by_tcp(queries, server, tcp):
    assert set((await queries.query("big.test", "A", at(server.port, tcp=tcp))).addresses) == set(MANY)
    assert len(server.asked) == (1 if tcp else 2)


async def test_longer_answers_by_udp_are_asked_for_where_the_file_says_so(queries, server):
    assert (await queries.query("app.test", "A", at(server.port, edns=True))).ttl == 7.0


async def test_a_silent_server_is_passed_over(queries, server, silent):
    assert (await queries.query("app.test", "A", at(silent.getsockname()[1], server.port, pause=0.01))).ttl == 7.0


async def test_a_server_that_refuses_is_passed_over_at_once(queries, server, silent):
    port = silent.getsockname()[1]
    silent.close()
    assert (await queries.query("app.test", "A", at(port, server.port, pause=60.0))).ttl == 7.0
    with pytest.raises(Unanswered, match=r"127\.0\.0\.1: connection refused"):
        await queries.query("app.test", "A", at(port, pause=60.0))


async def test_a_server_that_fails_is_passed_over_at_once(queries, server):
    with pytest.raises(Unanswered, match=r"127\.0\.0\.1: SERVFAIL"):
        await queries.query("broken.test", "A", at(server.port, pause=60.0, attempts=3))
    assert server.asked == ["broken.test"] * 3


async def test_servers_take_turns_where_the_file_says_so(queries, server):
    other = NameServer(lambda: ZONE)
    try:
        for _ in range(4):
            await queries.query("app.test", "A", at(server.port, other.port, rotate=True))
        assert len(server.asked) == len(other.asked) == 2
    finally:
        other.close()


async def test_other_datagrams_are_no_answers(queries, silent):
    """A forged one has the wrong number, or is no answer, or no message at all."""
    def serve():
        wire, client = silent.recvfrom(4096)
        right = answer(wire, ZONE, True)
        forged = answer(wire, {"app.test": {"A": ["10.6.6.6"]}}, True)
        for wrong in (b"", b"\0", b"\xff" * 20, bytes([forged[0] ^ 1]) + forged[1:], wire, right):
            silent.sendto(wrong, client)

    thread = threading.Thread(target=serve)
    thread.start()
    found = await queries.query("app.test", "A", at(silent.getsockname()[1]))
    assert set(found.addresses) == {"10.0.0.1", "10.0.0.2"}
    thread.join()
