"""The codecs of the control channel, one for each direction: how messages become bytes, and what bounds them."""

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from lbd.process.messages import (
    Committed,
    Explaining,
    Hello,
    Message,
    Pong,
    Ready,
    Suspect,
    Veto,
)

SHOWN = 80              # characters of nonsense that an error repeats
MOST_TEXT = 2048        # characters of a string in a report; three of them, escaped, fit into its `longest`
MOST_NUMBER = 2**64     # a number in a report is below it, and above its negative
_SHORTENED = "…"


@dataclass(frozen=True, slots=True)
class Codec:
    """One direction: `longest` is bytes of one message, `most_queued` bytes that wait to be sent, `most_fds`
    descriptors with one message, `pace` messages that are read in a tenth of a second (0: without limit). `decode`
    raises ValueError, or anything else that constructors raise, for bytes that are no message."""

    longest: int
    most_queued: int
    most_fds: int
    pace: int
    encode: Callable[[Message], bytes]
    decode: Callable[[bytes], Message]


def _pickled(message: Message) -> bytes:
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def _unpickled(data: bytes) -> Message:
    message = pickle.loads(data)
    if not isinstance(message, Message):
        raise ValueError(f"{type(message).__name__} is no message")
    return message


# Whatever a worker reports, by name, with the types of its fields.
_REPORTED: dict[str, tuple[Callable[..., Message], tuple[Any, ...]]] = {
    kind.__name__: (kind, tuple(field.type for field in fields(kind)))
    for kind in (Hello, Ready, Veto, Committed, Explaining, Suspect, Pong)}


def _written(message: Message) -> bytes:
    """JSON: `["Pong", 7]`. Text that is too long is cut, and what UTF-8 cannot hold is replaced."""
    name = type(message).__name__
    if name not in _REPORTED:
        raise TypeError(f"a worker does not report {name}")
    values = [_cut(getattr(message, field.name)) for field in fields(message)]
    return json.dumps([name, *values], ensure_ascii=False).encode(errors="replace")


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_TEXT:
        return value[:MOST_TEXT - len(_SHORTENED)] + _SHORTENED
    return value


def _read(data: bytes) -> Message:
    """A report, made of nothing but strings and numbers; raises ValueError for everything else.

    A worker may be broken, or in the hands of somebody else: it must not choose what runs in the supervisor.
    """
    try:
        found = json.loads(data.decode())
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(found, list) or not found or not isinstance(found[0], str):
        raise ValueError("not a name and values")
    if found[0] not in _REPORTED:
        raise ValueError(f"nothing is named {found[0][:SHOWN]!r}")
    kind, types = _REPORTED[found[0]]
    values = found[1:]
    if len(values) != len(types) or not all(map(_allowed, values, types)):
        raise ValueError(f"{found[0]} with fields that it does not have")
    return kind(*values)


def _allowed(value: Any, wanted: type) -> bool:
    kind = type(value)
    if kind is not wanted:     # True is an int to isinstance
        return False
    if isinstance(value, int):
        return -MOST_NUMBER < value < MOST_NUMBER
    return len(value) <= MOST_TEXT and not any("\ud800" <= letter <= "\udfff" for letter in value)


# Supervisor to workers, which trust it. A generation of 16 384 servers needs about 4 MiB; the kernel takes 253
# descriptors in one sendmsg (SCM_MAX_FD).
ORDERS = Codec(256 * 2**20, 512 * 2**20, 253, 0, _pickled, _unpickled)

# Workers to the supervisor, which does not trust them. `Hello` keeps its form: workers of another version say it too.
REPORTS = Codec(64 * 2**10, 2**20, 0, 50, _written, _read)
