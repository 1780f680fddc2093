"""The faults: a status that is answered with, and a text for the log."""

from lbd.http.faults import FAULTS
from lbd.http.replies import TEXTS


def test_each_fault_has_a_status_that_is_answered_with_and_its_own_text() -> None:
    assert FAULTS[0] == (0, "")
    assert {status for status, _ in FAULTS[1:]} <= set(TEXTS)
    assert len({text for _, text in FAULTS}) == len(FAULTS)
