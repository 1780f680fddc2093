"""The compiled scanner of HTTP/1 heads (RFC 9110, 9112): bytes received in, the bytes to send on and facts out."""

from lbd.http.message import Head

KEEP: int          # 1: the sender's connection can carry another message after this one
LENGTH: int        # 2: a body of `length` bytes (> 0) follows the head
CHUNKED: int       # 4: a chunked body follows the head
UNTIL_CLOSE: int   # 8: (response) the body ends with the connection
WHOLE: int         # 16: the message ends inside the data given, at `end` (no body, or LENGTH and all of it there)
MORE: int          # 32: bytes follow the message at `end` (only with WHOLE)
UPGRADE: int       # 64: (request) Upgrade and Connection: upgrade; (response) status 101
SIMPLE: int        # 128: WHOLE and nothing follows; (response) final; (request) of HTTP/1.1, not HEAD, without a body,
                   # without UPGRADE, Max-Forwards and what `signs`

class Request:
    """The scanner of request heads. One per listener and worker: read its facts before the next `scan`."""

    message: Head     # of the last head that was good
    head: int         # offset in data just after the head
    end: int          # offset in data just after the message, valid with WHOLE
    error: str        # what was wrong, when `scan` returned a negative status

    def __init__(self, max_head: int, max_headers: int, max_uri: int, forwarded: bool = False,
                 underscores: str = "drop-lookalikes", certified: bool = False) -> None:
        """Limits: bytes of the head (to 16 MiB) with empty lines before it, fields (to 65536), bytes of the target.

        `forwarded`: write the Forwarded field of RFC 7239 too. `underscores`: as the key of a listener. `certified`:
        not even a trusted proxy may send X-SSL-Client-*. Raises `ValueError` for limits out of range.
        """
    def scan(self, data: bytes, start: int, peer: bytes, proto: bytes, trusted: bool) -> int:
        """Read the request head that begins at `start`.

        Returns 0 when the head is incomplete, flags when it is good, minus the status to refuse with when not. Any
        split of the data gives the same answer; what is wrong or too long is refused as soon as it is seen. `peer` is
        the client's address as text (b"" on a Unix socket: no X-Forwarded-For), `proto` b"http" or b"https";
        `trusted`: the fields that the peer forwarded are accepted. Raises `IndexError` when `start` is outside `data`.
        """

class Response:
    """The scanner of response heads. Backends of a worker share it: read its facts before the next `scan`."""

    message: Head     # of the last head that was good; with SIMPLE the body stands behind it
    head: int
    end: int
    error: str

    def __init__(self, max_head: int, max_headers: int, lenient: tuple[str, ...] = ()) -> None:
        """Limits as of `Request`; `lenient` as the key of a backend. Raises `ValueError` for an unknown word."""
    def scan(self, data: bytes, start: int, to_head: bool, minor: int, keep: bool) -> int:
        """Read the response head that begins at `start`: 0 incomplete, flags, or -502.

        `to_head`: the request was HEAD. `minor`: HTTP/1.minor of the client; `keep`: the client's connection is to
        be kept, which the message says to the client unless the body is UNTIL_CLOSE, or CHUNKED for an HTTP/1.0 client.
        The message of a final answer has a Date, of now where the server sent none (RFC 9110 6.6.1).
        """

class Chunks:
    """Follows a chunked body as it passes, strictly; one per body."""

    out: bytes        # what of the last data to send on (the same object when all of it passes unchanged)
    trailers: bytes   # with `decode`: the lines of the trailer section that pass, once `feed` returned 1
    end: int          # offset in the last data just after the body, once `feed` returned 1
    size: int         # bytes of content so far
    error: str

    def __init__(self, decode: bool, limit: int, remove: tuple[bytes, ...] = (), fold: bool = False,
                 underscores: str = "drop-lookalikes") -> None:
        """`decode`: `out` is the content without its framing. `limit`: most bytes of content; 0 is none. `remove`:
        trailer fields that do not pass, as in `edit`. `underscores`: "refuse" takes no trailer field with one."""
    def feed(self, data: bytes, start: int) -> int:
        """0 more is to come, 1 the body ended at `end`, -400 malformed, -413 beyond the limit."""

def edit(head: bytes, target: bytes | None, remove: tuple[bytes, ...], add: bytes, fold: bool = False) -> bytes:
    """The head with another target (requests only), without the fields named in `remove` (lower case),
    and with the lines `add` (each ending in CRLF) before its end. Data behind the head passes. Target and lines are
    taken as they are; `ValueError` when `head` is none. `fold`: names that servers may take for one of `remove` go too:
    those that differ only in characters that are no letters and no digits."""

def values(head: bytes, name: bytes) -> list[bytes]:
    """The values of every field called `name` (lower case) in a head, in order; a body may follow."""

def date_line(second: int) -> bytes:
    """The Date field of a time in seconds since 1970, with its line end; b"" for one that has no date."""

