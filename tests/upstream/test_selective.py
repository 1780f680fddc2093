"""The connection of backends with `retry_on`: which answers it looks at."""

from types import SimpleNamespace

import pytest

from lbd.upstream.selective import Selective, kind
from lbd.upstream.upstream import HEAD, LENGTH, Upstream


class Client:
    """Would take any status for another try."""

    backend = SimpleNamespace(responses=SimpleNamespace(retry_statuses=frozenset((b"503",))))

    def __init__(self, repeats):
        self.repeats = repeats
        self.asked = []

    def again(self, upstream, status):
        self.asked.append(status)
        return self.repeats


@pytest.fixture
def passed(monkeypatch):
    seen = []
    monkeypatch.setattr("lbd.upstream.upstream.Upstream.data_received", lambda self, data: seen.append(data))
    return seen


def connection(client, mode=HEAD, buffer=b""):
    made = Selective.__new__(Selective)
    made.client, made.mode, made.buffer = client, mode, buffer
    return made


@pytest.mark.parametrize(("data", "buffer", "asked"), [
    (b"HTTP/1.1 503 No\r\n", b"", [503]),
    (b"503 No\r\n", b"HTTP/1.1 ", [503]),
    (b"HTTP/1.1 500 No\r\n", b"", []),
    (b"HTTP", b"", []),
])
def test_the_status_is_looked_at_first(passed, data, buffer, asked):
    client = Client(True)
    connection(client, buffer=buffer).data_received(data)
    assert client.asked == asked
    assert passed == ([] if asked else [data])


def test_an_answer_that_is_not_repeated_and_bytes_of_a_body_pass(passed):
    client = Client(False)
    connection(client).data_received(b"HTTP/1.1 503 No\r\n")
    connection(client, LENGTH).data_received(b"HTTP/1.1 503 No\r\n")
    connection(None).data_received(b"HTTP/1.1 503 No\r\n")
    assert client.asked == [503]
    assert len(passed) == 3


def test_which_connections_look():
    assert kind(frozenset()) is Upstream
    assert kind(frozenset((b"503",))) is Selective
