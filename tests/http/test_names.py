"""Names of request fields that servers fold into others: what the head kernel makes of them."""

from lbd.http.head import Chunks, Request
from tests.http.checks import PEER, fed

SPELLED = [b"X_SSL_Client_Verify", b"X-SSL_Client-Verify", b"X.SSL.Client.Verify", b"x+ssl!client~verify",
           b"X_Forwarded_For", b"X-Forwarded.Any", b"X_Request_Id", b"Content_Length", b"Transfer.Encoding",
           b"Max_Forwards", b"Keep_Alive"]


def sent(underscores: str, trusted: bool, *lines: bytes, certified: bool = False) -> list[bytes]:
    """Names of the client's lines that the server gets."""
    scanner = Request(32768, 100, 8192, False, underscores, certified)
    data = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(line + b": 1\r\n" for line in lines) + b"\r\n"
    assert scanner.scan(data, 0, PEER, b"http", trusted) > 0
    return [line for line in lines if b"\r\n" + line + b": 1\r\n" in scanner.message.text]


def test_what_folds_into_a_reserved_name_never_passes() -> None:
    for underscores in ("drop-lookalikes", "pass"):
        for trusted in (False, True):
            assert sent(underscores, trusted, *SPELLED, b"X_Any", b"X-SSL-Clients") == [b"X_Any", b"X-SSL-Clients"]
    assert sent("drop-lookalikes", False, b"Content_Type", b"Cache.Control") == []
    assert sent("pass", False, b"Content_Type", b"Cache.Control") == [b"Content_Type", b"Cache.Control"]


def test_who_may_say_what_a_certificate_was() -> None:
    assert sent("pass", False, b"X-SSL-Client-Verify", b"X-SSL-Client-Any") == []
    assert sent("pass", True, b"X-SSL-Client-Verify") == [b"X-SSL-Client-Verify"]
    assert sent("pass", True, b"X-SSL-Client-Verify", certified=True) == []


def test_underscores_that_are_refused() -> None:
    scanner = Request(32768, 100, 8192, False, "refuse")
    data = b"GET / HTTP/1.1\r\nHost: a\r\nX-A: a_b\r\nX_A: 1\r\n\r\n"
    for size in range(len(data) + 1):
        found = scanner.scan(data[:size], 0, PEER, b"http", False)
        assert found == (-400 if size > data.index(b"_A") else 0)
    assert scanner.error == "a field name has an underscore"
    trailers = b"0\r\nX-A: 1\r\nX_A: 1\r\n\r\n"
    for size in range(1, len(trailers)):
        assert fed(Chunks(False, 0, (), False, "refuse"), trailers, size)[0] == -400
        assert fed(Chunks(False, 0), trailers, size)[0] == 1


def test_trailers_that_are_removed() -> None:
    data = b"0\r\nX-User: 1\r\nX_User: 2\r\nX.User: 3\r\nX-Users: 4\r\n\r\n"
    for size in range(1, len(data)):
        assert fed(Chunks(False, 0, (b"x-user",), True), data, size)[1] == b"0\r\nX-Users: 4\r\n\r\n"
        assert fed(Chunks(False, 0, (b"x-user",)), data, size)[1] == data.replace(b"X-User: 1\r\n", b"")


def test_trailers_beside_content() -> None:
    data = b"3\r\nabc\r\n0\r\nX-User: 1\r\nX_User: 2\r\nX-Users: 4\r\nContent-Length: 9\r\n\r\n"
    for size in range(1, len(data) + 1):
        chunks = Chunks(True, 0, (b"x-user",), True)
        assert fed(chunks, data + b"next", size) == (1, b"abc", len(data))
        assert chunks.trailers == b"X-Users: 4\r\n"
    plain, none = Chunks(False, 0), Chunks(True, 0)
    assert (fed(plain, data, 7)[0], plain.trailers) == (1, b"")
    assert (fed(none, b"0\r\n\r\n", 1)[0], none.trailers) == (1, b"")
