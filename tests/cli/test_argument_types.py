"""lbd.cli.argument_types: values are read as the configuration reads them, and a bad one is bad usage."""

import pytest

from lbd.cli import options
from lbd.cli.argument_types import add_group, number
from lbd.cli.parser import Parser
from lbd.errors import UsageError
from lbd.schema.units import WORKERS, integer


def parser() -> Parser:
    made = Parser("lbd", "A test.")
    add_group(made, options.CONFIGURATION, "configuration")
    return made


def test_values() -> None:
    words = ("--listen *:80 --listen unix:/a.sock --server one:9001 --server [::1]:9 "
             "--algorithm first --health-path /up --health-interval 250ms --workers 3")
    args = parser().read_words(words.split())
    assert args.listen == ["*:80", "unix:/a.sock"]
    assert args.server == ["one:9001", "[::1]:9"]
    assert (args.algorithm, args.health_path, args.health_interval, args.workers) == ("first", "/up", 0.25, "3")


def test_left_out() -> None:
    args = parser().read_words([])
    assert vars(args) == {"config": None, "listen": [], "server": [], "algorithm": None, "health_path": None,
                          "health_interval": None, "workers": None}
    assert parser().read_words(["--listen", "*:80"]).listen != parser().read_words([]).listen


@pytest.mark.parametrize(("words", "message"), [
    ("--listen 80", '--listen: "80" is a port without a host; must be '),
    ("--listen one:80", '--listen: "one:80" has a host name where an IP address is needed; must be '),
    ("--server 0.0.0.0:80", '--server: "0.0.0.0:80" is every address of this machine'),
    ("--health-interval 5", '--health-interval: "5" '),
    ("--health-path x", '--health-path: "x" '),
    ("--workers 0", '--workers: "0" '),
    ("--workers many", '--workers: "many" '),
])
def test_bad_values(words: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parser().read_words(words.split())
    assert str(caught.value).startswith(message)


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
