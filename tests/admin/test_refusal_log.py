"""Refusals in the log: each of a few, and the number of a flood."""

from lbd.admin import refusal_log
from lbd.admin.refusal_log import LINES, PERIOD, RefusalLog


def test_a_flood_is_counted(monkeypatch):
    now, said = [0.0], []
    monkeypatch.setattr(refusal_log.logger, "warning", lambda event, **facts: said.append((event, facts)))
    made = RefusalLog(lambda: now[0])
    for number in range(LINES + 50):
        made.log_refusal("refused", number=number)
    assert [facts["number"] for _, facts in said] == list(range(LINES))
    now[0] += PERIOD
    made.log_refusal("refused", number=-1)
    assert said[LINES:] == [("more admin requests were refused", {"count": 50, "seconds": PERIOD}),
                            ("refused", {"number": -1})]
    now[0] += PERIOD
    made.log_refusal("refused", number=-2)
    assert said[-1] == ("refused", {"number": -2})
