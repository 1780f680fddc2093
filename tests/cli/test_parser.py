"""lbd.cli.parser: refusals in one line, with what was probably meant."""

import pytest

from lbd.cli.argument_types import kind, number
from lbd.cli.parser import Parser
from lbd.errors import UsageError
from lbd.schema.kinds import ValueKind


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
