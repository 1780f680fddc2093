"""The fast path: a plain request and its whole answer, on connections that stand, without the interpreter.

Everything else is left to the methods that the two protocols have for it: `receive` where a read begins otherwise, and
`judge` and `unusual` once a head was scanned.
"""

from typing import Any

def serve(kind: type, idle: int, wait: int, rest: int, awaiting: int, idempotent: tuple[bytes, ...]) -> None:
    """Register the class of clients (their subclasses take the general path), and the numbers of states and modes."""

def request(client: Any, data: bytes) -> bool | None:
    """`data_received` of a client connection; True: a whole request was there."""

def answer(upstream: Any, data: bytes) -> None:
    """`data_received` of a connection to a server."""
