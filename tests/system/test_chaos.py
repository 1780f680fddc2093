"""A minute of random faults under load against the real daemon; `python -m tests.chaos` runs for longer."""

import subprocess
import sys

import pytest
from lbd_process import ROOT


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_nothing_fails_that_no_fault_explains_and_everything_is_given_back() -> None:
    done = subprocess.run([sys.executable, "-m", "tests.chaos", "--minutes", "1"], cwd=ROOT, capture_output=True,
                          text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
