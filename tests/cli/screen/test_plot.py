"""Plots in characters."""

import pytest

from lbd.cli.screen.plot import GAP, column, plot


def name(value: float) -> str:
    return f"{value:g}"


@pytest.mark.parametrize(("value", "cells"), [
    (8.0, "██"), (4.0, " █"), (1.0, " ▂"), (0.0, " ▁"), (None, f" {GAP}"), (6.0, "▄█")])
def test_a_column_is_as_high_as_its_value(value, cells):
    assert column(value, 8.0, 2) == cells


def test_what_does_not_fit_is_the_oldest():
    assert plot([9.0, 1.0, 2.0], 5, 2, name) == ["9 ┤  ", "0 ┤▂▄"]


def test_a_course_of_nothing():
    assert plot([None, None], 40, 3, name) == ["nothing measured yet", "", ""]
    assert plot([0.0], 40, 2, name) == ["  │ ", "0 ┤▁"]
