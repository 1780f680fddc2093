"""Reads wire tests: what goes over the wire, step by step, as text.

A file is a title (the first comment line), an optional `--- backend` and `--- listener` section with configuration
lines, and steps. Each step begins with a line `--- WHO VERB`:

    --- client sends / server sends      these bytes
    --- client gets / server gets        exactly these bytes, `{*}` standing for anything within a line
                                     (a Date that is not among them is not looked at)
    --- client gets answer 404           a whole answer of that status, whatever its fields and body
    --- client sees close / server sees close      the connection ends, without another byte
    --- client sees cut                  the connection is reset, or ends, without another byte
    --- client half-closes / closes / resets, server closes / resets
    --- server accepts                   another connection
    --- client connects                  another connection
    --- ending NAME                      the counter of that ending is (or becomes) one more

A line `{+}` stands for the five fields that lbd adds to a request. Lines end in CRLF; a line that ends in `\\` has
no end of its own; `\\xNN`, `\\r`, `\\n`, `\\0` are those bytes.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

STEPS = re.compile(r"^--- (.+)$")
ESCAPES = re.compile(rb"\\(x[0-9a-fA-F]{2}|[rn0\\])")
ADDED = ("X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: {*}", "Via: 1.1 lbd",
         "X-Request-Id: {*}")
NAMED = {b"r": b"\r", b"n": b"\n", b"0": b"\0", b"\\": b"\\"}


@dataclass
class Step:
    """A step; `line` is where it stands in the file."""

    what: str
    line: int
    data: bytes = b""


@dataclass
class Script:
    """A wire test."""

    title: str
    settings: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


def wire_bytes(lines: list[str]) -> bytes:
    """The bytes that the lines stand for."""
    data = b""
    for line in lines:
        raw = line.encode("latin-1")
        open_ended = raw.endswith(b"\\") and not raw.endswith(b"\\\\")
        raw = raw[:-1] if open_ended else raw
        data += ESCAPES.sub(_unescaped, raw) + (b"" if open_ended else b"\r\n")
    return data


def _unescaped(found: re.Match[bytes]) -> bytes:
    text = found[1]
    return bytes([int(text[1:], 16)]) if text[:1] == b"x" else NAMED[text]


def pattern(expected: bytes) -> re.Pattern[bytes]:
    """The pattern that the data read has to match as a whole."""
    return re.compile(b"[^\r\n]*".join(re.escape(part) for part in expected.split(b"{*}")), re.DOTALL)


def read_script(path: Path) -> Script:
    """The test in a file."""
    lines = path.read_text("latin-1").splitlines()
    script = Script(lines[0].lstrip("# "))
    what, begun, block = "", 0, list[str]()

    def end() -> None:
        if what in ("backend", "listener", "more"):
            script.settings[what] = "\n".join(block)
        elif what:
            script.steps.append(Step(what, begun, wire_bytes(block)))

    for number, line in enumerate(lines[1:], 2):
        found = STEPS.match(line)
        if found:
            end()
            what, begun, block = found[1].strip(), number, []
        elif line == "{+}":
            block += ADDED
        elif what:
            block.append(line)
    end()
    return script
