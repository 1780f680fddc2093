"""Clients on raw sockets, for what a load generator does not do: bursts, idle connections, slow readers."""

import contextlib
import http.client
import re
import selectors
import socket
import ssl
import time
from collections.abc import Callable, Iterator

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class ClientError(Exception):
    """A client did not get what it asked for."""


def request(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench.example\r\nAccept: */*\r\n\r\n".encode()


def whole(data: bytes) -> bool:
    """The bytes are a complete answer with a length; ClientError when it is not a 200."""
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return False
    if not re.match(rb"HTTP/1\.1 200 ", head):
        raise ClientError(head.partition(b"\r\n")[0].decode(errors="replace"))
    length = _LENGTH.search(head)
    return len(body) >= (int(length[1]) if length else 0)


def ask(sock: socket.socket, path: str) -> None:
    """Make a request and read its whole answer on a blocking socket."""
    sock.sendall(request(path))
    data = b""
    while not whole(data):
        more = sock.recv(65536)
        if not more:
            raise ClientError("connection closed before the answer")
        data += more


def answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
            ask(sock, path)
    except (OSError, ClientError):
        return False
    return True


def cookie(port: int, path: str) -> str:
    """The cookie, as name=value, that an answer sets."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", path)
        found = connection.getresponse().getheader("Set-Cookie")
    if found is None:
        raise ClientError("no cookie was set")
    return found.partition(";")[0]


@contextlib.contextmanager
def idle(port: int, path: str, number: int, tls: bool = False) -> Iterator[None]:
    """Hold `number` connections open, each of which has had one answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with contextlib.ExitStack() as stack:
        for _ in range(number):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            ask(stack.enter_context(context.wrap_socket(sock)) if tls else sock, path)
        yield


def burst(port: int, path: str, number: int, deadline: float) -> tuple[float, int]:
    """Open `number` connections at once, one request on each: (seconds to the last answer, unanswered ones)."""
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        begun = time.monotonic()
        for _ in range(number):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            selector.register(sock, selectors.EVENT_WRITE, sock)
        left, last = number, begun
        received: dict[int, bytes] = {}
        while left and time.monotonic() < begun + deadline:
            for key, _ in selector.select(0.05):
                if key.events == selectors.EVENT_WRITE:
                    key.data.send(request(path))
                    selector.modify(key.fd, selectors.EVENT_READ, key.data)
                    continue
                more = key.data.recv(65536)
                received[key.fd] = received.get(key.fd, b"") + more
                if not more:
                    selector.unregister(key.fd)
                elif whole(received[key.fd]):
                    selector.unregister(key.fd)
                    left, last = left - 1, time.monotonic()
        return last - begun, left


def slow_readers(port: int, path: str, number: int, seconds: float, look: Callable[[], None]) -> int:
    """Ask for a big body on `number` connections and read 4 KiB a time, some 80 KiB/s each; `look` is called between.

    Returns how many of them were cut off.
    """
    with contextlib.ExitStack() as stack:
        socks = []
        for _ in range(number):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(5)
            sock.connect(("127.0.0.1", port))
            sock.sendall(request(path))
            sock.setblocking(False)
            socks.append(sock)
        cut: set[int] = set()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for sock in socks:
                try:
                    if not sock.recv(4096):
                        cut.add(sock.fileno())
                except BlockingIOError:
                    continue
                except OSError:
                    cut.add(sock.fileno())
            look()
            time.sleep(0.05)
        return len(cut)
