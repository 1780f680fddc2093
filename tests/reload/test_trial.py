"""The trial: what makes lbd go back by itself."""

import pytest

from lbd.reload.trial import BEFORE, Sample, Trial, Window, between

PAIR = ("web", "app")


def answers(total, errors=0):
    return Sample({PAIR: (total, errors)})


def test_the_window_forgets_what_is_older_than_a_minute():
    window = Window()
    assert window.share(answers(10, 5)) == 0.0
    for second in range(BEFORE + 2):
        window.add(answers(100 * second, 100 * second if second < 2 else 200))
    assert window.share(answers(100 * (BEFORE + 2), 200)) == pytest.approx(100 / (100 * (BEFORE + 1)))


def test_new_routes_count_from_nothing_and_reused_rows_anew():
    assert between(Sample(), answers(10, 2)) == (10, 2)
    assert between(answers(50, 5), answers(10, 2)) == (0, 0)


@pytest.mark.parametrize(("share", "total", "errors", "trouble"), [
    (0.0, 99, 99, False), (0.0, 100, 1, False), (0.0, 100, 2, True), (0.04, 100, 8, False), (0.04, 100, 9, True)])
def test_errors(share, total, errors, trouble):
    trial = Trial(2, 0.0, answers(1000, 7), share)
    assert bool(trial.trouble(answers(1000 + total, 7 + errors))) is trouble


@pytest.mark.parametrize(("before", "after", "trouble"), [(4, 3, False), (4, 2, True), (1, 0, True), (0, 0, False),
                                                          (2, 3, False)])
def test_usable_servers(before, after, trouble):
    trial = Trial(2, 0.0, Sample({}, {"app": before}), 0.0)
    found = trial.trouble(Sample({}, {"app": after}))
    assert bool(found) is trouble
    assert trial.trouble(Sample({}, {})) == ""
