"""lbd.cli.terminal: what fits, and what a terminal may not be told."""

import pytest
from rich.console import Console

from lbd.admin.columns import TableColumn
from lbd.cli.terminal import table

COLUMNS = (TableColumn("name", lambda row: row["name"]), TableColumn("size", lambda row: row["size"], True, rank=1),
           TableColumn("text", lambda row: row["text"], rank=2))
ROWS = [{"name": "alpha", "size": 12345, "text": "once upon a time"}, {"name": "b", "size": None, "text": None}]


@pytest.mark.parametrize(("width", "titles"), [
    (80, ["name", "size", "text"]), (30, ["name", "size", "text"]), (20, ["name", "size"]), (8, ["name"]),
    (1, ["name"])])
def test_columns_that_do_not_fit_are_left_out_the_least_important_first(width, titles):
    assert [column.header for column in table(COLUMNS, ROWS, width).columns] == titles


def test_a_column_that_says_nothing_is_left_out():
    rows = [{**row, "text": None} for row in ROWS]
    assert [column.header for column in table(COLUMNS, rows).columns] == ["name", "size"]
    assert len(table(COLUMNS, []).columns) == 3


def test_numbers_stand_right_and_nothing_is_a_dash(capsys):
    Console(width=80).print(table(COLUMNS, ROWS))
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "name    size  text", "alpha  12345  once upon a time", "b          -  -"]
