"""lbd.simulation.recording: lines of an access log, the usable and the others, and requests made of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lbd.errors import LbdError, UsageError
from lbd.simulation.recording import RecordedRequest, collect, paced, read_recording
from lbd.simulation.workload import WorkloadShape

Shapes = Callable[..., WorkloadShape]
LINE = {"time": "2026-01-02T03:04:05.000Z", "backend": "app", "server": "a", "client": "192.0.2.7", "method": "PUT",
        "target": "/x?y", "status": 200, "total": 0.25}


def lines(*facts: Any) -> list[str]:
    return [json.dumps({**LINE, **fact}) + "\n" for fact in facts]


def test_a_line() -> None:
    entry, = collect(lines({}), None, 10).entries
    assert entry == RecordedRequest(1767323045.0, 0.25, "a", "192.0.2.7", "/x?y", "PUT")


@pytest.mark.parametrize(("fact", "total"), [
    ({"total": None, "total_ms": 12.5}, 0.0125), ({"total": None, "timers": {"total": 2}}, 2.0),
    ({"total": "slow", "duration": 0.5}, 0.5),
    ({"queue": 0.05}, 0.2), ({"queue": 7}, 0.0), ({"queue": None}, 0.25)])
def test_other_names_of_the_time(fact: dict[str, Any], total: float) -> None:
    entry, = collect(lines(fact), None, 10).entries
    assert entry.total == total


@pytest.mark.parametrize(("fact", "time"), [
    ({"time": 12.5}, 12.5), ({"time": "yesterday"}, None), ({"time": True}, None), ({"time": 1e300}, None),
    ({"time": "2026-01-02T04:04:05+01:00"}, 1767323045.0)])
def test_times(fact: dict[str, Any], time: float | None) -> None:
    entry, = collect(lines(fact), None, 10).entries
    assert entry.time == time


def test_what_cannot_be_used_is_skipped() -> None:
    bad = ["not JSON\n", "[1]\n", "[" * 60_000 + "\n", "{" + " " * 70_000 + "}\n", "\n", '{"total": NaN}\n', "NaN\n",
           *lines({"total": -1}, {"total": True}, {"total": None}, {"total": 1e9}, {"total": 10**400},
                  {"backend": None})]
    found = collect([*bad, *lines({})], None, 10)
    assert (len(found.entries), found.skipped) == (1, len(bad) - 1)     # an empty line is nothing


def test_in_the_order_of_their_times_and_not_too_many() -> None:
    found = collect(lines({"time": 3, "total": 3}, {"time": 1, "total": 1}, {"time": 2, "total": 2}), None, 2)
    assert [entry.total for entry in found.entries] == [1, 3]


def test_one_backend_only() -> None:
    both = lines({}, {"backend": "api", "server": "b", "total": 0.75})
    assert collect(both, "api", 10).means == {"b": 0.75}
    with pytest.raises(ValueError, match='requests of "api" and "app": choose with --backend'):
        collect(both, None, 10)
    with pytest.raises(ValueError, match='no line of the backend "web" is'):
        collect(both, "web", 10)


def test_names_that_no_server_can_have_are_none() -> None:
    assert collect(lines({"server": "a\x1b[2J"}, {"server": 5}), None, 10).means == {}


def test_means_by_server() -> None:
    assert collect(lines({}, {"total": 0.75}, {"server": "b"}, {"server": None}), None, 10).means == {
        "a": 0.5, "b": 0.25}


def test_work_is_measured_by_the_mean_of_its_server(shape: Shapes) -> None:
    recording = collect(lines({"time": 10}, {"time": 12, "total": 0.75}, {"time": 13, "server": "b", "total": 0}),
                        None, 10)
    asked = paced(recording, shape(rate=0.0))
    assert [(one.at, one.effort) for one in asked] == [(0.0, 0.5), (2.0, 1.5), (3.0, 1.0)]
    assert (asked[0].source, asked[0].target, asked[0].method) == (b"192.0.2.7", b"/x?y", b"PUT")
    assert len({one.client for one in asked}) == 1
    assert [one.at for one in paced(recording, shape(rate=4.0))] == [0.0, pytest.approx(1 / 3), 0.5]


def test_what_lines_do_not_say_is_drawn(shape: Shapes) -> None:
    recording = collect(['{"total": 1}\n'] * 50, None, 100)
    asked = paced(recording, shape(rate=10.0))
    assert asked[-1].at > asked[0].at > 0
    assert len({one.target for one in asked}) > 5 < len({one.source for one in asked})
    assert {one.at for one in paced(recording, shape(rate=0.0, concurrency=3))} == {0.0}
    with pytest.raises(UsageError, match="give --rate or --concurrency"):
        paced(recording, shape(rate=0.0))


def test_files(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    with pytest.raises(LbdError, match=r"--log: .*access.log cannot be read: No such file"):
        read_recording(str(log), None, 10)
    log.write_bytes(b"\xff\xfe\n")
    with pytest.raises(LbdError, match=r"access.log: no line is a JSON object"):
        read_recording(str(log), None, 10)
    log.write_text("".join(lines({})))
    assert len(read_recording(str(log), None, 10).entries) == 1
