"""Tests of lbd.config.edits: changes to header fields."""

from lbd.config.edits import HeaderEdits


def test_nothing_is_changed_unless_told() -> None:
    edits = HeaderEdits()
    assert not edits.set
    assert not edits.add
    assert not edits.remove
