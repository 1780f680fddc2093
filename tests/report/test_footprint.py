"""The footprint of processes: this one's own, and one that is gone."""

import os
import subprocess

from lbd.report.footprint import footprint


def test_of_this_process() -> None:
    before = footprint(os.getpid())
    reader, writer = os.pipe()
    try:
        after = footprint(os.getpid())
    finally:
        os.close(reader)
        os.close(writer)
    assert before is not None
    assert after is not None
    assert after.files == before.files + 2
    assert after.memory > 1 << 20
    assert after.cpu >= before.cpu > 0


def test_of_a_process_with_a_strange_name(tmp_path) -> None:
    strange = tmp_path / "a) (b"
    strange.symlink_to("/bin/sleep")
    with subprocess.Popen([strange, "30"]) as process:
        found = footprint(process.pid)
        process.kill()
    assert found is not None
    assert 1 <= found.files < 100


def test_of_a_process_that_is_gone() -> None:
    with subprocess.Popen(["/bin/true"]) as process:
        pid = process.pid
    assert footprint(pid) is None
