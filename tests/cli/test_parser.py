"""lbd.cli.parser: refusals in one line, with what was probably meant."""

import pytest

from lbd.cli.parser import Parser, kind, number
from lbd.errors import UsageError
from lbd.schema.kinds import ValueKind
from lbd.schema.units import WORKERS, integer


def read(value: object) -> int:
    if not isinstance(value, int) or value > 10:
        raise ValueError("is not small")
    return value


SMALL = ValueKind("small", "a number up to 10", read, {})
TEXTUAL = ValueKind("small", "a number up to 10", lambda text: read(len(text)), {})


def parser() -> Parser:
    made = Parser("lbd test", "A test.")
    made.add_argument("--count", type=number(SMALL))
    made.add_argument("--word", type=kind(TEXTUAL))
    made.add_argument("--name", required=False)
    return made


def test_values_are_read_by_their_kind() -> None:
    args = parser().read_words(["--count", "7", "--word", "abc"])
    assert (args.count, args.word) == (7, 3)


def test_a_word_in_place_of_a_number() -> None:
    made = Parser("lbd test", "A test.")
    made.add_argument("--count", type=number(integer(0, 5)))
    made.add_argument("--workers", type=number(WORKERS))
    made.add_argument("-c", "--config")
    with pytest.raises(UsageError, match='"x" is not a number; must be a whole number from 0 to 5'):
        made.read_words(["--count", "x"])
    with pytest.raises(UsageError, match='"-1" is out of range'):
        made.read_words(["--count=-1"])
    assert (made.read_words(["--workers", "auto"]).workers, made.read_words(["--workers", "3"]).workers) == (0, 3)
    with pytest.raises(UsageError, match=r'"lbd.toml" is one word too many; a file is given with -c'):
        made.read_words(["lbd.toml"])


@pytest.mark.parametrize(("words", "message"), [
    (["--cuont", "1"], 'unknown option --cuont; did you mean "--count"? (see lbd test --help)'),
    (["--cuont=1"], 'unknown option --cuont; did you mean "--count"? (see lbd test --help)'),
    (["--zzzzzz"], "unknown option --zzzzzz (see lbd test --help)"),
    (["--nam", "x"], 'unknown option --nam; did you mean "--name"? (see lbd test --help)'),
    (["--name"], "--name: expected one argument (see lbd test --help)"),
    (["more"], '"more" is one word too many (see lbd test --help)'),
    (["--count", "11"], '--count: "11" is not small; must be a number up to 10 (see lbd test --help)'),
    (["--count", "x"], '--count: "x" is not small; must be a number up to 10 (see lbd test --help)'),
    (["--word", "abcdefghijk"], '--word: "abcdefghijk" is not small; must be a number up to 10 (see lbd test --help)'),
])
def test_refusals(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parser().read_words(words)
    assert str(caught.value) == message
