"""Sparklines: what is drawn where."""

import re
from xml.etree import ElementTree

from lbd.admin import sparkline


def points(svg):
    return re.findall(r"[ML](\d+) ([\d.]+)", ElementTree.fromstring(svg)[0].attrib["d"])


def test_the_newest_stands_right_and_the_highest_at_the_top():
    svg = sparkline.draw([0.0, 0.05, 0.1], [], 0.1)
    assert points(svg) == [("57", "19.0"), ("58", "10.0"), ("59", "1.0")]
    assert "0.0 to 100.0 ms" in ElementTree.fromstring(svg).attrib["aria-label"]


def test_a_step_without_answers_is_a_gap():
    assert sparkline.line([0.1, None, 0.1, 0.1], 0, 0.1) == "M0 1.0h.5M2 1.0h.5L3 1.0"


def test_steps_with_errors_are_marked():
    svg = ElementTree.fromstring(sparkline.draw([0.1, 0.1], [0.0, 2.5], 0.1))
    assert svg[1].attrib == {"class": "marks", "d": "M59 20v-4"}
    assert svg.attrib["aria-label"].endswith(", with errors")


def test_without_an_answer_there_is_nothing_to_draw():
    assert sparkline.draw([None, None], [0.0, 0.0], 0.1) == ""
    assert sparkline.draw([0.0], [0.0], 0.0)     # all of them took no time at all


def test_the_scale_is_that_of_the_slowest():
    assert sparkline.highest([[0.1, None], [0.3], []]) == 0.3
    assert sparkline.highest([]) == 0.0
