"""The record of reloads, as status and metrics show it."""

from lbd.config.plan import compare
from lbd.reload.reload_record import ReloadRecord
from lbd.schema import Config, Global

PLAN = compare(Config(), Config(global_=Global(workers=2)))


def test_each_outcome_is_counted_and_the_last_one_told():
    record = ReloadRecord()
    assert (record.last["success"], record.attempted, record.change) == (True, 0.0, None)
    record.note_refused("one\ntwo")
    assert (record.last["success"], record.last["error"]) == (False, "one\ntwo")
    record.note_unchanged(1, compare(Config(), Config()))
    assert record.change is None, "a reload that changed nothing is no change"
    record.note_applied(2, PLAN, 0.5)
    assert record.counts == {"applied": 1, "unchanged": 1, "refused": 1}
    assert (record.change["generation"], record.change["plan"]) == (2, PLAN.summary())
    assert record.change["time"] == record.last["time"]
    record.note_rollback("asked for")
    assert record.last["error"] == "rolled back (asked for); the files say something else"
