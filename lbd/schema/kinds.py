"""Kinds of values: how each is parsed, described and written."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lbd.wording import shown, type_of

TOLD = 20    # wrong elements of an array that are reported

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ValueKind:
    """A kind of value.

    `allowed` completes the sentence "must be …". `parse` takes what tomllib gives and returns the value that the
    program uses, or raises `ValueError` whose text says what was wrong, as the end of a sentence that begins with the
    value (the reader adds place and `allowed`). `schema` is the JSON Schema of what may be written. `known` are the
    words to which a mistyped one may be near. `empty` stands in for a required value that could not be parsed, so that
    the checks that follow can go on. `settle` makes paths absolute: it gets what was parsed, and the directory of the
    file in which it is written. `write` turns the value back into what may be written in a file (None: as it is).
    """

    name: str
    allowed: str
    parse: Callable[[Any], Any]
    schema: dict[str, Any]
    known: tuple[str, ...] = ()
    empty: Any = ""
    settle: Callable[[Any, str], Any] | None = None
    write: Callable[[Any], Any] | None = None


Wrong = tuple[int | str, str]       # element or key, and its error


class ItemError(ValueError):
    """Elements of an array, or keys of a table, are wrong; as a text it is the first of them."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        self.wrong = wrong
        super().__init__(wrong[0][1])


def each(items: Iterable[tuple[int | str, T]], parse: Callable[[T], R]) -> list[R]:
    """Parse items, each with its place; raises `ItemError` with the first wrong ones."""
    results, wrong = _tried(items, parse)
    if wrong:
        raise ItemError(wrong)
    return results


def _tried(items: Iterable[tuple[int | str, T]], parse: Callable[[T], R]) -> tuple[list[R], list[Wrong]]:
    results: list[R] = []
    wrong: list[Wrong] = []
    for at, item in items:
        try:
            results.append(parse(item))
        except ValueError as error:
            wrong.append((at, f"holds {shown(item)}, which {error}"))
            if len(wrong) == TOLD:
                break
    return results, wrong


def text_of(value: Any) -> str:
    """The value, if it is a string without NUL; raises ValueError."""
    if not isinstance(value, str):
        raise ValueError(f"is {type_of(value)}")
    if "\0" in value:
        raise ValueError("contains a NUL character")
    return value


def many(one: ValueKind, allowed: str) -> ValueKind:
    """An array of different values of a kind; a single one may be written without the brackets. Parsed as a tuple."""

    def parse(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            return (one.parse(value),)
        seen: dict[Any, None] = {}

        def first(item: Any) -> Any:
            result = one.parse(item)
            if result in seen:
                raise ValueError("is there already")
            seen[result] = None
            return result

        return tuple(each(enumerate(value), first))

    def settle(values: tuple[Any, ...], directory: str) -> tuple[Any, ...]:
        return tuple(one.settle(value, directory) for value in values) if one.settle else values

    schema = {"anyOf": [one.schema, {"type": "array", "items": one.schema}]}
    return ValueKind(one.name + " list", allowed, parse, schema, one.known, (), settle if one.settle else None)


def mapping(keys: ValueKind, values: ValueKind, allowed: str) -> ValueKind:
    """A table from one kind of key to one kind of value. Parsed as a dict."""

    def parse(value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"is {type_of(value)}")
        names, bad_names = _tried(((name, name) for name in value), keys.parse)
        items, bad_items = _tried(value.items(), values.parse)
        if bad_names or bad_items:
            raise ItemError(bad_names + bad_items)
        return dict(zip(names, items, strict=True))

    def settle(table: Mapping[str, Any], directory: str) -> Mapping[str, Any]:
        return {name: values.settle(value, directory) for name, value in table.items()} if values.settle else table

    schema = {"type": "object", "propertyNames": keys.schema, "additionalProperties": values.schema}
    return ValueKind(values.name + " table", allowed, parse, schema, (), {}, settle if values.settle else None)
