"""lbd.cli.reference.endings: the table of endings, and one of them."""

import re

from lbd.cli.reference import endings
from lbd.stats.endings import ENDINGS


def test_the_table_has_all_as_they_are() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| ([0-9]+|-) \| (.*) \|$", endings.table(), re.MULTILINE)
    assert rows == [(ending.name, ending.blame, str(ending.status or "-"), ending.text) for ending in ENDINGS]


def test_each_is_found_by_its_name() -> None:
    assert endings.names() == [ending.name for ending in ENDINGS]
    for ending in ENDINGS:
        text = endings.entry(ending.name)
        assert ending.text in text
        assert f"blame: {ending.blame}" in text


def test_an_entry_says_how_it_shows_itself() -> None:
    assert endings.entry("queue-full") == (
        "ending queue-full\n"
        "    all servers are full and so is the queue\n"
        "    blame: server; lbd answers with status 503\n"
        '    in metrics: lbd_endings_total{ending="queue-full"}\n'
        '    in the access log: "ending":"queue-full"\n')
    assert "lbd sends no answer of its own" in endings.entry("client-closed")


def test_no_entry_for_another_name() -> None:
    assert endings.entry("queue") == ""
