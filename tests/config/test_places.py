"""Tests of lbd.config.places: every key that tomllib returns has a place, and the text there begins with that key."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.config.places import Path, Place, locate

BARE = st.text("abcXYZ019_-", min_size=1, max_size=4)
KEYS = st.one_of(BARE, st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=4))
SCALARS = st.sampled_from([
    "1", "-0x1F".replace("-", ""), "1.5e3", "true", "1979-05-27 07:32:00", "07:32:00", '"a # ] } , b"', "'c:\\'",
    '"""\n[x]\na = 1 \\" """', "'''\n'' [y] \n'''", '""""quoted"""""', '"\\"]"', "''", '""', "inf",
])
SPACE = st.sampled_from(["", " ", "\t "])
VOID = st.sampled_from(["", " ", "\n", " # ] comment\n ", "\n\n\t"])


def quoted(name: str) -> str:
    """A key as it may be written."""
    if name and all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in name):
        return name
    return '"' + "".join(f"\\U{ord(letter):08x}" if not letter.isalnum() else letter for letter in name) + '"'


@st.composite
def values(draw: st.DrawFn, depth: int = 0) -> str:
    """A value: a scalar, an array or an inline table."""
    form = draw(st.sampled_from(["scalar", "array", "inline"])) if depth < 3 else "scalar"
    if form == "array":
        items = draw(st.lists(values(depth + 1), max_size=3))
        body = ",".join(draw(VOID) + item + draw(VOID) for item in items)
        return f"[{body}{draw(st.sampled_from(['', ','])) if items else ''}{draw(VOID)}]"
    if form == "inline":
        names = draw(st.lists(KEYS, max_size=3, unique=True))
        return "{" + ",".join(draw(SPACE) + quoted(name) + draw(SPACE) + "=" + draw(SPACE) + draw(values(depth + 1))
                              + draw(SPACE) for name in names) + "}"
    return draw(SCALARS)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A text of keys, dotted keys, tables and arrays of tables; not always one that TOML allows."""
    lines = []
    for _ in range(draw(st.integers(0, 8))):
        name = (draw(SPACE) + "." + draw(SPACE)).join(map(quoted, draw(st.lists(KEYS, min_size=1, max_size=3))))
        form = draw(st.sampled_from(["{0} = {1}", "[{0}]", "[[{0}]]", "[ {0} ] # [x]"]))
        lines.append(draw(SPACE) + form.format(name, draw(values())) + draw(st.sampled_from(["", " ", " # a = 1"])))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every key path of what tomllib returned, tables and arrays too."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        yield from leaves(item, (*path, name))


def at(text: str, line: int, column: int) -> str:
    return text.split("\n")[line - 1][column - 1:]


@settings(max_examples=40, deadline=None)
@given(documents())
def test_every_key_path_has_a_place_that_begins_with_the_key(text: str) -> None:
    require_places(text)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(documents())
def test_every_key_path_of_many_documents(text: str) -> None:
    require_places(text)


def require_places(text: str) -> None:
    """Each key path has a place, and the text there begins with its last key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    text = text.replace("\r\n", "\n")
    places = locate(text)
    paths = list(leaves(data))
    assert set(paths) == set(places)
    for path in paths:
        name = path[-1]
        if isinstance(name, str):
            there = at(text, places[path].line, places[path].column)
            assert there.startswith(quoted(name)), (path, there)


TEXT = """\
# first
top = 1
"quoted key".sub = [
  "a",   # comment ]
  { x = 1, y.z = '''
]''' },
]
[listeners.web]
bind = "x"
[[listeners.web.routes]]
host = "a"
[[listeners.web.routes]]
  redirect.to = "/"
[listeners.web.routes.respond]
body = \"\"\"
[no]
key = 1\"\"\"
"""


@pytest.mark.parametrize(("path", "place"), [
    (("top",), Place(2, 1, 2, 7)),
    (("quoted key", "sub"), Place(3, 14, 3, 20)),
    (("quoted key", "sub", 0), Place(4, 3, 4, 3)),
    (("quoted key", "sub", 1, "y", "z"), Place(5, 14, 5, 18)),
    (("listeners",), Place(8, 2, 8, 2)),
    (("listeners", "web"), Place(8, 12, 8, 12)),
    (("listeners", "web", "routes"), Place(10, 17, 10, 17)),
    (("listeners", "web", "routes", 0, "host"), Place(11, 1, 11, 8)),
    (("listeners", "web", "routes", 1, "redirect", "to"), Place(13, 12, 13, 17)),
    (("listeners", "web", "routes", 1, "respond", "body"), Place(15, 1, 15, 8)),
])
def test_places(path: Path, place: Place) -> None:
    assert locate(TEXT)[path] == place


def test_nothing_in_a_string_is_a_key() -> None:
    assert ("listeners", "web", "routes", 1, "respond", "key") not in locate(TEXT)


def test_what_nests_deeper_than_any_configuration_gets_no_place() -> None:
    places = locate(".".join("a" * 5000) + " = 1")
    assert len(places) == 64
