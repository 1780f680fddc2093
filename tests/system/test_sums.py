"""Numbers counted four times agree: by the clients, by the servers, in the metrics and in the access log."""

import json
import re
import signal
from collections import Counter
from functools import partial

import pytest
from lbd_process import Lbd, until
from load import Load
from origin import Origin

CONFIG = """
[log]
access = "{log}"
access_fields = ["listener", "server", "status", "ending", "generation"]
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
retries = {retries}
servers = {{ a = "127.0.0.1:{a}", b = "127.0.0.1:{b}" }}
"""
CLIENTS = 16


def counted(lbd: Lbd, metric: str, **wanted: str) -> int:
    """The sum of the series of a metric that have these labels."""
    total = 0.0
    for labels, value in re.findall(rf"^{metric}(?:{{(.*)}})? (\S+)$", lbd.metrics(), re.MULTILINE):
        found = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if wanted.items() <= found.items():
            total += float(value)
    return int(total)


def enough(load: Load, goal: int) -> bool:
    return load.total > goal


def lines(lbd: Lbd) -> list[dict[str, object]]:
    return [json.loads(line) for line in (lbd.path / "access.log").read_text().splitlines()]


@pytest.fixture
def origins():
    with Origin("a") as a, Origin("b") as b:
        yield a, b


def text(lbd: Lbd | None, origins: tuple[Origin, Origin], retries: int = 2) -> str:
    log = f"{lbd.path}/access.log" if lbd is not None else "off"
    return CONFIG.format(log=log, a=origins[0].port, b=origins[1].port, retries=retries)


@pytest.fixture
def lbd(origins):
    made = Lbd(text(None, origins))
    made.write(text(made, origins))
    with made:
        yield made


def test_all_agree_over_reloads(lbd, origins):
    with Load(lbd.port("web"), CLIENTS) as load:
        for goal in range(300, 1500, 300):
            until(partial(enough, load, goal), "a load")
            lbd.write(text(lbd, origins, retries=goal // 300))
            assert lbd.admin("POST", "/v1/reload")[0] == 200
    assert (load.lost, load.refused) == (0, 0)
    until(lambda: len(lines(lbd)) >= load.total, "every line is written")
    logged = lines(lbd)
    assert load.answered == {200: len(logged)}
    assert {line["ending"] for line in logged} == {"ok"}
    assert len({line["generation"] for line in logged}) > 2
    assert counted(lbd, "lbd_requests_total") == len(logged)
    assert counted(lbd, "lbd_requests_total", code="2xx") == len(logged)
    assert counted(lbd, "lbd_endings_total", ending="ok") == len(logged)
    assert counted(lbd, "lbd_backend_response_seconds_count") == len(logged)
    by_server = Counter(line["server"] for line in logged)
    for origin in origins:
        assert origin.requests == by_server[origin.name]
        assert counted(lbd, "lbd_server_requests_total", server=origin.name) == origin.requests
    assert counted(lbd, "lbd_log_lines_dropped_total") + counted(lbd, "lbd_log_lines_lost_total") == 0


def test_a_worker_that_is_killed_takes_what_it_had_in_hand_and_nothing_else(lbd, origins):
    with Load(lbd.port("web"), CLIENTS) as load:
        until(lambda: load.total > 500, "a load")
        lbd.signal_worker(lbd.workers()[0], signal.SIGKILL)
        until(lambda: lbd.status()["worker_restarts"] == 1 and len(lbd.workers()) == 2, "a successor")
        until(lambda: load.total > 1000, "more of it")
    in_hand = load.lost
    assert in_hand <= CLIENTS
    until(lambda: counted(lbd, "lbd_server_in_flight") == 0, "the last request is counted")
    known = counted(lbd, "lbd_requests_total")
    served = sum(origin.requests for origin in origins)
    # A request in hand may have reached a server and not the count, as may the one whose answer was sent last.
    assert load.total - 1 <= known <= load.total + in_hand
    assert known <= served <= known + in_hand
    # Lines that waited in the dead worker, for at most a tenth of a second, are gone with it.
    until(lambda: len(lines(lbd)) >= load.total - 256 - in_hand, "lines are written")
    assert len(lines(lbd)) <= known
    assert counted(lbd, "lbd_worker_restarts_total") == 1
    assert counted(lbd, "lbd_server_in_flight") == 0
