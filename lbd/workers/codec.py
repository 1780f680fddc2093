"""The codecs of the control channel, one for each direction: how messages become bytes, and what bounds them."""

import json
import pickle
import struct
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from lbd.workers.messages import (
    Committed,
    Confirmed,
    ConnectFailed,
    ExplainReady,
    Message,
    Pong,
    Ready,
    Veto,
    WorkerHello,
)

HEAD = struct.Struct("!IH")   # of each message: its length, and the number of descriptors that come with it
SHOWN = 80              # characters of nonsense that an error repeats
MOST_TEXT = 2048        # characters of a string in a report; three of them, escaped, fit into its `longest`
MOST_NUMBER = 2**64     # a number in a report is below it, and above its negative
_SHORTENED = "…"


@dataclass(frozen=True, slots=True)
class Codec:
    """A direction of the channel: `longest` is bytes of one message, `most_queued` bytes that wait to be sent,
    `most_fds` descriptors with one message, `pace` messages that are read in a tenth of a second (0: without limit).
    `decode` raises `ValueError`, or anything else that constructors raise, for bytes that are no message."""

    longest: int
    most_queued: int
    most_fds: int
    pace: int
    encode: Callable[[Message], bytes]
    decode: Callable[[bytes], Message]


def _pickle(message: Message) -> bytes:
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def _unpickle(data: bytes) -> Message:
    message = pickle.loads(data)
    if not isinstance(message, Message):
        raise ValueError(f"{type(message).__name__} is no message")
    return message


# The reports by their names in JSON. "Hello" keeps its name and form: workers of another version say it too.
_REPORTS: dict[str, type[Message]] = {
    "Hello": WorkerHello, "Ready": Ready, "Veto": Veto, "Committed": Committed, "ExplainReady": ExplainReady,
    "ConnectFailed": ConnectFailed, "Confirmed": Confirmed, "Pong": Pong}
_NAMES = {cls: name for name, cls in _REPORTS.items()}
_TYPES = {name: tuple(field.type for field in fields(cls)) for name, cls in _REPORTS.items()}


def _encode_report(message: Message) -> bytes:
    """JSON: `["Pong", 7]`. Text that is too long is cut, and what UTF-8 cannot hold is replaced."""
    name = _NAMES.get(type(message))
    if name is None:
        raise TypeError(f"a worker does not report {type(message).__name__}")
    values = [_cut(getattr(message, field.name)) for field in fields(message)]
    return json.dumps([name, *values], ensure_ascii=False).encode(errors="replace")


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_TEXT:
        return value[:MOST_TEXT - len(_SHORTENED)] + _SHORTENED
    return value


def _decode_report(data: bytes) -> Message:
    """A report, made of nothing but strings and numbers; raises `ValueError` for everything else.

    A worker may be broken, or taken over by an attacker: it must not choose what runs in the supervisor.
    """
    try:
        array = json.loads(data.decode())
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(array, list) or not array or not isinstance(array[0], str):
        raise ValueError("not a name and values")
    name, *values = array
    if name not in _REPORTS:
        raise ValueError(f"nothing is named {name[:SHOWN]!r}")
    types = _TYPES[name]
    if len(values) != len(types) or not all(map(_is_valid, values, types)):
        raise ValueError(f"{name} with fields that it does not have")
    return _REPORTS[name](*values)


def _is_valid(value: Any, wanted: Any) -> bool:
    """Whether a field of a report has the type of its class, and a size that is allowed."""
    if type(value) is not wanted:     # True is an int to isinstance
        return False
    if isinstance(value, int):
        return -MOST_NUMBER < value < MOST_NUMBER
    return len(value) <= MOST_TEXT and not any("\ud800" <= letter <= "\udfff" for letter in value)


# Supervisor to workers, which trust it. A generation of 16 384 servers needs about 4 MiB; the kernel takes 253
# descriptors in one sendmsg (SCM_MAX_FD).
ORDERS = Codec(256 * 2**20, 512 * 2**20, 253, 0, _pickle, _unpickle)

# Workers to the supervisor, which does not trust them.
REPORTS = Codec(64 * 2**10, 2**20, 0, 50, _encode_report, _decode_report)
