"""The wording of messages about values: a value and its type as text, lists of words, and words that were meant."""

import difflib
from collections.abc import Iterable

SHOWN = 200  # characters of a value that a message repeats

# TOML's names of the types that tomllib returns.
_NAMES = {"bool": "a boolean", "int": "an integer", "float": "a number", "str": "a string", "list": "an array",
          "dict": "a table", "datetime": "a date and time", "date": "a date", "time": "a time"}


def type_of(value: object) -> str:
    """The type of a value as TOML calls it, with its article."""
    return _NAMES.get(type(value).__name__, type(value).__name__)


def shown(value: object) -> str:
    """A value as a message repeats it: short, and never more than one line."""
    if isinstance(value, list):
        return "the array" if value else "an empty array"
    if isinstance(value, dict):
        return "the table"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    text = text if len(text) <= SHOWN else text[:SHOWN] + "…"
    return f'"{"".join(map(_escaped, text))}"' if isinstance(value, str) else text


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return "\\" + letter
    return letter if letter.isprintable() else letter.encode("unicode_escape", "surrogatepass").decode()


def found(value: object, what: str) -> str:
    """The value and its fault, the first half of a message."""
    if isinstance(value, list | dict) and what == f"is {type_of(value)}":
        return f"{type_of(value)} stands here"
    return f"{shown(value)} {what}"


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


def nearest(word: object, known: Iterable[str]) -> str:
    """`; did you mean "x"?` where something known is near to the word, else nothing."""
    if not isinstance(word, str):
        return ""
    names = list(known)
    lower = {name.lower(): name for name in names}
    found = difflib.get_close_matches(word.lower()[:100], list(lower), 1, 0.6)
    return f'; did you mean "{lower[found[0]]}"?' if found else ""
