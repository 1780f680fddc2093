"""Cases of messages as files: the bytes that come in, what is found, and the bytes that go on.

A case begins with `## name`. Lines with `<` are the input, joined; lines with `>` the head that is sent on, a line
each; in both a backslash begins an escape as in Python. `=` gives the flags, or the status that refuses it. `> *`
stands for the fields that lbd adds to a request. Lines with a single `#` are comments.
"""

from pathlib import Path
from typing import NamedTuple

ADDED = (b"X-Forwarded-For: 192.0.2.7", b"X-Forwarded-Proto: http", b"X-Forwarded-Host: a", b"Via: 1.1 lbd",
         b"X-Request-Id: ID")


class Case(NamedTuple):
    """A message. `out` is None when the case does not say what is sent on."""

    name: str
    data: bytes
    expected: str
    out: bytes | None

    @property
    def refused(self) -> bool:
        """The expectation is a status."""
        return self.expected.isdigit()


def cases(file: str) -> list[Case]:
    """The cases of a file beside this one."""
    text = Path(__file__).with_name(file).read_text(encoding="ascii")
    return [_case(block) for block in ("\n" + text).split("\n## ")[1:]]


def _case(block: str) -> Case:
    name, *lines = block.splitlines()
    data = b"".join(_bytes(line[2:]) for line in lines if line.startswith("<"))
    expected = next(line[2:] for line in lines if line.startswith("="))
    sent: list[bytes] = []
    for line in lines:
        if line.startswith(">"):
            sent += ADDED if line == "> *" else [_bytes(line[2:])]
    return Case(name, data, expected, b"\r\n".join([*sent, b"", b""]) if sent else None)


def _bytes(text: str) -> bytes:
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")
