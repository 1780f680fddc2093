"""The head of a message: its text as HTTP/1 has it, with an index of the lines for those who read or change fields."""

from collections.abc import Iterator
from typing import final

@final
class Head:
    """The head of a request or a response, and perhaps the body behind it. Scanners make one for each message.

    The lines are found once, when a field is asked for or changed first; changes are written out together when the text
    is asked for next. Field names are compared without case, and given in lower case where they are looked for.
    """

    text: bytes           # with all changes; a body may follow
    size: int             # bytes of the head in the text: where the body begins
    original: bytes       # the text before the first change, b"" while there is none
    method: bytes         # of a request
    target: bytes         # of a request as it goes to the server, origin-form or b"*"; to be set to another
    host: bytes           # of the Host field or the absolute-form target, as received, port and all; b"" if none: then
                          # (HTTP/1.0 only) `text` has an empty Host, to be replaced by the server's own name
    length: int           # bytes of the body that the head announces; 0 without LENGTH
    hops: int             # Max-Forwards of TRACE and OPTIONS as received (`text` carries one less); -1 if none
    status: int           # of a response
    minor: int            # 0 or 1: HTTP/1.minor of the sender
    flags: int            # as the scanner returned them (`lbd.http.head`)
    plain: bool           # the path has no percent sign, no segment that begins with a dot and no doubled slash: it is
                          # what it says; False for a target that was set
    signs: bool           # its Authorization or Proxy-Authorization signs on the connection: NTLM, Negotiate, Kerberos
    to_head: bool         # the request is HEAD: its answer has no body
    idempotent: bool      # repeating the request has the same effect as doing it once (RFC 9110 9.2.2)
    ending: int           # of lbd's own answer: why it is one (`lbd.stats.endings`)
    trailers: bytes       # of a request whose body passes without its framing: the lines of the trailer section
    framed: bool          # of a chunked body the data is passed with its framing, as it came

    def __init__(self, text: bytes = ...) -> None:
        """A head from its text, which ends in an empty line (a body may follow): method, target and host of a request,
        the status of a response. ValueError for what is none."""
    def get(self, name: bytes) -> bytes | None:
        """The value of the first field of that name, None if there is none."""
    def values(self, name: bytes) -> list[bytes]:
        """The values of every field of that name, in order."""
    def last(self, name: bytes) -> bytes | None:
        """The value of the last field of that name, None if there is none; soon found where it was added last."""
    def cookie(self, name: bytes) -> bytes | None:
        """The first value of a cookie (RFC 6265 4.2), without quotes around it; None if there is none."""
    def set(self, name: bytes, value: bytes) -> None:
        """Put one field in the place of all of that name. ValueError for what is not one line."""
    def add(self, name: bytes, value: bytes) -> None:
        """Append a field, beside others of that name. ValueError for what is not one line."""
    def remove(self, name: bytes, fold: bool = False) -> None:
        """Leave out all fields of that name. `fold`: names that servers may take for it go too: those that differ only
        in characters that are no letters and no digits."""
    def remove_cookie(self, name: bytes) -> None:
        """Leave out all cookies of that name; the others become one field, behind all others."""
    def path(self) -> bytes:
        """The path of the target, without its query."""
    def strip(self, prefix: bytes) -> bool:
        """Take a prefix off the target, by whole segments. False where it has none, or is not `plain`."""
    def change(self, removed: tuple[bytes, ...], lines: bytes, fold: bool = False) -> None:
        """Leave out the fields of these names and append lines, each with its CRLF, which are taken as they are."""
    def compose(self) -> bytes:
        """The text, with all changes, which are no more than that then; for compiled callers, without a lookup."""
    def received(self) -> bytes:
        """The text as it came: `original`, or where nothing was changed `text`."""
    def join(self, body: bytes) -> None:
        """Put a body behind the head, in the place of any that is there."""
    def settle(self) -> None:
        """Take the changes so far for the text as it came."""
    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Name and value of every field, in order, the name as it is spelled."""

def cookie_value(line: bytes, name: bytes) -> bytes | None:
    """The first value of a cookie in the value of a Cookie field; None if there is none."""
