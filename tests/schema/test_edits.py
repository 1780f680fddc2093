"""Tests of lbd.schema.edits: changes to header fields."""

from lbd.schema.edits import HeaderEdits


def test_nothing_is_changed_unless_told() -> None:
    edits = HeaderEdits()
    assert not edits.set
    assert not edits.add
    assert not edits.remove
